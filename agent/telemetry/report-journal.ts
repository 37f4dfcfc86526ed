import { z } from "zod";

import type { Report, SignedReport } from "@verai/client/report";
import { MAX_SHARES } from "@verai/client/report";
import { ENERGY_METHODS, type EnergyMethod, numberOf } from "@verai/client/enums";
import { loadState, saveState, type StateKind, type StateLog } from "@verai/system/state-file";

/** What was measured since the sample before. */
export interface Sample {
  readonly seconds: number;
  /** Share of the machine in use, from 0 to 1. */
  readonly load: number;
  readonly joules: number;
  readonly renewableJoules: number;
  readonly method: EnergyMethod;
  readonly idleUnitSeconds: number;
  readonly leases: readonly SampledLease[];
}

/** A lease's part of a sample. */
export interface SampledLease {
  readonly leaseId: number;
  /** Units that it has. */
  readonly units: number;
  readonly joules: number;
}

/** A signed report that the chain does not have yet. */
export interface Pending {
  readonly signed: SignedReport;
  /** When its period ended, chain time in seconds. */
  readonly closedAt: number;
}

/** Reports that are kept while nobody posts them; what is older is given up, beginning with the oldest. */
const MOST_PENDING = 8;

const count = z.number().nonnegative();
const openPeriod = z.object({
  seconds: count,
  loadSeconds: count,
  joules: count,
  renewableJoules: count,
  idleUnitSeconds: count,
  method: z.enum(ENERGY_METHODS),
  leases: z.record(z.string(), z.object({ units: count, joules: count })),
});
const report = z.object({
  nodeId: count,
  sequence: count,
  period: count,
  load: count,
  latency: count,
  joules: count,
  renewableJoules: count,
  method: count,
  version: count,
  idleUnitSeconds: count,
  shares: z.array(z.object({ leaseId: count, joules: count })),
});
const journalFile = z.object({
  sequence: count,
  open: openPeriod,
  pending: z.array(z.object({ signed: z.object({ report, signature: z.string() }), closedAt: count })),
});
type JournalFile = z.output<typeof journalFile>;
const JOURNAL = { what: "report journal", version: 1, schema: journalFile } satisfies StateKind<typeof journalFile>;
type OpenLeases = JournalFile["open"]["leases"];

const EMPTY: z.output<typeof openPeriod> = {
  seconds: 0,
  loadSeconds: 0,
  joules: 0,
  renewableJoules: 0,
  idleUnitSeconds: 0,
  method: "none",
  leases: {},
};

/**
 * What a node has measured and not yet reported, and the reports that the chain does not have yet. On disk after every
 * change, so that an agent that is killed loses what came after the last sample, and never uses a sequence twice.
 */
export class ReportJournal {
  readonly #file: string;
  #state: JournalFile;
  /** What is open is only what the last report left over. */
  #isRest = false;

  private constructor(file: string, state: JournalFile) {
    this.#file = file;
    this.#state = state;
  }

  /** Opens a book; a new one where there is none, or one that is damaged (it then goes on from the chain's sequence). */
  static async open(file: string, log?: StateLog): Promise<ReportJournal> {
    const state = (await loadState(file, JOURNAL, log)) ?? { sequence: 0, open: EMPTY, pending: [] };
    return new ReportJournal(file, state);
  }

  /** Seconds that were measured and are in no report yet. */
  get openSeconds(): number {
    return this.#state.open.seconds;
  }

  /** Reports that the chain does not have yet, oldest first. */
  get pending(): readonly Pending[] {
    return this.#state.pending;
  }

  /** Adds what was measured; also where it cannot be written down, which is thrown. */
  async add(sample: Sample): Promise<void> {
    let { open } = this.#state;
    // Less than an estimated joule of the period before is forgotten: it would make an estimate of what is measured.
    const measured = numberOf(ENERGY_METHODS, sample.method) < numberOf(ENERGY_METHODS, open.method);
    if (this.#isRest && measured) open = { ...open, joules: 0, renewableJoules: 0, method: "none" };
    this.#isRest = false;
    const leases = { ...open.leases };
    for (const { leaseId, units, joules } of sample.leases) {
      leases[leaseId] = { units, joules: (leases[leaseId]?.joules ?? 0) + joules };
    }
    // Of different methods the least trustworthy one counts, which is the last of the list.
    const method =
      ENERGY_METHODS[Math.max(numberOf(ENERGY_METHODS, open.method), numberOf(ENERGY_METHODS, sample.method))];
    this.#state = {
      ...this.#state,
      open: {
        seconds: open.seconds + sample.seconds,
        loadSeconds: open.loadSeconds + sample.load * sample.seconds,
        joules: open.joules + sample.joules,
        renewableJoules: open.renewableJoules + sample.renewableJoules,
        idleUnitSeconds: open.idleUnitSeconds + sample.idleUnitSeconds,
        method: method ?? "estimated",
        leases,
      },
    };
    await this.#save(this.#state);
  }

  /**
   * The report on what was measured so far, under the next sequence. Fractions stay for the next one.
   *
   * @param onChain Sequence of the node's last report on chain.
   */
  draft(about: { nodeId: number; capacity: number; onChain: number; latency: number; version: number }): Report {
    const { open, sequence } = this.#state;
    const period = Math.floor(open.seconds);
    const joules = Math.floor(open.joules);
    // Those with the most energy, if there are too many; on chain they stand in ascending order.
    const leases = Object.entries(open.leases)
      .map(([leaseId, { units, joules: energy }]) => ({ leaseId: Number(leaseId), units, joules: Math.floor(energy) }))
      .sort((a, b) => b.joules - a.joules)
      .slice(0, MAX_SHARES)
      .sort((a, b) => a.leaseId - b.leaseId);
    const units = leases.reduce((sum, lease) => sum + lease.units, 0);
    return {
      nodeId: about.nodeId,
      sequence: Math.max(sequence, about.onChain) + 1,
      period,
      load: Math.min(10_000, Math.round((open.loadSeconds / Math.max(open.seconds, 1e-9)) * 10_000)),
      latency: Math.min(65_535, Math.round(about.latency)),
      joules,
      renewableJoules: Math.min(joules, Math.floor(open.renewableJoules)),
      method: numberOf(ENERGY_METHODS, open.method === "none" ? "estimated" : open.method),
      version: about.version,
      // What the leases named here have units for.
      idleUnitSeconds: Math.min(Math.floor(open.idleUnitSeconds), Math.min(units, about.capacity) * period),
      shares: leases.map((lease) => ({ leaseId: lease.leaseId, joules: lease.joules })),
    };
  }

  /**
   * Takes a signed draft in and begins a new period with what the draft left.
   *
   * @param now Chain time, seconds.
   * @returns Reports given up for it.
   */
  async close(signed: SignedReport, now: number): Promise<readonly Pending[]> {
    const { open, pending } = this.#state;
    const { report: taken } = signed;
    const all = [...pending, { signed: { ...signed, report: { ...taken, shares: [...taken.shares] } }, closedAt: now }];
    const left = (whole: number, part: number) => Math.max(0, whole - part);
    const seconds = left(open.seconds, taken.period);
    await this.#save({
      sequence: taken.sequence,
      open: {
        ...EMPTY,
        seconds,
        loadSeconds: open.seconds > 0 ? (open.loadSeconds * seconds) / open.seconds : 0,
        joules: left(open.joules, taken.joules),
        renewableJoules: left(open.renewableJoules, taken.renewableJoules),
        // What no lease has units for is not carried over: it would be somebody else's work.
        idleUnitSeconds: Math.min(left(open.idleUnitSeconds, taken.idleUnitSeconds), 1),
        method: open.method,
        leases: remainders(open.leases, taken),
      },
      pending: all.slice(-MOST_PENDING),
    });
    this.#isRest = true;
    return all.slice(0, -MOST_PENDING);
  }

  /** Lets go of what the chain has, or will never take. */
  async settle(isOver: (report: Report) => boolean): Promise<void> {
    const pending = this.#state.pending.filter(({ signed }) => !isOver(signed.report));
    if (pending.length < this.#state.pending.length) await this.#save({ ...this.#state, pending });
  }

  async #save(state: JournalFile): Promise<void> {
    await saveState(this.#file, JOURNAL, state);
    this.#state = state;
  }
}

function remainders(leases: OpenLeases, { shares }: Report): OpenLeases {
  const taken = new Map(shares.map(({ leaseId, joules }) => [String(leaseId), joules]));
  const rest = Object.entries(leases).map(
    ([id, { units, joules }]) => [id, { units, joules: joules - (taken.get(id) ?? 0) }] as const,
  );
  // Less than a joule of a lease is forgotten, or leases that ended long ago would pile up.
  return Object.fromEntries(rest.filter(([, { joules }]) => joules >= 1));
}
