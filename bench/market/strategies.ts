import { GENES, strategyOf, type Strategy } from "./genes.ts";

/** A strategy that people know by a name. */
export interface Named {
  readonly name: string;
  /** What its player hopes for. */
  readonly aim: string;
  readonly strategy: Strategy;
}

/** Names of the attacks that a quick game plays. */
const QUICK = [
  "bait and move",
  "gives everything back",
  "queue filling",
  "sybil holders",
  "dust rounds",
  "lying reporter",
  "claimed headway",
] as const;

const named = (name: string, aim: string, choices: Partial<Strategy>): Named => ({
  name,
  aim,
  strategy: strategyOf(choices),
});

/**
 * Honest work at each price that a strategy can ask, but for nothing: the best of them is what every other strategy is held
 * against. A price is no bad faith: where supply is short all that a unit is worth is paid, to anyone who asks for it.
 */
export const HONEST_ASKS: readonly Named[] = GENES.ask
  .filter((ask) => ask !== 0)
  .toSorted((a, b) => a - b)
  .map((ask) => named(`honest, asks ${String(ask)}`, "be paid for work", { ask }));

/** A node that computes nothing, says that it does, and leaves the work to who comes after it. */
export const CLAIMED_HEADWAY = named("claimed headway", "be paid for progress that others make", {
  ask: 0.6,
  work: "claim",
});

/** Attacks that people have thought of. */
export const SCRIPTED: readonly Named[] = [
  named("bait and move", "lease at nothing, then move to its own dear node", {
    nodes: 2,
    ask: 0,
    otherAsk: "worth",
    load: "split",
    move: "own",
  }),
  named("bait and raise", "lease at nothing, then ask all", { ask: 0, raiseAsk: "after-grant", release: "late" }),
  named("gives everything back", "take every unit and keep nobody's work going", { ask: 0, release: "at-once" }),
  named("gives back late", "hold units until most of the work is done", { ask: 0, release: "late" }),
  named("queue filling", "fill rounds with its own tasks, served by itself and given back", {
    nodes: 2,
    ask: 0,
    flood: 5,
    release: "at-once",
  }),
  named("unservable tasks", "keep tasks that nobody can serve in front of others", { unservable: 16 }),
  named("dust rounds", "make others pay for rounds of a single cheap unit", { dust: 4, ask: 0, keeper: "first" }),
  named("sybil holders", "sign for its own checkpoints and withhold them", {
    nodes: 4,
    ask: 0.4,
    receipts: "own",
    release: "late",
  }),
  named("lying reporter", "look idle and near, so that more work comes", { load: "none", latency: "none" }),
  named("idle sybils", "pull the average load down, so that busy nodes are unfit", {
    nodes: 4,
    otherAsk: "worth",
    load: "none",
  }),
  named("rubbish", "deliver what was never computed", { ask: 0.4, work: "fake" }),
  named("squatter", "hold units to their deadline with creeping progress", { ask: 0, work: "creep" }),
  CLAIMED_HEADWAY,
  named("claimed headway, refuses audits", "the same, at half of the stake once it is drawn", {
    ask: 0.6,
    work: "claim",
    opens: "never",
  }),
  named("no-show", "take units and do nothing", { ask: 0, work: "nothing" }),
  named("work theft", "move others' leases to its own node when they are nearly done", {
    ask: 1,
    move: "others",
    load: "none",
  }),
  named("refuses good work", "have its own task computed and not pay", { dispute: "always" }),
  named("cancels after the seed", "make rounds that are cancelled once they are seeded", {
    dust: 4,
    cancel: "after-seed",
  }),
  named("touches strangers' nodes", "make keepers bring listings up to date", { touch: "frozen", keeper: "first" }),
];

/** The best known of them. */
export const SCRIPTED_QUICK = SCRIPTED.filter(({ name }) => (QUICK as readonly string[]).includes(name));
