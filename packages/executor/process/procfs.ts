import { readFileSync } from "node:fs";

/** What Linux shows of a running process. */
export interface ProcessSample {
  /** Clock ticks from boot to its start: with the boot's id, what tells it from a later process of the same pid. */
  readonly startTicks: string;
  /** User and system time, seconds. */
  readonly cpuSeconds: number;
  /** Memory of its own (heap, buffers, stacks), MiB: mapped files such as the program itself are not counted. */
  readonly privateMiB: number;
}

/** USER_HZ: fixed at 100 in Linux' interface to programs, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

/** Looks at a process; undefined if it is gone, has ended but was not reaped, or the system has no /proc. */
export function sampleProcess(pid: number): ProcessSample | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const status = read(`/proc/${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything; what follows the last ")" is plain.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, userTicks, systemTicks, startTicks] = [fields[0], fields[11], fields[12], fields[19]];
  if (state === undefined || "ZX".includes(state) || startTicks === undefined) return undefined;
  return {
    startTicks,
    cpuSeconds: (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND,
    privateMiB: Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024,
  };
}

/** Id of the machine's present boot; undefined where there is no /proc. */
export function bootId(): string | undefined {
  return read("/proc/sys/kernel/random/boot_id")?.trim();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
