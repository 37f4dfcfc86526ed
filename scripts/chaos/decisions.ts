import { MOVE_CAUSES } from "@verai/client/enums";
import { readReportStates } from "@verai/client/telemetry";
import { boundsOf, type Conditions, POWER, rolesOf } from "./conditions.ts";
import type { World } from "./world.ts";

/** Steps before a step whose conditions its reports may still cover: a report's period, and a fault that holds it up. */
const REPORT_STEPS = 8;
/** Share by which a reported load may be off: ticks are whole. */
const LOAD_TOLERANCE = 0.02;
/** Factor by which a reported power may be off: the meters move at other moments than they are read. */
const POWER_TOLERANCE = 1.6;

/** The step of a row: row 0 is what the meters showed before the first step. */
const stepOf = (row: number): string => (row <= 0 ? "the start" : `step ${String(row - 1)}`);

/** A move of work as it is on chain. Rows are those of the conditions; see {@link Decisions}. */
export interface MadeMove {
  readonly row: number;
  readonly from: number;
  readonly units: number;
  readonly cause: (typeof MOVE_CAUSES)[number];
  /** First row that the source's reports may show. */
  readonly fromSince: number;
}

/** Units that move, as the chain gave them to an agent. */
export interface MadeDraw {
  readonly row: number;
  readonly to: number;
  readonly units: number;
  readonly cause: (typeof MOVE_CAUSES)[number];
  /** First row that the taker's reports may show. */
  readonly toSince: number;
}

/**
 * Whether a move follows from what the seed decided: its source was to give, or to be relieved for its power, in a step that
 * its reports may show. Pure.
 *
 * @returns What is wrong with it; undefined if nothing is.
 */
export function refuteMove(move: MadeMove, conditions: readonly Conditions[][], margin: number): string | undefined {
  const { row, from, cause, fromSince } = move;
  const gives = rolesSince(conditions, fromSince, row, margin).some(({ give, throttled }) =>
    (cause === "load" ? give : throttled).includes(from),
  );
  if (gives) return undefined;
  return `work leaves agent ${String(from)} for its ${cause}, but since ${stepOf(fromSince)} it was not to give any`;
}

/**
 * Whether a draw follows from what the seed decided: an overloaded agent's units go to one that was to take, a throttled one's
 * to none that was to give all the while. The chain asks for less distance from the average than keepers do. Pure.
 *
 * @returns What is wrong with it; undefined if nothing is.
 */
export function refuteDraw(draw: MadeDraw, conditions: readonly Conditions[][], margin: number): string | undefined {
  const { row, to, cause, toSince } = draw;
  const roles = rolesSince(conditions, toSince, row, margin / 2);
  const takes =
    cause === "load" ? roles.some(({ take }) => take.includes(to)) : roles.some(({ give }) => !give.includes(to));
  if (takes) return undefined;
  return `agent ${String(to)} is drawn for work that moves for its ${cause}, but since ${stepOf(toSince)} it was not to take any`;
}

function rolesSince(conditions: readonly Conditions[][], since: number, row: number, margin: number) {
  return conditions.slice(Math.max(0, since), row + 1).map((each) => rolesOf(each, margin));
}

/** A report as the chain has it. */
export interface MadeReport {
  readonly agent: number;
  /** First and last row that it may show. */
  readonly since: number;
  readonly row: number;
  /** From 0 to 1. */
  readonly load: number;
  readonly watts: number;
}

/** Whether a report shows what the seed decided. Pure. @returns What is wrong with it; undefined if nothing is. */
export function refuteReport(report: MadeReport, conditions: readonly Conditions[][]): string | undefined {
  const { agent, since, row, load, watts } = report;
  const bounds = boundsOf(conditions, agent, since, row);
  const words = `from ${stepOf(since)} to ${stepOf(row)} agent ${String(agent)}`;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const [low, high] = bounds.load;
  if (load < low - LOAD_TOLERANCE || load > high + LOAD_TOLERANCE) {
    return `${words} reports a load of ${percent(load)}, and was given ${percent(low)} to ${percent(high)}`;
  }
  const most = Math.min(bounds.watts[1] * POWER_TOLERANCE, POWER.max);
  if (watts > most) return `${words} reports ${String(watts)} W, and was given ${String(bounds.watts[1])} W at most`;
  return undefined;
}

/** Holds every report and every move of a run against what its seed decided. */
export class Decisions {
  readonly #world: World;
  readonly #conditions: readonly Conditions[][];
  readonly #margin: number;
  #row = 0;
  #block: number | undefined;
  /** Agents by node id. */
  readonly #agents = new Map<number, number>();
  /** Why leases moved, or move. */
  readonly #causes = new Map<number, (typeof MOVE_CAUSES)[number]>();
  /** Of each node: its last report's sequence, and the first row that its next report may show. */
  readonly #reports = new Map<number, { sequence: number; since: number; before: number }>();
  /** Moves that were made, in words, and how many reports were looked at. */
  readonly made: string[] = [];
  reports = 0;

  /**
   * @param before What the meters showed before the first step.
   * @param conditions What they show in each step.
   */
  constructor(world: World, before: readonly Conditions[], conditions: readonly Conditions[][], margin: number) {
    this.#world = world;
    this.#conditions = [[...before], ...conditions];
    this.#margin = margin;
  }

  /** A step begins. */
  async begin(step: number): Promise<void> {
    this.#row = step + 1;
    this.#block ??= (await this.#world.session.reader.block()).number;
  }

  /** Looks at what was reported and moved since the last look. @returns What does not follow from the seed. */
  async look(say: (text: string) => void): Promise<string[]> {
    const { reader } = this.#world.session;
    const block = await reader.block();
    for (const { id, operator } of await reader.nodes(block)) {
      const agent = this.#agents.has(id) ? undefined : await this.#world.agentOf(operator);
      if (agent !== undefined) this.#agents.set(id, agent);
    }
    const wrong = [...(await this.#lookAtMoves(block.number, say))];
    for (const { nodeId, sequence, load, watts } of await readReportStates(reader, block)) {
      const agent = this.#agents.get(nodeId);
      const last = this.#reports.get(nodeId);
      if (agent === undefined || sequence === 0 || last?.sequence === sequence) continue;
      // All that was measured since the report before; the first one's beginning is before the first step.
      const since = last?.since ?? 0;
      this.#reports.set(nodeId, { sequence, since: this.#row - REPORT_STEPS, before: since });
      this.reports += 1;
      const report = { agent, since, row: this.#row, load: load / 10_000, watts };
      const refuted = refuteReport(report, this.#conditions);
      if (refuted !== undefined) wrong.push(refuted);
    }
    return wrong;
  }

  async #lookAtMoves(to: number, say: (text: string) => void): Promise<string[]> {
    const { contracts } = this.#world.session;
    const from = this.#block ?? to;
    this.#block = to + 1;
    if (from > to) return [];
    const wrong: string[] = [];
    const note = (words: string, refuted: string | undefined) => {
      this.made.push(`${stepOf(this.#row)}: ${words}`);
      say(`${stepOf(this.#row)}: ${words}`);
      if (refuted !== undefined) wrong.push(refuted);
    };
    for (const { args } of await contracts.balancer.queryFilter(contracts.balancer.filters.Moved(), from, to)) {
      const source = Number(args.fromNode);
      const cause = MOVE_CAUSES[Number(args.cause)] ?? "load";
      this.#causes.set(Number(args.leaseId), cause);
      const move = {
        row: this.#row,
        from: this.#agents.get(source) ?? -1,
        units: Number(args.units),
        cause,
        fromSince: this.#reports.get(source)?.before ?? 0,
      } as const;
      const words = `agent ${String(move.from)} gives ${String(move.units)} units (${cause})`;
      note(words, refuteMove(move, this.#conditions, this.#margin));
    }
    const { reassignment } = contracts;
    for (const { args } of await reassignment.queryFilter(reassignment.filters.RangeDrawn(), from, to)) {
      // Ranges of failed leases are drawn for as well.
      const cause = this.#causes.get(Number(args.orphanId));
      if (cause === undefined) continue;
      const taker = Number(args.nodeId);
      const draw = {
        row: this.#row,
        to: this.#agents.get(taker) ?? -1,
        units: Number(args.count),
        cause,
        toSince: this.#reports.get(taker)?.before ?? 0,
      } as const;
      const words = `agent ${String(draw.to)} is drawn for ${String(draw.units)} units (${cause})`;
      note(words, refuteDraw(draw, this.#conditions, this.#margin));
    }
    return wrong;
  }
}
