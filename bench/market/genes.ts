/**
 * What a player of the game can decide. Each gene is one choice that the contracts leave to a player; a strategy is one
 * value of each, so that the learner can put any of them together. The first value is what an honest player does.
 */
export const GENES = {
  /** Nodes, each of an owner of its own, that the stake and the capacity are split between; 0: it stays away from supply. */
  nodes: [1, 0, 2, 4],
  /** Ask of the first node as a share of what a unit is worth to developers. */
  ask: [0.5, 0, 0.4, 0.6, 0.8, 1],
  /** Ask of the other nodes: as the first, nothing, or all that a unit is worth. */
  otherAsk: ["same", "nothing", "worth"],
  /** Whether an ask is raised to all that a unit is worth once something was leased. */
  raiseAsk: ["never", "after-grant"],
  /**
   * Computes; claims all of it at the next checkpoint and delivers rubbish; creeps on without computing; claims an even pace without
   * computing, and gives back what is nearly done; does nothing.
   */
  work: ["compute", "fake", "creep", "claim", "nothing"],
  /** Whether it opens the traces of its work when an audit asks for them. */
  opens: ["always", "never"],
  /** Gives leases back: never, as soon as they are granted, or when most of the work is done. */
  release: ["never", "at-once", "late"],
  /** What its nodes report as load; split: the first says that it is full, the others that they are idle. */
  load: ["true", "none", "full", "split"],
  latency: ["true", "none", "highest"],
  energy: ["true", "none", "highest"],
  /** Whose receipts are on its checkpoints: those of any holder, or its own nodes' alone, which withhold the bytes. */
  receipts: ["anyone", "own"],
  /** Asks for moves of its own leases, or of other nodes', hoping that its other nodes are drawn. */
  move: ["never", "own", "others"],
  /** Tasks of one unit at the lowest price, each step. */
  dust: [0, 1, 4],
  /** Tasks that nothing listed can serve, each step. */
  unservable: [0, 6, 16],
  /** Tasks of very many units at the lowest price, once. */
  flood: [0, 1, 5],
  /** Cancels its own tasks: never, or once the seed of their round is known. */
  cancel: ["never", "after-seed"],
  /** Refuses what is delivered to it, though it is good. */
  dispute: ["never", "always"],
  /** Doubles what its own task pays while it waits. */
  raisePrice: ["never", "once"],
  /** Adds nothing to strangers' stakes while the listings are frozen, so that they have to be brought up to date. */
  touch: ["never", "frozen"],
  /** Leaves the market once it holds a lease: drains. */
  drain: ["never", "after-grant"],
  /** Opens and settles rounds before the keeper does. */
  keeper: ["never", "first"],
} as const;

/** A choice's name. */
export type GeneName = keyof typeof GENES;

/** One value of each gene. */
export type Strategy = { readonly [Name in GeneName]: (typeof GENES)[Name][number] };

/** All genes, in their order. */
export const GENE_NAMES = Object.keys(GENES) as GeneName[];

/** What an honest player does. */
export const HONEST = strategyOf({});

/** A strategy that is honest but for these choices. */
export function strategyOf(choices: Partial<Strategy>): Strategy {
  const honest = Object.fromEntries(GENE_NAMES.map((name) => [name, GENES[name][0]]));
  return { ...honest, ...choices } as Strategy;
}

/** Its task is served by others, and it offers nothing. */
export const ABSENT = strategyOf({ nodes: 0 });

/** Whether a strategy is honest: nothing but the price that it asks, and whether it offers anything, is chosen. */
export function isHonest(strategy: Strategy): boolean {
  return GENE_NAMES.every((name) => {
    if (name === "ask" || (name === "nodes" && strategy.nodes === 0)) return true;
    return strategy[name] === GENES[name][0];
  });
}

/** What a strategy does otherwise than an honest player, such as `nodes=2 move=own`. */
export function describe(strategy: Strategy): string {
  const choices = GENE_NAMES.filter((name) => name === "ask" || strategy[name] !== GENES[name][0]);
  return choices.map((name) => `${name}=${String(strategy[name])}`).join(" ");
}
