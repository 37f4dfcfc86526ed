import type { Conduct } from "./cheats.ts";

/** What an arena plays. */
export interface Scenario {
  readonly name: string;
  readonly conduct: Conduct;
  /** Drawn verifiers do none of the work; the panels do. */
  readonly lazy: boolean;
  /** VER for a unit. */
  readonly price: number;
  /** Segments of a lease. */
  readonly segments: number;
  /** Whether the nodes have been proven before. */
  readonly proven: boolean;
  /** Of three verifiers, how many collude. */
  readonly colluding: 0 | 1;
  /** Kills, moves, drains, reorganisations, withheld states; and room for what is moved. */
  readonly disturbed: boolean;
}

/** Sizes of an arena. */
export const ARENA = {
  producers: 24,
  verifiers: 30,
  /** Leases of each producer in a disturbed arena, and units that it can hold there. */
  leases: 3,
  room: 9,
  /** Units of each lease. */
  units: 2,
  /** Seconds of a tick: each node posts a checkpoint in it, and each audit makes one step. */
  tickSeconds: 200,
  /** Checkpoint interval of tasks, seconds. */
  interval: 600,
  /** Ticks between two epochs where nothing is disturbed: so many segments are decided on at once. Else as soon as the contract takes one. */
  epochTicks: 30,
  /** Seconds between two batches of reports; BASE's nodes are silent after half an hour. */
  reportSeconds: 1_400,
  /** VER that nodes stake beyond what their capacity needs. */
  spareStake: 100,
} as const;

/** How often what happens in a disturbed arena, in each tick. */
export const DISTURBANCES = {
  /** A node's process is killed, and back within two ticks. */
  kill: 1 / 40,
  /** A machine is gone for longer than a lease may be without a checkpoint. */
  outage: 1 / 2_000,
  outageTicks: 6,
  drain: 1 / 250,
  drainTicks: 8,
  /** A node reports that it is overloaded, and some of its work is moved. */
  move: 1 / 8,
  /** The blocks of a tick are undone, and its transactions are mined again in another order. */
  reorganisation: 1 / 10,
  /** No holder gives a segment's states away. */
  withheld: 1 / 10,
} as const;

/** What happened in an arena, counted. */
export interface Counts {
  kills: number;
  outages: number;
  drains: number;
  moves: number;
  reorganisations: number;
  withheld: number;
}

/** A run of segments as it ended. */
export interface RunResult {
  /** Chances of its segments, in order, as far as an epoch decided on them. */
  readonly chances: readonly number[];
  /** Number of the first segment, from 1, whose own audit found it wrong; undefined: none did. */
  readonly caughtAt: number | undefined;
}

/** What came of an arena. */
export interface ArenaResult {
  readonly scenario: Scenario;
  readonly segments: number;
  /** Segments that an epoch decided on, and the sum of their chances, as the contract has them. */
  readonly decided: number;
  readonly expected: number;
  readonly drawn: number;
  /** Segments whose audit found their node wrong; of a lazy verifier's, those in which it lost its bond. */
  readonly caught: number;
  /** Segments that were not drawn, for which the contract was asked to open an audit and refused. */
  readonly refusedOpenings: number;
  readonly audits: Readonly<Record<string, number>>;
  readonly panels: number;
  readonly panelRounds: number;
  readonly runs: readonly RunResult[];
  /** VER that each producer is better off by, its work not counted. */
  readonly gains: readonly number[];
  /** Audits in which the verifier had done none of the work, and VER of stake that verifiers have lost. */
  readonly lazyAudits: number;
  readonly verifiersLost: number;
  /** Checkpoints that a live node with a lease could not post. */
  readonly stalled: number;
  /** Delivered leases that were not paid once their audits and the window were over. */
  readonly unpaid: number;
  /** Longest audit, seconds. */
  readonly longestAudit: number;
  /** Nodes that were never down for as long as a step, and were convicted though honest. */
  readonly wronged: number;
  /** Those that were, of how many that were. */
  readonly wrongedByOutage: number;
  readonly away: number;
  readonly transactions: number;
  readonly counts: Counts;
}
