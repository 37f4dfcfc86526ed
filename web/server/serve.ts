import { closeServer, listen } from "@verai/system/http/listen";
import { createGuardedServer, type HttpLimits, refuse, sendJson } from "@verai/system/http/server";
import { compressed, contentSecurityPolicy, filesOf, type Site } from "./site.ts";

const LIMITS: HttpLimits = {
  maxConnections: 512,
  headerBytes: 16 * 1024,
  headersMs: 5_000,
  idleMs: 30_000,
  stallMs: 30_000,
  answerMs: 60_000,
  pipelined: 8,
  perSecond: 100,
  burst: 400,
};

/** Where the application is served. */
export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Serves the built application with its security headers.
 *
 * @param port 0 picks a free one.
 */
export async function serveSite(
  dist: string,
  site: Site,
  { host, port }: { host: string; port: number },
): Promise<Served> {
  const files = await compressed(filesOf(dist, site));
  const policy = contentSecurityPolicy(site, true);
  const server = createGuardedServer(LIMITS, ({ path, request, response }) => {
    if (path === "/health") {
      sendJson(response, 200, { status: "ok" });
      return;
    }
    const file = files.get(path === "/" ? "index.html" : path.slice(1));
    if (!file) {
      refuse(response, 404, "there is no such file");
      return;
    }
    const accepts = String(request.headers["accept-encoding"] ?? "");
    const [encoding, body] =
      accepts.includes("br") && file.brotli
        ? ["br", file.brotli]
        : accepts.includes("gzip") && file.gzip
          ? ["gzip", file.gzip]
          : ["", file.body];
    response.writeHead(200, {
      "content-type": file.type,
      "content-length": body.length,
      ...(encoding !== "" && { "content-encoding": encoding }),
      vary: "accept-encoding",
      "cache-control": file.forever ? "public, max-age=31536000, immutable" : "no-cache",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "camera=(), microphone=(), geolocation=()",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  const url = await listen(server, { host, port });
  return { url: `${url}/`, close: () => closeServer(server) };
}
