/**
 * The trainer "digits" as a cheat runs it: it counts some steps without doing them, and is as honest as any other before and after. For the
 * demo, and for tests of audits.
 */
import { Trainee } from "../trainers/digits/network.ts";

/** Steps that are skipped, of those that this process does: between two local checkpoints of the demo's task. */
const [FIRST, LAST] = [180, 240];

// oxlint-disable-next-line typescript/unbound-method -- called with its trainee below
const honest = Trainee.prototype.step;
let steps = 0;
Trainee.prototype.step = function (this: Trainee, ...given: Parameters<typeof honest>): number {
  steps += 1;
  return steps > FIRST && steps <= LAST ? 0.5 : honest.apply(this, given);
};

await import("../trainers/digits/main.ts");
