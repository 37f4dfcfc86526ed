import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

import { systemCode } from "./durable.ts";

/** What tells a process from every other, also from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Id of the machine's start, the same for all containers on it; undefined where the system has none. */
  readonly boot?: string | undefined;
  /** Which processes the number counts among: containers have their own. */
  readonly namespace?: string | undefined;
  /** When the process began, in ticks since the machine's start. */
  readonly started?: string | undefined;
}

/** Whether a process lives; unknown where it cannot be seen from here. */
export type Life = "alive" | "dead" | "unknown";

/** What the operating system tells about processes. */
export interface ProcessTable {
  /** Line of `/proc/<pid>/stat`; undefined if it cannot be read. */
  stat(pid: number): Promise<string | undefined>;
  /** Whether a signal could be sent to the process, or would be refused for lack of permission. */
  exists(pid: number): boolean;
}

/** This machine's processes. */
const processTable: ProcessTable = {
  stat: async (pid) => read(`/proc/${String(pid)}/stat`),
  exists: (pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return systemCode(error) !== "ESRCH";
    }
  },
};

/** This very process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    host: hostname(),
    boot: (await read("/proc/sys/kernel/random/boot_id"))?.trim(),
    namespace: await readlink("/proc/self/ns/pid").catch(() => undefined),
    started: parseStat(await read("/proc/self/stat"))?.started,
  };
}

/**
 * Whether another process lives, as seen by `self`. A number alone proves nothing: numbers are used again, and are others'
 * in a container. So it is "alive" only if the process with that number began when the other did, and "dead" only if the
 * number is seen among the same processes.
 */
export async function lifeOf(
  other: ProcessIdentity,
  self: ProcessIdentity,
  table: ProcessTable = processTable,
): Promise<Life> {
  const areNeighbours =
    other.boot !== undefined &&
    other.boot === self.boot &&
    other.namespace !== undefined &&
    other.namespace === self.namespace;
  if (areNeighbours) {
    const stat = parseStat(await table.stat(other.pid));
    // Where others' processes are hidden there is no such line, though they live.
    if (!stat) return table.exists(other.pid) ? "unknown" : "dead";
    if (stat.state === "Z" || stat.state === "X") return "dead";
    if (other.started === undefined) return "unknown";
    return stat.started === other.started ? "alive" : "dead";
  }
  const isHere = other.boot === undefined && self.boot === undefined && other.host === self.host;
  return isHere && !table.exists(other.pid) ? "dead" : "unknown";
}

/** State and start of a process; its name, which comes before them, may hold spaces and brackets. */
export function parseStat(line: string | undefined): { state: string; started: string } | undefined {
  const fields = line?.slice(line.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state !== undefined && started !== undefined && /^\d+$/.test(started) ? { state, started } : undefined;
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}
