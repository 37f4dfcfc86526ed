import type { UnitTrace } from "@verai/protocol/audits/trace";
import { type Data, dataOf, EPOCH, leafOf, PROGRAM, segmentFrom, type State, train } from "./program.ts";

/** Ways of posting work that was not done. A lazy verifier is another: it cheats in what it says of others' work. */
export const CHEATS = ["skipped steps", "fewer epochs", "other data", "old checkpoint", "altered end"] as const;

/** What a producer does in a segment. */
export type Conduct = "honest" | (typeof CHEATS)[number];

/** A unit's part of a posted segment. */
export interface PostedUnit {
  /** States that the node says its program passed through, the last one being the unit's posted state. */
  readonly states: readonly State[];
  /** Steps that it has really computed. */
  readonly computed: number;
}

/**
 * What a node posts of a unit.
 *
 * @param before - The unit's state in the checkpoint before.
 * @param older - States that the node posted for the segment before; empty for the first.
 */
function conduct(how: Conduct, before: State, data: Data, other: Data, older: readonly State[]): PostedUnit {
  const honest = (): State[] => segmentFrom(before, data);
  switch (how) {
    case "honest":
      return { states: honest(), computed: PROGRAM.steps };
    case "skipped steps": {
      // Every other step only: each local checkpoint is what half of its steps come to.
      let state = before;
      const states = labels(before).map((step) => {
        state = train(state, data);
        return { ...state, step };
      });
      return { states, computed: states.length };
    }
    case "fewer epochs": {
      // Half of the passes; then the same state under the numbers of the steps to come.
      const computed = PROGRAM.steps - 2 * EPOCH;
      const trained = honest().slice(0, computed / PROGRAM.leafEvery);
      const last = trained.at(-1) ?? before;
      const states = labels(before).map((step, i) => trained[i] ?? { ...last, step });
      return { states, computed };
    }
    case "other data":
      return { states: segmentFrom(before, other), computed: PROGRAM.steps };
    case "old checkpoint": {
      // What it posted last time under the numbers of this time, or the state before where there is nothing older.
      const states = labels(before).map((step, i) => ({ ...(older[i] ?? before), step }));
      return { states, computed: 0 };
    }
    case "altered end": {
      const states = honest();
      const end = states.at(-1) ?? before;
      const weights = end.weights.map((weight, i) => (i === 0 ? weight + 1e-9 : weight));
      return { states: [...states.slice(0, -1), { ...end, weights }], computed: PROGRAM.steps };
    }
  }
}

/** What a node posts of all units of a lease for a segment. O(units × steps). */
export function postedSegment(
  how: Conduct,
  taskId: number,
  start: number,
  before: readonly State[],
  older: readonly (readonly State[])[],
): PostedUnit[] {
  return before.map((state, i) => {
    const unit = start + i;
    return conduct(how, state, dataOf(taskId, unit), dataOf(taskId, unit, 1), older[i] ?? []);
  });
}

/** The trace that a node commits to. */
export function traceOf(start: number, posted: readonly PostedUnit[]): UnitTrace[] {
  return posted.map(({ states }, i) => ({ unit: start + i, leaves: states.map(leafOf) }));
}

/** Numbers of steps of a segment's local checkpoints. */
function labels({ step }: State): number[] {
  const count = PROGRAM.steps / PROGRAM.leafEvery;
  return Array.from({ length: count }, (_, i) => step + (i + 1) * PROGRAM.leafEvery);
}
