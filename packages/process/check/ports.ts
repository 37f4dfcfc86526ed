import { createServer } from "node:net";

import { readPeerAddress } from "./addresses.ts";
import type { Finding } from "./finding.ts";

/** A TCP port that a process will listen on. */
export interface PortUse {
  /** Entry of the configuration. */
  readonly entry: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The ports of multiaddrs to listen on; what is no address is left out. Pure. */
export function portsOf(entry: string, addresses: readonly string[]): PortUse[] {
  return addresses.flatMap((text) => {
    const read = readPeerAddress(text);
    return typeof read === "string" ? [] : [{ entry, host: read.host, port: read.port }];
  });
}

/** Ports that two parts of the process claim. Pure. O(ports²). */
export function clashFindings(uses: readonly PortUse[]): Finding[] {
  return uses.flatMap((one, i) => {
    const other = uses.slice(0, i).find(({ port, host }) => port !== 0 && port === one.port && overlap(host, one.host));
    if (!other) return [];
    return [
      {
        level: "error" as const,
        entry: one.entry,
        value: String(one.port),
        what: `is also the port of ${other.entry}`,
        bound: "a port of its own",
        remedy: `choose another for one of the two (0 picks a free one)`,
      },
    ];
  });
}

/** Tries each port: whether it is free, may be used, and is an address of this machine. Each is let go again at once. */
export async function takenFindings(uses: readonly PortUse[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const use of uses) {
    const code = await tryPort(use);
    if (code !== undefined) findings.push(taken(use, code));
  }
  return findings;
}

function taken({ entry, host, port }: PortUse, code: string): Finding {
  const about = { level: "error", entry, value: `${host}:${String(port)}` } as const;
  switch (code) {
    case "EADDRINUSE":
      return {
        ...about,
        what: "is taken by another process, perhaps by this very one that runs already",
        bound: "a free port",
        remedy: "stop that process, or choose another port",
      };
    case "EACCES":
      return {
        ...about,
        what: "may not be used by this user",
        bound: "a port from 1024 up",
        remedy: "choose another port",
      };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return {
        ...about,
        what: "is no address of this machine",
        bound: "an address of one of its interfaces",
        remedy: "listen on 0.0.0.0 or 127.0.0.1, and announce the other address",
      };
    default:
      return {
        ...about,
        what: `cannot be listened on (${code})`,
        bound: "a port that this process can listen on",
        remedy: "choose another address or port",
      };
  }
}

/** @returns The error's code; undefined if the port can be listened on. */
async function tryPort({ host, port }: PortUse): Promise<string | undefined> {
  const server = createServer();
  try {
    return await new Promise<string | undefined>((resolve) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message);
      });
      server.listen({ host, port, exclusive: true }, () => {
        resolve(undefined);
      });
    });
  } finally {
    await new Promise<void>((resolve) => {
      if (!server.listening) resolve();
      else
        server.close(() => {
          resolve();
        });
    });
  }
}

function overlap(a: string, b: string): boolean {
  const every = ["0.0.0.0", "::"];
  return a === b || every.includes(a) || every.includes(b);
}
