import { readFileSync } from "node:fs";
import { join } from "node:path";

/** USER_HZ: fixed at 100 in Linux' interface to programs. */
const TICKS_PER_SECOND = 100;

/** The machine's CPU time since it was started, seconds over all hardware threads. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
  /** Hardware threads that are online. */
  readonly threads: number;
}

/**
 * Reads the machine's CPU time from `/proc/stat`. Waiting for disks counts as idle; time stolen by a hypervisor is left
 * out, because other machines had it.
 *
 * @param procfs Where procfs is mounted.
 * @returns Undefined on systems without it.
 */
export function readCpuTimes(procfs = "/proc"): CpuTimes | undefined {
  let text: string;
  try {
    text = readFileSync(join(procfs, "stat"), "utf8");
  } catch {
    return undefined;
  }
  const line = /^cpu +(.*)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  // Guests' time is part of user's and nice's already.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = line.split(" ").map(Number);
  const busy = user + nice + system + irq + softirq;
  if (!Number.isFinite(busy + idle + iowait)) return undefined;
  const threads = text.match(/^cpu\d+ /gm)?.length ?? 1;
  return { busy: busy / TICKS_PER_SECOND, total: (busy + idle + iowait) / TICKS_PER_SECOND, threads };
}

/** What a slice of a machine used in a period. */
export interface Usage {
  /** Share in use, from 0 to 1. */
  readonly load: number;
  /** CPU time used by everything that the load covers, seconds. */
  readonly busySeconds: number;
  readonly seconds: number;
}

/**
 * Follows how much of the node's machine is in use.
 *
 * A node is either the whole machine, with everything that runs on it, or a slice of it: a number of CPUs of which only the
 * agent and its workloads count. That is for several nodes on one machine, and for containers.
 */
export class UsageTrack {
  readonly #read: () => { busy: number; capacity: number } | undefined;
  #last: { busy: number; capacity: number } | undefined;

  private constructor(read: () => { busy: number; capacity: number } | undefined) {
    this.#read = read;
    this.#last = read();
  }

  /** Of the whole machine. */
  static machine(procfs = "/proc"): UsageTrack {
    return new UsageTrack(() => {
      const times = readCpuTimes(procfs);
      return times && { busy: times.busy, capacity: times.total };
    });
  }

  /**
   * Of a slice.
   *
   * @param cpus CPUs of the slice.
   * @param ownSeconds CPU time of the agent and its workloads so far; if it shrinks, nothing was used.
   * @param now Clock in milliseconds.
   */
  static slice(cpus: number, ownSeconds: () => number, now: () => number = () => performance.now()): UsageTrack {
    const start = now();
    return new UsageTrack(() => ({ busy: ownSeconds(), capacity: (cpus * (now() - start)) / 1000 }));
  }

  /** What was used since the last call. Zero where the system does not tell. */
  next(): Usage {
    const now = this.#read();
    const last = this.#last;
    if (now && Number.isFinite(now.busy)) this.#last = now;
    if (!now || !last || !Number.isFinite(now.busy)) return { load: 0, busySeconds: 0, seconds: 0 };
    const busySeconds = Math.max(0, now.busy - last.busy);
    // A processor that is taken out takes its time with it.
    const seconds = Math.max(0, now.capacity - last.capacity);
    return { load: seconds <= 0 ? 0 : Math.min(1, busySeconds / seconds), busySeconds, seconds };
  }
}
