import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";

/**
 * Has a server listen.
 *
 * @param at - `port` 0 picks a free one
 * @param onError - told of what goes wrong once it listens, such as too many open files while accepting: those who wait are served later
 * @returns where it is, without a slash at the end
 * @throws Error of Node's if the port cannot be had
 */
export async function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
  onError: (error: unknown) => void = () => undefined,
): Promise<string> {
  const { host } = at;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, host, () => {
      server.off("error", reject);
      server.on("error", onError);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;
}

/** Ends a server. @param graceMs - milliseconds for answers under way */
export async function closeServer(server: Server, graceMs = 0): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    if (graceMs === 0) server.closeAllConnections();
    else {
      server.closeIdleConnections();
      setTimeout(() => {
        server.closeAllConnections();
      }, graceMs).unref();
    }
  });
}
