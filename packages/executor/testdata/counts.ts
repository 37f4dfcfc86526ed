/** A program that adds up steps, and is reproducible unless its first argument names a fault. 20 steps. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  newestCheckpoint,
  notedCheckpoint,
  pruneCheckpoints,
  waitForNotes,
  writeCheckpointAtomically,
} from "../checkpoints.ts";
import { readUnitEnvironment } from "../environment.ts";

const [STEPS, DRAINED] = [20, 143];
const fault = process.argv[2] ?? "honest";
let draining = false;
process.on("SIGTERM", () => (draining = true));
const { directories, checkpointSteps = 4, stopAt = Infinity, unitIndex } = readUnitEnvironment(process.env);
const { checkpoint, output } = directories;

const newest = await newestCheckpoint(checkpoint);
let step = newest?.number ?? 0;
let sum = newest
  ? (JSON.parse(await readFile(join(newest.path, "state.json"), "utf8")) as { sum: number }).sum
  : unitIndex;
// Does not go on from all of its state.
if (fault === "forgetful" && newest) sum = 0;

async function save(): Promise<void> {
  await waitForNotes(checkpoint, () => draining);
  const state = { sum, ...(fault === "clock" && { at: process.hrtime.bigint().toString() }) };
  await writeCheckpointAtomically(checkpoint, step, { "state.json": JSON.stringify(state) }, step / STEPS);
  await pruneCheckpoints(checkpoint, 2, await notedCheckpoint(checkpoint));
}

if (fault === "fails") process.exit(3);
const stop = fault === "overruns" ? Math.ceil(stopAt / checkpointSteps) * checkpointSteps : stopAt;
while (step < Math.min(STEPS, stop)) {
  step += 1;
  sum += step * step;
  await sleep(10);
  const isDue = step % checkpointSteps === 0 && fault !== "silent" && !(fault === "skips" && step === 12);
  if (isDue || step === stop || draining) await save();
  if (draining) process.exit(DRAINED);
}
if (step >= stop) process.exit(DRAINED);
const result = fault === "output" ? { at: process.hrtime.bigint().toString(), sum } : { sum };
await writeFile(join(output, "result.json"), JSON.stringify(result));
