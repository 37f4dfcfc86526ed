import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process now, MB; 0 where the system does not tell. */
export function megabytesOf(pid: number | undefined): number {
  return statusOf(pid, "VmRSS");
}

/** The most resident memory that a process had so far, MB; 0 where the system does not tell. */
export function mostMegabytesOf(pid: number | undefined): number {
  return statusOf(pid, "VmHWM");
}

/** Resident memory of a process and of those that it started, MB. */
export function megabytesOfTree(pid: number | undefined): number {
  if (pid === undefined || !existsSync("/proc/self/task")) return 0;
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
    return children.reduce((sum, child) => sum + megabytesOfTree(child), megabytesOf(pid));
  } catch {
    // It has just ended.
    return megabytesOf(pid);
  }
}

function statusOf(pid: number | undefined, field: string): number {
  const file = `/proc/${pid ?? 0}/status`;
  if (!existsSync(file)) return 0;
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}
