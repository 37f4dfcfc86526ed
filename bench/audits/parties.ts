import type { PostedUnit } from "./cheats.ts";
import type { Conduct } from "./cheats.ts";
import type { Segment } from "./contracts.ts";
import type { GameNode } from "../market/contracts.ts";
import type { State } from "./program.ts";

/** A lease as its node works on it: a run of segments. */
export interface Run {
  readonly leaseId: number;
  readonly fence: number;
  readonly taskId: number;
  readonly start: number;
  readonly count: number;
  readonly producer: Producer;
  readonly posted: Posted[];
  /** No more is posted. */
  over: boolean;
}

/** A segment that was posted. */
export interface Posted {
  readonly run: Run;
  readonly segment: Segment;
  /** Head of the lease's checkpoints before the link that the segment goes on from. */
  readonly head: string;
  /** State of each unit that it goes on from, and what was posted of each. */
  readonly before: readonly State[];
  readonly units: readonly PostedUnit[];
  /** What its node did. */
  readonly conduct: Conduct;
  /** No holder gives the states away: only its node does. */
  readonly withheld: boolean;
  /** Segments of the same lease before it. */
  readonly place: number;
}

/** A node that works. */
export interface Producer {
  readonly node: GameNode;
  readonly conduct: Conduct;
  /** Tick until which it is down. */
  downUntil: number;
  /** Longest time that it was down, ticks. */
  longestDown: number;
  drainedUntil: number;
}

/** A node that verifies. */
export interface Verifier {
  readonly node: GameNode;
  /** It answers as suits the producer where that cheats, and against it where it is honest. */
  readonly colludes: boolean;
  downUntil: number;
}
