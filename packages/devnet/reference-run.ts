/**
 * Trains units as nobody disturbs them: no agent, no chain, no checkpoint. Prints `{"<unit>": "<SHA-256 of its weights>"}`.
 *
 *     node packages/devnet/reference-run.ts <spec file> <units of the task> [<unit>…]
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { readConfig } from "@verai/executor/trainers/digits/config";
import { loadDigits } from "@verai/executor/trainers/digits/data";
import { encodeModel, sha256 } from "@verai/executor/trainers/digits/model-file";
import { initialState, train } from "@verai/executor/trainers/digits/training";
import { parseSpec } from "@verai/executor/spec";

/** This program. */
export const REFERENCE = fileURLToPath(import.meta.url);

if (process.argv[1] === REFERENCE) {
  const [file = "", units = "", ...indices] = process.argv.slice(2);
  const all = Array.from({ length: Number(units) }, (_, i) => i);
  const weights = await referenceWeights(
    await readFile(file),
    all.length,
    indices.length > 0 ? indices.map(Number) : all,
  );
  process.stdout.write(`${JSON.stringify(weights)}\n`);
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
  for (const unitIndex of units) {
    const { training } = readConfig(args, env["DIGITS_GRID"], { unitIndex, unitCount });
    const data = await loadDigits(training.train, training.test);
    const state = initialState(training);
    await train(training, data.train, state, () => Promise.resolve(true));
    weights[unitIndex] = sha256(encodeModel(state.network));
  }
  return weights;
}
