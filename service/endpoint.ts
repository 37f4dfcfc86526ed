import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { Gauge, type Registry } from "prom-client";

import type { Pulse } from "./pulse.ts";

/** What `/health` tells beside the pulse. */
export type Details = () => Record<string, unknown>;

/**
 * Serves `/health` (200 while the pulse is good, else 503; JSON) and `/metrics` (Prometheus text).
 *
 * @param port 0 picks a free one.
 * @returns The address it listens on, and a way to stop.
 */
export async function serveHealth(options: {
  host: string;
  port: number;
  pulse: Pulse;
  registry: Registry;
  details?: Details;
  /** More pages by path, each a JSON answer to a query. */
  pages?: Readonly<Record<string, (query: URLSearchParams) => Promise<object>>>;
}): Promise<{ url: string; close: () => Promise<void> }> {
  new Gauge({
    name: "drmp_pulse_age_seconds",
    help: "Time since a loop's last good cycle",
    labelNames: ["loop"],
    registers: [options.registry],
    collect() {
      for (const { name, ageSeconds } of options.pulse.beats()) this.set({ loop: name }, ageSeconds);
    },
  });
  const server: Server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const page = options.pages?.[path];
    if (path === "/health") {
      const body = { healthy: options.pulse.healthy, loops: options.pulse.beats(), ...options.details?.() };
      response.writeHead(body.healthy ? 200 : 503, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    } else if (path === "/metrics") {
      options.registry.metrics().then(
        (text) => {
          response.writeHead(200, { "content-type": options.registry.contentType });
          response.end(text);
        },
        (error: unknown) => {
          response.writeHead(500);
          response.end(String(error));
        },
      );
    } else if (page) {
      page(searchParams).then(
        (body) => {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify(body));
        },
        (error: unknown) => {
          response.writeHead(503, { "content-type": "application/json" });
          response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
        },
      );
    } else {
      response.writeHead(404);
      response.end(`try ${["/health", "/metrics", ...Object.keys(options.pages ?? {})].join(", ")}\n`);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
