import { randomNumbers } from "@verai/protocol/allocation/testing/market";

/** A task that an honest developer submits. */
export interface Demand {
  /** Step in which it comes. */
  readonly step: number;
  readonly developer: number;
  readonly units: number;
}

/** What happens in an episode whatever its players do. */
export interface World {
  readonly seed: number;
  readonly demands: readonly Demand[];
  /** Whether tasks ask for audits as they do by default, or their developers have turned them off. */
  readonly audited: boolean;
  /** Word with which the oracle answers its n-th request. */
  readonly word: (request: number) => bigint;
}

/** Sizes of an episode. */
export const EPISODE = {
  /** Seconds of a step; BASE's nodes report twice in it. */
  stepSeconds: 600,
  /** Steps in which tasks come, and after which nobody works any longer. */
  arrivals: 12,
  steps: 22,
  /** Steps that a unit's computation takes. */
  unitSteps: 5,
  /** Honest nodes and developers beside the player under test. */
  nodes: 4,
  developers: 2,
  /** Units of each node, and of the player. */
  capacity: 4,
  /** Units of the player's own task, which is worth as much to it as others' are to them. */
  ownUnits: 4,
  /** Longest time between submission and delivery for which a unit is worth anything, seconds. */
  deadline: 6 * 3_600,
  /** Checkpoint interval of tasks, seconds. */
  interval: 900,
  /** Rounds that can follow each other within a step. */
  roundsPerStep: 3,
} as const;

/** Progress of a unit in a step, basis points. */
export const STEP_PROGRESS = 10_000 / EPISODE.unitSteps;

/** Share of all nodes' capacity that honest developers want while tasks come. */
const UTILISATION = 0.85;

/** Tasks and seeds of an episode, by its seed alone. @param audited Whether its tasks ask for audits. */
export function worldOf(seed: number, audited = true): World {
  const random = randomNumbers(seed);
  const { arrivals, unitSteps, nodes, developers, capacity } = EPISODE;
  let left = Math.round(((nodes + 1) * capacity * arrivals * UTILISATION) / unitSteps);
  const demands: Demand[] = [];
  while (left > 0) {
    const units = Math.min(left, 1 + Math.floor(random() * 6));
    const developer = Math.floor(random() * developers);
    demands.push({ step: Math.floor(random() * arrivals), developer, units });
    left -= units;
  }
  demands.sort((a, b) => a.step - b.step);
  return { seed, demands, audited, word: (request) => BigInt(seed) * 2n ** 128n + BigInt(request) + 1n };
}
