import type { LeaseWork } from "../lease/work.ts";
import type { RunningLease } from "./sampler.ts";

/** What is needed of the work on a lease. */
type Work = Pick<LeaseWork, "cpuSeconds" | "unitsRunning"> & {
  readonly lease: { readonly id: number; readonly count: number };
};

/** Work of the node that belongs to no lease: segments of others' work that it runs again. */
export interface OtherWork {
  readonly unitsRunning: number;
  /** CPU time so far, seconds; never shrinks. */
  readonly cpuSeconds: () => number;
}

const NOTHING: OtherWork = { unitsRunning: 0, cpuSeconds: () => 0 };

/**
 * CPU time of the agent and its workloads. A lease may be begun again, and work is let go of when it is over: what it had
 * used by then still counts.
 */
export class WorkloadCpu {
  readonly #works: ReadonlyMap<number, Work>;
  readonly #other: OtherWork;
  /** CPU time of each work seen, as of the last look. */
  #seen = new Map<Work, number>();
  readonly #byLease = new Map<number, number>();
  #total = 0;

  /** @param works Work under way, by lease id. */
  constructor(works: ReadonlyMap<number, Work>, other = NOTHING) {
    this.#works = works;
    this.#other = other;
  }

  /** Leases with work, or with work that ended since the last call; CPU time since the agent started. */
  leases(): RunningLease[] {
    const looked = new Set([...this.#seen.keys(), ...this.#works.values()]);
    for (const work of looked) this.#take(work);
    const leases = new Map([...looked].map((work) => [work.lease.id, work]));
    // What is gone has been read to its end.
    this.#seen = new Map([...this.#seen].filter(([work]) => this.#works.get(work.lease.id) === work));
    return [...leases].map(([leaseId, { lease, unitsRunning }]) => ({
      leaseId,
      units: lease.count,
      unitsRunning,
      cpuSeconds: this.#byLease.get(leaseId) ?? 0,
    }));
  }

  /** Units that run now, of leases and others. */
  get unitsRunning(): number {
    return [...this.#works.values()].reduce((sum, work) => sum + work.unitsRunning, this.#other.unitsRunning);
  }

  /** CPU time of what belongs to no lease, seconds. */
  otherSeconds(): number {
    return this.#other.cpuSeconds();
  }

  /** CPU time of all workloads, of what belongs to no lease, and of the agent itself, seconds; never shrinks. */
  totalSeconds(): number {
    for (const work of new Set([...this.#seen.keys(), ...this.#works.values()])) this.#take(work);
    const { user, system } = process.cpuUsage();
    return this.#total + this.otherSeconds() + (user + system) / 1e6;
  }

  #take(work: Work): void {
    // Of a work only what is above all that was seen before is new: a cgroup that vanishes reads as 0, and may come back.
    const before = this.#seen.get(work) ?? 0;
    const now = Number.isFinite(work.cpuSeconds) ? Math.max(before, work.cpuSeconds) : before;
    const more = now - before;
    this.#seen.set(work, now);
    this.#byLease.set(work.lease.id, (this.#byLease.get(work.lease.id) ?? 0) + more);
    this.#total += more;
  }
}
