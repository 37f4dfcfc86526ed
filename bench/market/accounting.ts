import { GRAIN, SURPLUS } from "./economy.ts";
import { halfWidth, mean } from "./statistics.ts";

/** What one player ended an episode with. */
export interface Account {
  /** VER gained: tokens, what it can claim, stakes and escrows that are its own, less what it began with. */
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
  /** The honest player of equal stake and capacity in the same episode. */
  readonly twin: Account;
  /** All others together: nodes, developers, keeper, and who pays the oracle. */
  readonly others: Account;
  /** Mean hours between submission and delivery of honest developers' units; those never delivered count to the end. */
  readonly delay: number;
  /** Honest developers' units delivered, of those that they wanted. */
  readonly delivered: number;
  readonly wanted: number;
  readonly transactions: number;
}

/** What a strategy comes to, against the best honest play in the same worlds. VER an episode. */
export interface Verdict {
  /** Profit, that of the twin, and of the best honest play in its place. */
  readonly profit: number;
  readonly twin: number;
  readonly honest: number;
  readonly gas: number;
  /** Profit above honest work, and what it must exceed to count. */
  readonly gain: number;
  readonly gainTolerance: number;
  /** What the attack costs its player: the honest profit that it does without; at least 0. */
  readonly cost: number;
  /** What all others lose by it. */
  readonly harm: number;
  /** Harm above cost, and what it must exceed to count. */
  readonly excess: number;
  readonly excessTolerance: number;
  /** Hours by which honest developers' units are later, and how many of a hundred are not delivered at all. */
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
 * Holds a strategy against the best honest play, world by world.
 *
 * A strategy earns more than honest work if its profit exceeds that of the best honest play by more than chance (95 %,
 * one-sided, paired by world) and more than the grain of the market, one unit's margin. It spoils the market if what others
 * lose exceeds what it costs its player by more than chance and a unit's surplus.
 *
 * @param outcomes - One for each world.
 * @param honest - The best honest play in the same worlds, in the same order.
 */
export function judge(outcomes: readonly Outcome[], honest: readonly Outcome[], gasPrice: number): Verdict {
  const pairs = outcomes.map((outcome, i) => {
    const reference = honest[i];
    if (reference?.seed !== outcome.seed) throw new Error(`no honest play of world ${String(outcome.seed)}`);
    const gain = profitOf(outcome.player, gasPrice) - profitOf(reference.player, gasPrice);
    const harm = profitOf(reference.others, gasPrice) - profitOf(outcome.others, gasPrice);
    return { outcome, reference, gain, harm, excess: harm - Math.max(0, -gain) };
  });
  const average = (value: (pair: (typeof pairs)[number]) => number): number => mean(pairs.map(value));
  const gain = average((pair) => pair.gain);
  const harm = average((pair) => pair.harm);
  const gainTolerance = halfWidth(pairs.map((pair) => pair.gain)) + GRAIN;
  const excessTolerance = halfWidth(pairs.map((pair) => pair.excess)) + SURPLUS;
  const cost = Math.max(0, -gain);
  const excess = harm - cost;
  return {
    profit: average(({ outcome }) => profitOf(outcome.player, gasPrice)),
    twin: average(({ outcome }) => profitOf(outcome.twin, gasPrice)),
    honest: average(({ reference }) => profitOf(reference.player, gasPrice)),
    gas: average(({ outcome }) => outcome.player.gas),
    gain,
    gainTolerance,
    cost,
    harm,
    excess,
    excessTolerance,
    delay: average(({ outcome, reference }) => outcome.delay - reference.delay),
    undelivered: average(({ outcome }) => 100 * (1 - outcome.delivered / outcome.wanted)),
    earnsMore: gain > gainTolerance,
    spoils: excess > excessTolerance,
  };
}

/** How good a strategy is for a player of bad faith: the better of what it earns more, and of what it spoils beyond its cost. */
export function fitness(verdict: Pick<Verdict, "gain" | "excess">): number {
  return Math.max(verdict.gain, verdict.excess);
}
