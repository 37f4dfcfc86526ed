import type { Previous } from "./previous.ts";

/** What was sampled of a process over its life: real seconds, and an amount. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Something that is to hold, what was found, and whether it held. */
export interface Finding {
  readonly goal: string;
  readonly found: string;
  readonly met: boolean;
}

/** What may grow: by so much of itself, and by so much beside, in the units of the samples. */
export interface Allowance {
  readonly share: number;
  readonly beside: number;
}

/** The median. O(n log n). */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** What quarters of a series hold against each other, and what the last may be. */
export interface Trend {
  readonly second: number;
  readonly last: number;
  readonly most: number;
}

/** Points with which a quarter says something, and with which a life does. */
const ENOUGH = 5;
export const ENOUGH_SAMPLES = 4 * ENOUGH;

/**
 * The medians of the second and of the last quarter of a series: the first is that of its beginning, in which caches fill and code is
 * compiled. Undefined for a series that is too short to say anything. Pure; O(n log n).
 */
export function trendOf(points: readonly Point[], { share, beside }: Allowance): Trend | undefined {
  const quarter = Math.floor(points.length / 4);
  if (quarter < ENOUGH) return undefined;
  const of = (from: number, to: number): number => median(points.slice(from, to).map(({ value }) => value));
  const second = of(quarter, 2 * quarter);
  const last = of(points.length - quarter, points.length);
  return { second, last, most: second * (1 + share) + beside };
}

/** What processes take, and what of it must stay flat. */
export type Resource = "memory" | "files" | "disk";

/**
 * What each may grow by from the second quarter of a run to the last: MiB, open files, MiB. V8 lets a heap grow until it is worth its while to
 * collect: that, and no more, is what memory has beside its share.
 */
const FLAT: Readonly<Record<Resource, Allowance & { readonly unit: string }>> = {
  memory: { share: 0.2, beside: 64, unit: "MiB" },
  files: { share: 0.1, beside: 8, unit: "" },
  disk: { share: 0.2, beside: 8, unit: "MiB" },
};

/** A process that ran all the while, or from a restart on, and what it took. */
export interface Watched {
  readonly process: string;
  readonly resource: Resource;
  readonly points: readonly Point[];
}

/** Whether what processes take has stayed flat. Pure; O(samples × log samples). */
export function judgeFlatness(watched: readonly Watched[]): Finding[] {
  return watched.flatMap(({ process, resource, points }) => {
    const allowance = FLAT[resource];
    const trend = trendOf(points, allowance);
    if (!trend) return [];
    const show = (value: number): string =>
      `${value.toFixed(value < 10 ? 1 : 0)}${allowance.unit && ` ${allowance.unit}`}`;
    return [
      {
        goal: `${resource} of ${process} is flat: in the last quarter at most ${show(trend.most)}`,
        found: `${show(trend.second)} in the second quarter, ${show(trend.last)} in the last`,
        met: trend.last <= trend.most,
      },
    ];
  });
}

/**
 * Whether the memory of each of these processes is judged at all: a life with too few samples says nothing, and one that restarts often has
 * no other. Pure; O(processes × lives).
 */
export function judgeLives(watched: readonly Watched[], processes: readonly string[]): Finding {
  const longest = (process: string, resource: Resource): number =>
    Math.max(
      0,
      ...watched
        .filter((life) => life.process === process && life.resource === resource)
        .map(({ points }) => points.length),
    );
  const least = ENOUGH_SAMPLES;
  const short = processes.filter((process) => longest(process, "memory") < least);
  const disk = processes.filter((process) => longest(process, "disk") < least);
  const found = short.map((process) => `${process} has ${String(longest(process, "memory"))}`).join(", ") || "all have";
  return {
    goal: `each agent and keeper has a life long enough to judge, of ${String(least)} samples of its memory`,
    found: `${found}${disk.length > 0 ? `; of files on disk too few: ${disk.join(", ")}` : ""}`,
    met: short.length === 0,
  };
}

/** How agents came to today's version. */
export interface Upgrade {
  /** The commit that they began as of; or why there is none. */
  readonly from: Previous;
  /** Whether they were to begin as of another version at all. */
  readonly isWanted: boolean;
  /** Agents that were ended and started again with what they had stored. */
  readonly upgraded: number;
  readonly agents: number;
}

/** Whether every agent was upgraded from another version; if none was wanted, whether each was restarted. Pure. */
export function judgeUpgrade({ from, isWanted, upgraded, agents }: Upgrade): Finding {
  const found = `${String(upgraded)} of ${String(agents)}`;
  if (!isWanted) return { goal: "agents restarted, not upgraded (--no-upgrade)", found, met: upgraded === agents };
  if ("reason" in from) {
    return {
      goal: "agents upgraded from the version before",
      found: `none is upgraded, ${found} restarted: ${from.reason}`,
      met: false,
    };
  }
  return { goal: `agents upgraded from ${from.commit.slice(0, 12)}`, found, met: upgraded === agents };
}

/** Ledger totals of a deployment, wei. */
export interface LedgerTotals {
  readonly name: string;
  /** VER that its vault holds, and what it says it owes. */
  readonly balance: bigint;
  readonly escrow: bigint;
  readonly stake: bigint;
  readonly claimable: bigint;
  readonly pool: bigint;
  /** Prepaid reports that are left, of the claims. */
  readonly prepaid: bigint;
}

/** Whether at the end, when everybody has taken what is theirs, a vault holds its pool and prepaid reports alone. Pure. */
export function judgeTotals({ name, balance, escrow, stake, claimable, pool, prepaid }: LedgerTotals): Finding[] {
  return [
    {
      goal: `the vault of ${name} holds what it owes, to the wei`,
      found: `${String(balance)} wei; escrow, stake, claims and pool add up to ${String(escrow + stake + claimable + pool)}`,
      met: balance === escrow + stake + claimable + pool,
    },
    {
      goal: `when all is claimed nothing but pool and prepaid reports is left in the vault of ${name}`,
      found: `${String(balance - pool - prepaid)} wei beside them`,
      met: balance === pool + prepaid,
    },
  ];
}

/** What became of the work of a run. */
export interface Work {
  readonly tasks: number;
  readonly units: number;
  readonly paid: number;
  readonly refunded: number;
  /** Units that are neither. */
  readonly lost: number;
  /** What contradicts itself on the chain, such as a unit that two leases were paid for. */
  readonly violations: readonly string[];
}

/** Whether every unit was paid once or given back. Pure. */
export function judgeWork({ tasks, units, paid, refunded, lost, violations }: Work): Finding[] {
  return [
    {
      goal: "no unit is lost: each is paid or given back",
      found: `${String(units)} units of ${String(tasks)} tasks: ${String(paid)} paid, ${String(refunded)} given back, ${String(lost)} lost`,
      met: lost === 0 && paid + refunded === units,
    },
    {
      goal: "no unit is paid twice, no fence goes back, no node is overbooked, ledgers add up",
      found: violations.length === 0 ? "nothing contradicts itself" : violations.slice(0, 5).join("; "),
      met: violations.length === 0,
    },
  ];
}

/** At least so much of something, or at most. Pure. */
export function judgeBound(
  goal: string,
  value: number,
  bound: { readonly least: number } | { readonly most: number },
): Finding {
  const met = "least" in bound ? value >= bound.least : value <= bound.most;
  const limit = "least" in bound ? `at least ${String(bound.least)}` : `at most ${String(bound.most)}`;
  return { goal: `${goal}: ${limit}`, found: String(value), met };
}

/** That a list of what is wrong is empty. Pure. */
export function judgeNone(goal: string, wrong: readonly string[]): Finding {
  return { goal, found: wrong.length === 0 ? "none" : wrong.slice(0, 8).join("; "), met: wrong.length === 0 };
}
