import { GRAIN, SURPLUS } from "./economy.ts";

/** What one player ended an episode with. */
export interface Account {
  /** VER gained: tokens, what it can claim and stakes that are its own, less what it began with. */
  readonly ver: number;
  /** Gas that it paid for. */
  readonly gas: number;
  /** VER that it spent on computing. */
  readonly compute: number;
  /** What the units delivered to it are worth, less what their lateness costs it. */
  readonly value: number;
}

/** How an episode ended. */
export interface Outcome {
  readonly seed: number;
  /** The player under test. */
  readonly player: Account;
  /** The honest contributor of equal stake and capacity in the same episode. */
  readonly twin: Account;
  /** All others together: nodes, developers, keeper, and who pays the oracle. */
  readonly others: Account;
  /** Mean hours between submission and delivery of honest developers' units; those never delivered count to the end. */
  readonly delay: number;
  /** Honest developers' units that the player computed and delivered. */
  readonly served: number;
  /** Honest developers' units delivered, of those that they wanted. */
  readonly delivered: number;
  readonly wanted: number;
  readonly transactions: number;
  /** VER that the bounty pool gained: fees and slashed stake, less bounties. */
  readonly pool: number;
}

/** What a strategy is held against: the same worlds with the player working honestly, and with it staying away. */
export interface References {
  readonly honest: readonly Outcome[];
  readonly absent: readonly Outcome[];
}

/**
 * What others lose by a strategy, and what it costs its player, against its having worked honestly as much as it does, and
 * having stayed away for the rest. VER an episode.
 */
export interface Harm {
  /** Units that it serves, as a share of those that honest work serves. */
  readonly share: number;
  /** What its player does without; below 0: it gains. */
  readonly cost: number;
  readonly harm: number;
  /** Harm above cost (or above gain: then it is no mere transfer), and what it must exceed to count. */
  readonly excess: number;
  readonly tolerance: number;
}

/** What a strategy comes to. VER an episode. */
export interface Verdict {
  /** Profit, that of the twin in the same episodes, and that of the best honest play in its place. */
  readonly profit: number;
  readonly twin: number;
  readonly honest: number;
  readonly gas: number;
  /** Profit above honest play's, and what it must exceed to count. */
  readonly gain: number;
  readonly tolerance: number;
  readonly harm: Harm;
  /** Hours by which honest developers' units are later than with honest play, and percent of them that never come. */
  readonly delay: number;
  readonly undelivered: number;
  readonly earnsMore: boolean;
  readonly spoils: boolean;
}

/** VER that a player is better off by an episode, gas included. */
export function profitOf({ ver, gas, compute, value }: Account, gasPrice: number): number {
  return ver + value - compute - gas * gasPrice;
}

/**
 * Holds a strategy against honest play, world by world.
 *
 * It earns more than honest work if its profit exceeds that of the best honest play by more than chance (95 %, one-sided,
 * paired by world) and the grain of the market, one unit's margin. It spoils the market if what others lose exceeds what it
 * costs its player by more than chance and one unit's surplus. Both are held against the same share of honest work: a player
 * that serves as many units as an honest one is held against honest work, one that serves none against staying away.
 */
export function judge(outcomes: readonly Outcome[], references: References, gasPrice: number): Verdict {
  const honest = paired(outcomes, references.honest);
  const gains = honest.map(([own, other]) => profitOf(own.player, gasPrice) - profitOf(other.player, gasPrice));
  const gain = mean(gains);
  const tolerance = halfWidth(gains) + GRAIN;
  const harm = harmOf(outcomes, references, gasPrice);
  return {
    profit: mean(outcomes.map(({ player }) => profitOf(player, gasPrice))),
    twin: mean(outcomes.map(({ twin }) => profitOf(twin, gasPrice))),
    honest: mean(references.honest.map(({ player }) => profitOf(player, gasPrice))),
    gas: mean(outcomes.map(({ player }) => player.gas)),
    gain,
    tolerance,
    harm,
    delay: mean(honest.map(([own, other]) => own.delay - other.delay)),
    undelivered: mean(outcomes.map(({ delivered, wanted }) => 100 * (1 - delivered / wanted))),
    earnsMore: gain > tolerance,
    spoils: harm.excess > harm.tolerance,
  };
}

/** How good a strategy is for a player of bad faith: what it earns more, or what it spoils beyond its cost. */
export function fitness({ gain, harm }: Pick<Verdict, "gain" | "harm">): number {
  return Math.max(gain, harm.excess);
}

/** The honest play of most profit, of some that were played in the same worlds. */
export function bestOf(plays: readonly (readonly Outcome[])[], gasPrice: number): readonly Outcome[] {
  const profit = (play: readonly Outcome[]): number => mean(play.map(({ player }) => profitOf(player, gasPrice)));
  const [best] = [...plays].sort((a, b) => profit(b) - profit(a));
  if (!best) throw new Error("no honest play");
  return best;
}

function harmOf(outcomes: readonly Outcome[], { honest, absent }: References, gasPrice: number): Harm {
  const working = mean(honest.map(({ served }) => served));
  const share = working === 0 ? 0 : Math.min(1, mean(outcomes.map(({ served }) => served)) / working);
  const mix = (worked: Account, away: Account): number =>
    share * profitOf(worked, gasPrice) + (1 - share) * profitOf(away, gasPrice);
  const away = paired(outcomes, absent);
  const each = paired(outcomes, honest).map(([own, worked], i) => {
    const [, stayed = worked] = away[i] ?? [];
    const cost = mix(worked.player, stayed.player) - profitOf(own.player, gasPrice);
    const harm = mix(worked.others, stayed.others) - profitOf(own.others, gasPrice);
    return { cost, harm };
  });
  const [cost, harm] = [mean(each.map((pair) => pair.cost)), mean(each.map((pair) => pair.harm))];
  const sign = Math.sign(cost);
  const spread = halfWidth(each.map((pair) => pair.harm - sign * pair.cost));
  return { share, cost, harm, excess: harm - Math.abs(cost), tolerance: spread + SURPLUS };
}

function paired(outcomes: readonly Outcome[], others: readonly Outcome[]): [Outcome, Outcome][] {
  return outcomes.map((outcome, i) => {
    const other = others[i];
    if (other?.seed !== outcome.seed) throw new Error(`world ${String(outcome.seed)} was not played by both`);
    return [outcome, other];
  });
}

/** One-sided 95 % quantiles of Student's t distribution for 1, 2, … degrees of freedom; beyond them the normal one. */
const T95 = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.74,
  1.734, 1.729, 1.725,
];
const NORMAL95 = 1.645;

/** The mean of some numbers; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * By how much the mean of a sample may exceed the true one by chance, with 95 % confidence on one side.
 *
 * @returns Infinity for fewer than two values: one observation says nothing of chance.
 */
export function halfWidth(values: readonly number[]): number {
  const freedom = values.length - 1;
  if (freedom < 1) return Infinity;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / freedom;
  return (T95[freedom - 1] ?? NORMAL95) * Math.sqrt(variance / values.length);
}
