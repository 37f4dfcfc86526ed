import { z } from "zod";

import { type EnergyReport, MAX_SHARES } from "@verai/client/energy-report";
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
  /** The leases that run, or ran since the sample before. */
  readonly leases: readonly SampledLease[];
}

/** A lease's part of a sample. */
export interface SampledLease {
  readonly leaseId: number;
  readonly joules: number;
}

const count = z.number().nonnegative();
const period = z.object({
  seconds: count,
  joules: count,
  renewableJoules: count,
  idleUnitSeconds: count,
  method: z.enum(ENERGY_METHODS),
  leases: z.record(z.string(), z.object({ seconds: count, joules: count })),
});
type Period = z.output<typeof period>;
const journalFile = z.object({
  open: period,
  /** What a report on its way to the chain tells, and until when the chain knew the node's energy before it. */
  sent: z.object({ period, coveredUntil: count }).nullable(),
});
type JournalFile = z.output<typeof journalFile>;
const JOURNAL = { what: "report journal", version: 2, schema: journalFile } satisfies StateKind<typeof journalFile>;

const EMPTY: Period = { seconds: 0, joules: 0, renewableJoules: 0, idleUnitSeconds: 0, method: "none", leases: {} };

/**
 * The energy that a node has measured and that the chain does not know yet. On disk after every change, so that an agent
 * that is killed loses what came after the last sample, and reports nothing twice.
 */
export class ReportJournal {
  readonly #file: string;
  #state: JournalFile;

  private constructor(file: string, state: JournalFile) {
    this.#file = file;
    this.#state = state;
  }

  /** Opens a journal; a new one where there is none, or one that is damaged. */
  static async open(file: string, log?: StateLog): Promise<ReportJournal> {
    const state = (await loadState(file, JOURNAL, log)) ?? { open: EMPTY, sent: null };
    return new ReportJournal(file, state);
  }

  /** Seconds that were measured and are in no report yet. */
  get openSeconds(): number {
    return this.#state.open.seconds;
  }

  /** Leases that have energy in no report yet. */
  get openLeases(): readonly number[] {
    return Object.keys(this.#state.open.leases).map(Number);
  }

  /** Until when the chain knew the node's energy before the report that is on its way; undefined if none is. */
  get sentAfter(): number | undefined {
    return this.#state.sent?.coveredUntil;
  }

  /** Adds what was measured; also where it cannot be written down, which is thrown. */
  async add(sample: Sample): Promise<void> {
    const leases = sample.leases.map(
      ({ leaseId, joules }) => [String(leaseId), { seconds: sample.seconds, joules }] as const,
    );
    const open = merged(this.#state.open, { ...sample, leases: Object.fromEntries(leases) });
    this.#state = { ...this.#state, open };
    await this.#save(this.#state);
  }

  /** A report on what was measured so far, in whole seconds and joules. */
  draft(about: { nodeId: number; version: number }): EnergyReport {
    const { seconds, joules, renewableJoules, idleUnitSeconds, method, leases } = this.#state.open;
    // Those with the most energy, if there are too many; on chain they stand in ascending order.
    const shares = Object.entries(leases)
      .map(([id, share]) => ({
        leaseId: Number(id),
        seconds: Math.floor(share.seconds),
        joules: Math.floor(share.joules),
      }))
      .sort((a, b) => b.joules - a.joules)
      .slice(0, MAX_SHARES)
      .sort((a, b) => a.leaseId - b.leaseId);
    return {
      nodeId: about.nodeId,
      period: Math.floor(seconds),
      joules: Math.floor(joules),
      renewableJoules: Math.min(Math.floor(joules), Math.floor(renewableJoules)),
      method: numberOf(ENERGY_METHODS, method === "none" ? "estimated" : method),
      version: about.version,
      idleUnitSeconds: Math.floor(idleUnitSeconds),
      shares,
    };
  }

  /**
   * Notes that all that is open is on its way to the chain.
   *
   * @param coveredUntil Until when the chain knows the node's energy now.
   */
  async send(coveredUntil: number): Promise<void> {
    await this.#save({ open: EMPTY, sent: { period: this.#state.open, coveredUntil } });
  }

  /** Lets go of what was on its way if the chain has it; else it is open again. */
  async settle(isTaken: boolean): Promise<void> {
    const { open, sent } = this.#state;
    if (sent) await this.#save({ open: isTaken ? open : merged(sent.period, open), sent: null });
  }

  async #save(state: JournalFile): Promise<void> {
    await saveState(this.#file, JOURNAL, state);
    this.#state = state;
  }
}

function merged(one: Period, other: Omit<Period, "load">): Period {
  const leases = { ...one.leases };
  for (const [id, { seconds, joules }] of Object.entries(other.leases)) {
    const before = leases[id] ?? { seconds: 0, joules: 0 };
    leases[id] = { seconds: before.seconds + seconds, joules: before.joules + joules };
  }
  // Of different methods the least trustworthy one counts, which is the last of the list.
  const place = Math.max(numberOf(ENERGY_METHODS, one.method), numberOf(ENERGY_METHODS, other.method));
  return {
    seconds: one.seconds + other.seconds,
    joules: one.joules + other.joules,
    renewableJoules: one.renewableJoules + other.renewableJoules,
    idleUnitSeconds: one.idleUnitSeconds + other.idleUnitSeconds,
    method: ENERGY_METHODS[place] ?? "estimated",
    leases,
  };
}
