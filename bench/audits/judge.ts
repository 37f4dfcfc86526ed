import { KINDS, LAZY, WANTED } from "./campaign.ts";
import type { ArenaResult, Counts, RunResult } from "./scenario.ts";

/** How far what was counted may be from what was predicted. */
const TOLERANCE = 0.01;
/** Number of segments in a row for which it is compared how often a cheat was caught. */
const ROWS = [1, 5, 10, 20, 64] as const;

/** How often cheats were caught within so many segments. */
export interface Row {
  readonly segments: number;
  /** Share of runs in which one of the first `segments` was found wrong, and 1 − Π(1 − q) over their chances. */
  readonly counted: number;
  readonly predicted: number;
  /** Standard error of `counted` by chance. */
  readonly error: number;
}

/** A scenario's arenas together. */
export interface Cell {
  readonly name: string;
  readonly arenas: number;
  readonly segments: number;
  readonly decided: number;
  readonly drawn: number;
  readonly caught: number;
  /** Mean chance of a segment. */
  readonly chance: number;
  /** Share of the segments that was caught: of runs, the first row; here of all segments. */
  readonly rate: number;
  readonly runs: number;
  readonly rows: readonly Row[];
  /** Mean gain of a producer, VER; of a lazy verifier, of each of its audits. */
  readonly gain: number;
  readonly audits: Readonly<Record<string, number>>;
  readonly panels: number;
  readonly panelRounds: number;
  readonly refusedOpenings: number;
  readonly stalled: number;
  readonly unpaid: number;
  readonly longestAudit: number;
  readonly wronged: number;
  readonly wrongedByOutage: number;
  readonly away: number;
  readonly transactions: number;
  readonly counts: Counts;
}

/** What a run has shown, and what it should have. */
export interface Goal {
  readonly what: string;
  readonly met: boolean;
}

/** Puts the arenas of each scenario together. */
export function cellsOf(results: readonly ArenaResult[]): Cell[] {
  const names = [...new Set(results.map(({ scenario }) => scenario.name))];
  return names.map((name) =>
    cellOf(
      name,
      results.filter(({ scenario }) => scenario.name === name),
    ),
  );
}

function cellOf(name: string, arenas: readonly ArenaResult[]): Cell {
  const total = (of: (result: ArenaResult) => number): number => arenas.reduce((sum, result) => sum + of(result), 0);
  const audits: Record<string, number> = {};
  for (const result of arenas) {
    for (const [status, count] of Object.entries(result.audits)) audits[status] = (audits[status] ?? 0) + count;
  }
  const counts = (of: keyof Counts): number => total((result) => result.counts[of]);
  const decided = total((result) => result.decided);
  const caught = total((result) => result.caught);
  const runs = arenas.flatMap((result) => result.runs);
  const lazy = arenas[0]?.scenario.lazy === true;
  const lost =
    total((result) => result.verifiersLost) /
    Math.max(
      1,
      total((result) => result.lazyAudits),
    );
  const gains = arenas.flatMap((result) => result.gains);
  // Audits that were left alone since their lease was found wrong by another count as caught: the contract has drawn them.
  const found = caught + (audits["moot"] ?? 0);
  return {
    ...{ name, arenas: arenas.length, segments: total((result) => result.segments), decided, caught, audits },
    drawn: total((result) => result.drawn),
    chance: total((result) => result.expected) / Math.max(1, decided),
    rate: found / Math.max(1, decided),
    runs: runs.length,
    rows: ROWS.filter((count) => count <= (arenas[0]?.scenario.segments ?? 0)).map((count) => rowOf(count, runs)),
    gain: lazy ? -lost : gains.reduce((sum, gain) => sum + gain, 0) / Math.max(1, gains.length),
    panels: total((result) => result.panels),
    panelRounds: total((result) => result.panelRounds),
    refusedOpenings: total((result) => result.refusedOpenings),
    stalled: total((result) => result.stalled),
    unpaid: total((result) => result.unpaid),
    longestAudit: Math.max(0, ...arenas.map((result) => result.longestAudit)),
    wronged: total((result) => result.wronged),
    wrongedByOutage: total((result) => result.wrongedByOutage),
    away: total((result) => result.away),
    transactions: total((result) => result.transactions),
    counts: {
      ...{ kills: counts("kills"), outages: counts("outages"), drains: counts("drains"), moves: counts("moves") },
      ...{ reorganisations: counts("reorganisations"), withheld: counts("withheld") },
    },
  };
}

/**
 * How often runs were caught within their first segments. A run that ended since it was caught would have gone on with the
 * chance that it had last.
 */
export function rowOf(segments: number, runs: readonly RunResult[]): Row {
  const predictions = runs.map(({ chances }) => {
    const last = chances.at(-1) ?? 0;
    let missed = 1;
    for (let i = 0; i < segments; i++) missed *= 1 - (chances[i] ?? last);
    return 1 - missed;
  });
  const count = Math.max(1, runs.length);
  const predicted = predictions.reduce((sum, chance) => sum + chance, 0) / count;
  const counted = runs.filter(({ caughtAt }) => caughtAt !== undefined && caughtAt <= segments).length / count;
  return { segments, counted, predicted, error: Math.sqrt((predicted * (1 - predicted)) / count) };
}

/** Runs of new nodes of all kinds together, so that chance is smaller. */
export function pooled(cells: readonly Cell[]): Row[] {
  const some = cells.filter(({ name }) => name.endsWith(", new"));
  const runs = some.reduce((sum, cell) => sum + cell.runs, 0);
  const first = some[0]?.rows ?? [];
  return first.map(({ segments }, i) => {
    const mean = (of: (row: Row) => number): number =>
      some.reduce(
        (sum, cell) => sum + cell.runs * of(cell.rows[i] ?? { segments, counted: 0, predicted: 0, error: 0 }),
        0,
      ) / Math.max(1, runs);
    const [counted, predicted] = [mean((row) => row.counted), mean((row) => row.predicted)];
    return { segments, counted, predicted, error: Math.sqrt((predicted * (1 - predicted)) / Math.max(1, runs)) };
  });
}

/** All goals. @param whole Whether the run was large enough for {@link TOLERANCE}; else chance is allowed for. */
export function goalsOf(cells: readonly Cell[], best: { convicted: number; refusing: number }, whole: boolean): Goal[] {
  const goals: Goal[] = [];
  const goal = (what: string, met: boolean): void => void goals.push({ what, met });
  const honest = cells.find(({ name }) => name === "honest");
  for (const kind of KINDS) {
    for (const cell of cells.filter(({ name }) => name === `${kind}, new` || name === `${kind}, proven`)) {
      if (whole && cell.name.endsWith("new"))
        goal(`${cell.name}: at least ${String(WANTED.cheated)} segments`, cell.decided >= WANTED.cheated);
      const error = Math.sqrt((cell.chance * (1 - cell.chance)) / Math.max(1, cell.decided));
      const allowed = TOLERANCE + (whole ? 0 : 3 * error);
      goal(`${cell.name}: a segment is caught as often as it is drawn`, Math.abs(cell.rate - cell.chance) <= allowed);
      const row = cell.rows.at(-1);
      // Of an odd 200 runs of a proven node no share is as sure as a point; a new node's cheats are caught in nearly all.
      const slack = whole && cell.name.endsWith("new") ? 0 : 3 * (row?.error ?? 0);
      const close = row !== undefined && Math.abs(row.counted - row.predicted) <= TOLERANCE + slack;
      goal(`${cell.name}: caught within ${String(row?.segments)} segments as often as predicted`, close);
    }
    for (const cell of cells.filter(({ name }) => name.startsWith(`${kind},`))) {
      goal(`${cell.name}: it is a loss`, cell.gain < 0);
    }
  }
  for (const cell of cells.filter(({ name }) => name === "honest" || name.startsWith(LAZY))) {
    goal(`${cell.name}: no honest node found wrong`, cell.wronged === 0);
    goal(`${cell.name}: no lease held up, none unpaid`, cell.stalled === 0 && cell.unpaid === 0);
  }
  for (const { segments, counted, predicted, error } of pooled(cells)) {
    const close = Math.abs(counted - predicted) <= TOLERANCE + 3 * error;
    goal(`all kinds, new: caught within ${String(segments)} segments as often as predicted`, close);
  }
  if (whole) goal(`honest: at least ${String(WANTED.honest)} segments`, (honest?.decided ?? 0) >= WANTED.honest);
  goal("at every price and cut a cheat that is convicted expects a loss", best.convicted < 0);
  goal("at every price and cut a cheat that opens nothing expects no gain", best.refusing <= 0);
  return goals;
}
