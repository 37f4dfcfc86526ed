import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process now, MB; 0 where the system does not tell. */
export function megabytesOf(pid: number | undefined): number {
  return statusOf(pid, "VmRSS");
}

/** Maximum resident memory that a process had so far, MB; 0 where the system does not tell. */
export function mostMegabytesOf(pid: number | undefined): number {
  return statusOf(pid, "VmHWM");
}

/** What a process and those that it started use now: resident memory, MB, and processor time so far, seconds. */
export function usageOfTree(pid: number | undefined): { megabytes: number; seconds: number } {
  const usage = { megabytes: megabytesOf(pid), seconds: secondsOf(pid) };
  if (pid === undefined || !existsSync("/proc/self/task")) return usage;
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
    for (const child of children) {
      const its = usageOfTree(child);
      usage.megabytes += its.megabytes;
      usage.seconds += its.seconds;
    }
  } catch {
    // It has just ended.
  }
  return usage;
}

/** Clock ticks in a second, as /proc counts them on Linux. */
const TICKS = 100;

/** Processor time of a process so far, seconds; 0 where the system does not tell. */
function secondsOf(pid: number | undefined): number {
  const file = `/proc/${pid ?? 0}/stat`;
  if (!existsSync(file)) return 0;
  try {
    // The name, in brackets, may hold spaces; user and system time are the twelfth and thirteenth field after it.
    const fields = readFileSync(file, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
  } catch {
    // It has just ended.
    return 0;
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
