import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { z } from "zod";

import { parseDeployment } from "@verai/client/deployment";

const url = z
  .url({ protocol: /^https?$/ })
  .regex(/^[^\s;,'"]+$/, { error: "holds a character that no address here has" });
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address" });

/** What a copy of the application is told of its network; `config.json` beside its index.html. */
export const siteSchema = z.strictObject({
  /** What people call the network. */
  network: z.string().min(1).max(60),
  chainId: z.number().int().positive(),
  /** JSON-RPC endpoint of the chain; readers' browsers ask it, so it has to allow any origin. */
  rpcUrl: url,
  /** API of an indexer. */
  indexerUrl: url,
  /** Addresses of the contracts, by name. */
  deployment: z.record(z.string(), address),
  /** Doors of nodes: they have specs held, and fetch results. */
  doorUrls: z.array(url).max(32).default([]),
  /** A block explorer to link to. */
  explorerUrl: url.optional(),
  /** The relay (ERC-7769, also called a bundler) that carries out what passkey accounts sign. */
  relayUrl: url.optional(),
  /** The paymaster (ERC-7677) that pays for it; left out: the relay is both, as a sponsor is. */
  paymasterUrl: url.optional(),
});

/** Of which network a copy is. */
export type Site = z.output<typeof siteSchema>;

/**
 * What the application's page may do: run and show what comes with it, and ask the endpoints that are configured. Pure.
 *
 * @param header Whether it goes into a header; what forbids frames has no effect in a page.
 */
export function contentSecurityPolicy(site: Site, header: boolean): string {
  const { rpcUrl, indexerUrl, doorUrls, relayUrl, paymasterUrl } = site;
  const asked = [rpcUrl, indexerUrl, ...doorUrls, relayUrl, paymasterUrl].filter((each) => each !== undefined);
  const origins = [...new Set(asked.map((each) => new URL(each).origin))];
  return [
    "default-src 'self'",
    `connect-src 'self' ${origins.join(" ")}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...(header ? ["frame-ancestors 'none'"] : []),
  ].join("; ");
}

/** What a site's file says: as a site, but that it may name a file of addresses, as the deployment writes it. */
export const siteFileSchema = siteSchema.extend({
  deployment: z.union([siteSchema.shape.deployment, z.string().min(1)]),
});

/** Reads of which network a copy is. @throws Error saying what is wrong with the file, or DrmpError with its addresses. */
export function readSite(file: string): Site {
  const parsed = siteFileSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success) throw new Error(`${file} does not fit: ${z.prettifyError(parsed.error)}`);
  const { deployment, ...site } = parsed.data;
  if (typeof deployment !== "string") return { ...site, deployment };
  const path = resolve(dirname(file), deployment);
  const { addresses } = parseDeployment(site.chainId, path, readFileSync(path, "utf8"));
  return { ...site, deployment: addresses };
}

/** A file as it is served. */
export interface SiteFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip?: Buffer;
  readonly brotli?: Buffer;
  /** Whether its name changes with its content. */
  readonly forever: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The built application's files with the configuration among them, by path; uncompressed. */
export function filesOf(dist: string, site: Site): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith(".")) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(dist.length + 1).replaceAll("\\", "/"), readFileSync(path));
  }
  const page = files.get("index.html")?.toString("utf8");
  if (page === undefined) throw new Error(`${dist} holds no built application: run \`npm run web\`, which builds it.`);
  const meta = `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(site, false)}" />`;
  files.set("index.html", Buffer.from(page.replace("<head>", `<head>\n    ${meta}`)));
  files.set("config.json", Buffer.from(`${JSON.stringify(site, null, 2)}\n`));
  return files;
}

/** The same files, compressed once for all who ask. */
export async function compressed(files: ReadonlyMap<string, Buffer>): Promise<Map<string, SiteFile>> {
  const [zip, broth] = [promisify(gzip), promisify(brotliCompress)];
  const made = [...files].map(async ([path, body]): Promise<[string, SiteFile]> => {
    const file = {
      type: TYPES[extname(path)] ?? "application/octet-stream",
      body,
      forever: path.startsWith("assets/"),
    };
    if (body.length < 1024) return [path, file];
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    return [path, { ...file, gzip: await zip(body, { level: 9 }), brotli: await broth(body, quality) }];
  });
  return new Map(await Promise.all(made));
}
