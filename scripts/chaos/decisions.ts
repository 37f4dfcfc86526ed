import { MOVE_CAUSES } from "@verai/client/words";
import { readStandings } from "@verai/client/telemetry";
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
  readonly to: number;
  readonly units: number;
  readonly cause: (typeof MOVE_CAUSES)[number];
  /** First row that the source's, and the target's, reports may show. */
  readonly fromSince: number;
  readonly toSince: number;
}

/**
 * Whether a move follows from what the seed decided: its source was to give, or to be relieved for its power, and its target
 * was to take, in a step that their reports may show. Pure.
 *
 * @returns What is wrong with it; undefined if nothing is.
 */
export function refuteMove(move: MadeMove, conditions: readonly Conditions[][], margin: number): string | undefined {
  const { row, from, to, cause, fromSince, toSince } = move;
  const rolesSince = (since: number) =>
    conditions.slice(Math.max(0, since), row + 1).map((each) => rolesOf(each, margin));
  const words = `work moves from agent ${String(from)} to agent ${String(to)} for its ${cause}`;
  const gives = rolesSince(fromSince).some(({ give, throttled }) =>
    (cause === "load" ? give : throttled).includes(from),
  );
  if (!gives) return `${words}, but since ${stepOf(fromSince)} agent ${String(from)} was not to give any`;
  const takes = rolesSince(toSince).some(({ take }) => take.includes(to));
  if (!takes) return `${words}, but since ${stepOf(toSince)} agent ${String(to)} was not to take any`;
  return undefined;
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
    this.#block ??= (await this.#world.session.reader.pin()).number;
  }

  /** Looks at what was reported and moved since the last look. @returns What does not follow from the seed. */
  async look(say: (text: string) => void): Promise<string[]> {
    const { reader } = this.#world.session;
    const pin = await reader.pin();
    for (const { id, operator } of await reader.nodes(pin)) {
      const agent = this.#agents.has(id) ? undefined : await this.#world.agentOf(operator);
      if (agent !== undefined) this.#agents.set(id, agent);
    }
    const wrong = [...(await this.#lookAtMoves(pin.number, say))];
    for (const { nodeId, sequence, load, watts } of await readStandings(reader, pin)) {
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
    for (const { args } of await contracts.balancer.queryFilter(contracts.balancer.filters.Moved(), from, to)) {
      const [source, target] = [Number(args.fromNode), Number(args.toNode)];
      const move = {
        row: this.#row,
        from: this.#agents.get(source) ?? -1,
        to: this.#agents.get(target) ?? -1,
        units: Number(args.units),
        cause: MOVE_CAUSES[Number(args.cause)] ?? "load",
        fromSince: this.#reports.get(source)?.before ?? 0,
        toSince: this.#reports.get(target)?.before ?? 0,
      } as const;
      const words = `agent ${String(move.from)} gives ${String(move.units)} units to agent ${String(move.to)} (${move.cause})`;
      this.made.push(`${stepOf(move.row)}: ${words}`);
      say(`${stepOf(move.row)}: ${words}`);
      const refuted = refuteMove(move, this.#conditions, this.#margin);
      if (refuted !== undefined) wrong.push(refuted);
    }
    return wrong;
  }
}
