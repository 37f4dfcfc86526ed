import { attribute, type LeaseCpu } from "../power/attribution.ts";
import type { EnergyMeter } from "../power/meter.ts";
import type { Usage } from "../power/usage.ts";
import type { Sample } from "./report-journal.ts";

/** What a sampler looks at. */
export interface SamplerContext {
  readonly meter: EnergyMeter;
  /** Usage since the call before; the meter is read right after it, with this load. */
  readonly usage: () => Usage;
  /** The leases that run, or ran since the last call: units of each, those that run now, and CPU time since it was started. */
  readonly leases: () => readonly RunningLease[];
  /** CPU time so far of segments of others' work that are run again, seconds. */
  readonly auditSeconds: () => number;
  /** Whether the machine's owner leaves it idle, as far as the agent offers it for that. */
  readonly harvesting: () => boolean;
  /** Part of the energy that comes from renewable sources, from 0 to 1. */
  readonly renewable: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/** What was measured of the machine. */
export interface MachineSample extends Sample {
  /** Energy of segments of others' work that were run again: part of the node's, and no lease's. */
  readonly auditJoules: number;
}

/** A lease's work. */
export interface RunningLease extends LeaseCpu {
  readonly units: number;
  readonly unitsRunning: number;
}

/** Turns what meters and the system tell into samples. */
export class Sampler {
  readonly #context: SamplerContext;
  #last: number;
  #cpu = new Map<number, number>();
  #audited = 0;
  #missed = 0;

  constructor(context: SamplerContext) {
    this.#context = context;
    this.#last = context.now();
  }

  /**
   * What was measured since the last sample.
   *
   * @throws PowerError if the meter does not answer; what it missed is in the next sample.
   */
  async next(): Promise<MachineSample> {
    const { meter, usage, leases, auditSeconds, harvesting, renewable, now } = this.#context;
    const { load, busySeconds } = usage();
    // If the meter fails, the CPU time of this sample still counts when the energy comes with the next one.
    this.#missed += busySeconds;
    const reading = await meter.read();
    const at = now();
    const seconds = Math.max(0, (at - this.#last) / 1000);
    this.#last = at;
    const all = leases();
    const used = all.map(({ leaseId, cpuSeconds }) => ({
      leaseId,
      cpuSeconds: Math.max(0, cpuSeconds - (this.#cpu.get(leaseId) ?? 0)),
    }));
    this.#cpu = new Map(all.map(({ leaseId, cpuSeconds }) => [leaseId, cpuSeconds]));
    const unitsRunning = all.reduce((sum, lease) => sum + lease.unitsRunning, 0);
    const busy = this.#missed;
    this.#missed = 0;
    const audited = auditSeconds();
    // No lease has this id.
    const others = { leaseId: 0, cpuSeconds: audited - this.#audited };
    this.#audited = audited;
    const parts = attribute(reading.joules, [...used, others], busy);
    const shares = new Map(parts.map(({ leaseId, joules }) => [leaseId, joules]));
    return {
      seconds,
      load,
      joules: reading.joules,
      renewableJoules: reading.joules * renewable,
      method: reading.method,
      idleUnitSeconds: harvesting() ? unitsRunning * seconds : 0,
      auditJoules: shares.get(0) ?? 0,
      leases: all.map(({ leaseId }) => ({ leaseId, joules: shares.get(leaseId) ?? 0 })),
    };
  }
}
