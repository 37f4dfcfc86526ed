import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { z } from "zod";

const count = z.number().int().nonnegative();

/** A part of the devnet that runs. */
const service = z.object({
  name: z.string(),
  kind: z.enum(["chain", "oracle", "keeper", "node", "indexer", "sponsor", "web"]),
  /** What it does, in a few words. */
  what: z.string(),
  /** Where it is reached; empty if it has no port. */
  address: z.string(),
  /** A node's door for web pages, if it has one. */
  door: z.string().optional(),
  /** Whether its process runs. */
  running: z.boolean(),
  /** Its process; 0 if it does not run. */
  pid: count,
  /** File that it logs to. */
  log: z.string(),
});

const state = z.object({
  /** The process that started everything, and ends it. */
  pid: count.min(1),
  chainId: count,
  rpcUrl: z.url(),
  /** File with the deployed addresses. */
  deployment: z.string(),
  /** Where the devnet lists its services and takes orders. */
  control: z.url(),
  /** What orders have to be sent with. */
  token: z.string(),
  /** Test accounts that have ETH and VER. */
  accounts: z.object({ developer: count, contributor: count, operator: count }),
  services: z.array(service),
});

/** A part of the devnet that runs, as its state file has it. */
export type DevnetService = z.output<typeof service>;

/** The devnet of this machine, as its state file has it. */
export type DevnetState = z.output<typeof state>;

/** The repository. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where the devnet keeps everything: `DRMP_DEVNET`, or .data/devnet of the repository. */
export function devnetFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const told = environment["DRMP_DEVNET"] ?? "";
  return told === "" ? join(ROOT, ".data", "devnet") : resolve(told);
}

/** The file by which commands find the devnet. */
export function devnetFile(folder = devnetFolder()): string {
  return join(folder, "state.json");
}

/** The devnet that runs on this machine; undefined if none does. Asks nobody: reads its state file. */
export function findDevnet(folder = devnetFolder()): DevnetState | undefined {
  let text: string;
  try {
    text = readFileSync(devnetFile(folder), "utf8");
  } catch {
    return undefined;
  }
  let found: DevnetState | undefined;
  try {
    found = state.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
  // One that was killed has left its file behind.
  return found && isRunning(found.pid) ? found : undefined;
}

/** The devnet, if this is the address of its chain. */
export function devnetAt(rpcUrl: string, folder = devnetFolder()): DevnetState | undefined {
  const found = findDevnet(folder);
  return found && sameEndpoint(found.rpcUrl, rpcUrl) ? found : undefined;
}

/** Whether a process exists, no matter whose it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function sameEndpoint(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => (URL.canParse(text) ? new URL(text) : undefined));
  const host = (url: URL) => url.host.replace(/^localhost(?=:|$)/, "127.0.0.1");
  return one !== undefined && other !== undefined && one.protocol === other.protocol && host(one) === host(other);
}
