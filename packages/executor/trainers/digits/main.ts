/**
 * The built-in trainer "digits": trains a small network to recognise handwritten digits, as one unit of a task. See
 * `config.ts` for its arguments, `checkpoint.ts` for its checkpoints, `result.ts` for what it leaves behind.
 */
import { waitForNotes } from "../../checkpoints.ts";
import { readUnitEnvironment } from "../../environment.ts";
import { restoreCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { ConfigError, readConfig } from "./config.ts";
import { loadDigits } from "./data.ts";
import { trainTogether } from "./exchange.ts";
import { Rests } from "./rests.ts";
import { writeResult } from "./result.ts";
import { initialState, stepsDone, train } from "./training.ts";

/** Exit codes of the workload contract, and of sysexits(3): a spec that is wrong stays wrong however often it is tried. */
const [DRAINED, USAGE] = [143, 64];

async function main(): Promise<number> {
  let draining = false;
  process.on("SIGTERM", () => {
    draining = true;
  });
  const unit = readUnitEnvironment(process.env);
  const { checkpoint: checkpoints, output } = unit.directories;
  const config = readConfig(process.argv.slice(2), process.env["DIGITS_GRID"], unit);
  const { training, exchange } = config;
  // What the agent says counts, so that its traces are complete.
  const { checkpointSteps = config.checkpointSteps, stopAt = Infinity } = unit;
  const noted = unit.checkpointSteps !== undefined;
  console.log(`training ${JSON.stringify({ ...training, ...exchange })}`);

  const data = await loadDigits(training.train, training.test);
  if (exchange) {
    const say = (text: string) => {
      console.log(text);
    };
    const together = await trainTogether(unit, { ...config, exchange }, data.train, () => draining, say);
    if (!together) return DRAINED;
    const { state, round } = together;
    const trained = {
      network: state.network,
      epochs: training.epochs,
      losses: [],
      exchange: { ...exchange, rounds: round },
    };
    const { accuracy } = await writeResult(output, training, trained, data.test);
    console.log(`accuracy ${accuracy}`);
    return 0;
  }
  const restored = await restoreCheckpoint(checkpoints, training, ({ name }, why) => {
    console.log(`${name} is passed over: ${why}`);
  });
  const state = restored ?? initialState(training);
  console.log(restored ? `going on after step ${stepsDone(training, state)}` : "starting again");

  const save = async () => {
    if (noted) await waitForNotes(checkpoints, () => draining);
    const { name } = await saveCheckpoint(checkpoints, training, state, noted);
    console.log(`${name} written`);
  };
  let stopped = stepsDone(training, state) >= stopAt;
  if (stopped) {
    if (!restored) await save();
    return DRAINED;
  }
  const rests = new Rests(config);
  await train(training, data.train, state, async () => {
    if (state.step === 0) console.log(`epoch ${state.epoch}: loss ${state.losses.at(-1)?.toFixed(4) ?? ""}`);
    const steps = stepsDone(training, state);
    stopped = steps >= stopAt;
    const saves = stopped || draining || steps % checkpointSteps === 0;
    if (saves) await save();
    if (draining || stopped) return false;
    await rests.take();
    // Told to leave while it rested.
    if (draining && !saves) await save();
    return !draining;
  });
  if (stopped) return DRAINED;
  // Told to stop after the very last step it goes on to the result: nothing but that is left to do.
  if (state.epoch < training.epochs) return DRAINED;
  const trained = { network: state.network, epochs: state.epoch, losses: state.losses };
  const { accuracy } = await writeResult(output, training, trained, data.test);
  console.log(`accuracy ${accuracy}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = USAGE;
}
