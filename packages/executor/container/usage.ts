import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ContainerStats } from "dockerode";

/** What a container uses. */
export interface Usage {
  readonly cpuSeconds: number;
  /** The highest memory that is known of, bytes: cgroup v1 remembers it, v2 tells only what is in use now. */
  readonly memoryBytes: number;
}

/** Reads the engine's statistics. Under cgroup v1 `max_usage` exists, under v2 it does not. */
export function usageOf(stats: ContainerStats): Usage | undefined {
  // A container that has ended has empty statistics.
  const total = (stats.cpu_stats?.cpu_usage as { total_usage?: number } | undefined)?.total_usage ?? 0;
  if (total === 0) return undefined;
  const { usage = 0, max_usage: peak = 0 } = (stats.memory_stats ?? {}) as { usage?: number; max_usage?: number };
  return { cpuSeconds: total / 1e9, memoryBytes: Math.max(usage, peak) };
}

/** Share of its limit from which a container that the kernel killed is taken to have run out of memory. */
const NEARLY_FULL = 0.9;
const SIGKILLED = 137;

/**
 * Whether a unit ended because of its memory limit.
 *
 * Docker tells. Podman's Docker-compatible API always says no, and so, unless its own API says more, the signs have to
 * do: a kill by the kernel that the cgroup counted, or a SIGKILL that nobody here sent while memory was nearly full.
 */
export function ranOutOfMemory(signs: {
  /** What the engine says. */
  readonly told: boolean;
  /** Whether it says so of each unit that ran out of memory, so that the other signs need not be read. */
  readonly tells?: boolean;
  /** Kills that the cgroup counted before the end, if it could be read. */
  readonly kills: number;
  readonly code: number;
  /** Whether the agent sent SIGKILL itself. */
  readonly killedByUs: boolean;
  readonly peakBytes: number;
  readonly limitBytes: number;
}): boolean {
  if (signs.code === 0) return false;
  if (signs.told) return true;
  if (signs.killedByUs) return false;
  if (signs.kills > 0) return true;
  // Nearly full is what the page cache makes any program's memory: where the engine tells, it says nothing.
  return signs.tells !== true && signs.code === SIGKILLED && signs.peakBytes >= NEARLY_FULL * signs.limitBytes;
}

/**
 * How many processes of a container's cgroup the kernel has killed for want of memory, from the files of cgroup v1
 * (`memory.oom_control`) or v2 (`memory.events`); 0 if they cannot be read from here.
 *
 * @param pid Of its first process, on this machine.
 * @param roots Where the file systems of processes and of cgroups are.
 */
export async function oomKills(pid: number, roots = { proc: "/proc", cgroup: "/sys/fs/cgroup" }): Promise<number> {
  const membership = await text(join(roots.proc, String(pid), "cgroup"));
  const lines = membership.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const v1 = lines.find((line) => line?.[1]?.split(",").includes("memory"))?.[2];
  const v2 = lines.find((line) => line?.[1] === "")?.[2];
  const files = [
    ...(v1 === undefined ? [] : [join(roots.cgroup, "memory", v1, "memory.oom_control")]),
    ...(v2 === undefined ? [] : [join(roots.cgroup, v2, "memory.events")]),
  ];
  for (const file of files) {
    const count = /^oom_kill (\d+)$/m.exec(await text(file))?.[1];
    if (count !== undefined) return Number(count);
  }
  return 0;
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
