/**
 * Trains units as nobody disturbs them: no agent, no chain, no checkpoint. Prints `{"<unit>": "<SHA-256 of its weights>"}`.
 *
 *     node packages/devnet/reference-run.ts <spec file> <units of the task> [<unit>…]
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { programOf, runProgram, wholeNumber } from "@verai/process/program";
import { readConfig } from "@verai/executor/trainers/digits/config";
import { loadDigits } from "@verai/executor/trainers/digits/data";
import { encodeModel, sha256 } from "@verai/executor/trainers/digits/model-file";
import { initialState, train } from "@verai/executor/trainers/digits/training";
import { parseSpec } from "@verai/executor/spec";

/** This program. */
export const REFERENCE = fileURLToPath(import.meta.url);

if (process.argv[1] === REFERENCE) {
  const program = programOf("reference-run", "Trains units as nobody disturbs them, and prints what their weights are")
    .argument("<spec>", "file with the task's spec, for the built-in trainer")
    .argument("<units>", "units of the task", wholeNumber(1))
    .argument("[unit...]", "units to train; by default all")
    .action(async (file: string, unitCount: number, named: readonly string[]) => {
      const units = named.length > 0 ? named.map(wholeNumber(0)) : Array.from({ length: unitCount }, (_, i) => i);
      process.stdout.write(`${JSON.stringify(await referenceWeights(await readFile(file), unitCount, units))}\n`);
    });
  await runProgram(program);
}

/**
 * SHA-256 of the weights that units of a task end with.
 *
 * @param spec Bytes of the task's spec, for the built-in trainer.
 */
export async function referenceWeights(
  spec: Uint8Array,
  unitCount: number,
  units: readonly number[],
): Promise<Record<number, string>> {
  const { args, env } = parseSpec(spec);
  const weights: Record<number, string> = {};
  const configs = units.map((unitIndex) => readConfig(args, env["DIGITS_GRID"], { unitIndex, unitCount }).training);
  const [first] = configs;
  if (!first) return weights;
  // How many images are trained on is in the arguments, which all units share.
  const data = await loadDigits(first.train, first.test);
  for (const [place, training] of configs.entries()) {
    const unitIndex = units[place] ?? 0;
    const state = initialState(training);
    await train(training, data.train, state, () => Promise.resolve(true));
    weights[unitIndex] = sha256(encodeModel(state.network));
  }
  return weights;
}
