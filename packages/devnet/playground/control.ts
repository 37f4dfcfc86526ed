import { timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { DevnetError } from "./errors.ts";
import type { Services } from "./services.ts";

/** Where orders go and the services are listed: loopback only. */
export interface Control {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Orders that the devnet takes about a service. */
export type Order = "kill" | "start";

/**
 * Serves the list of services (`GET /services`), and takes orders about them (`POST /kill/ada`) and about the whole
 * (`POST /stop`) from those who know the token, which only the user can read: no page in a browser does.
 */
export async function serveControl(options: {
  readonly port: number;
  readonly token: string;
  readonly services: Services;
  readonly onStop: () => void;
}): Promise<Control> {
  const { port, token, services, onStop } = options;
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      answer(request).then(
        ([status, body]) => {
          send(response, status, body);
        },
        (error: unknown) => {
          const known = error instanceof DevnetError;
          send(response, known ? 409 : 500, {
            error: {
              code: known ? error.code : "FAILED",
              message: error instanceof Error ? error.message : String(error),
            },
          });
        },
      );
    },
  );
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(own)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage): Promise<readonly [number, object]> {
    // A name that somebody else lets point here is not ours.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) {
      return [403, refusal("HOST_REFUSED", "Ask 127.0.0.1 or localhost.")];
    }
    const [what = "", name = ""] = (request.url ?? "").split("?")[0]?.slice(1).split("/") ?? [];
    if (request.method === "GET" && what === "services") return [200, { services: await services.health() }];
    if (request.method !== "POST") return [404, refusal("NOT_FOUND", "Try GET /services.")];
    if (!allowed(request.headers.authorization ?? "")) {
      return [401, refusal("TOKEN_REFUSED", "An order needs the token of the devnet's state file.")];
    }
    if (what === "stop") {
      onStop();
      return [202, { stopping: true }];
    }
    if (what === "kill") await services.kill(name);
    else if (what === "start") services.start(name);
    else return [404, refusal("NOT_FOUND", `There is no order "${what}".`)];
    return [200, { service: services.list().find((one) => one.name === name) }];
  }

  function allowed(header: string): boolean {
    const [given, wanted] = [Buffer.from(header), Buffer.from(`Bearer ${token}`)];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

function refusal(code: string, message: string): object {
  return { error: { code, message } };
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
