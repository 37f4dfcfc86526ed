/**
 * One model trained by four machines of which one fails every minute: `npm run bench:exchange -- [--quick] [--json] [--write]`.
 *
 *     --quick    fewer rounds, some three minutes on an idle machine
 *     --json     print JSON instead of a table
 *     --write    put the table into docs/reference/benchmarks.md
 *
 * Real agents on a local chain, with the built-in trainer. Exits with 1 if a goal is missed.
 */
import { interruptible } from "@verai/process/program";
import { readConfig } from "@verai/executor/trainers/digits/config";
import { loadDigits } from "@verai/executor/trainers/digits/data";
import { encodeModel, sha256 } from "@verai/executor/trainers/digits/model-file";
import { parameterCount, Trainee } from "@verai/executor/trainers/digits/network";
import { applyRound, firstState, roundCount, trainRound } from "@verai/executor/trainers/digits/outer";
import { initialState, stepsPerEpoch, train } from "@verai/executor/trainers/digits/training";
import { allReduceBytes, faultsOf, type Findings, GOALS, pace, type Run } from "./exchange/judge.ts";
import { trainOnNetwork, UNITS } from "./exchange/network.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { load, machine, markdownTable, writeSection } from "./report.ts";

/** Steps of a round, and the pause after each, milliseconds: what makes a round last, as a larger model would. */
const [EVERY, PACE_MS] = [128, 40];
const GRID = JSON.stringify({ hidden: [16], seed: [1] });

const flags = benchCommand(
  "bench:exchange",
  "One model trained by four machines of which one fails every minute",
  "fewer rounds, some three minutes on an idle machine",
)
  .parse()
  .opts<BenchFlags>();
const say = (text: string): void => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};
const interrupted = interruptible(say);
const rounds = flags.quick ? 14 : 48;

const unit = { unitIndex: 0, unitCount: UNITS };
const argsFor = (count: number): string[] => {
  const steps = stepsPerEpoch(readConfig(["--train", "4000", "--test", "4000"], undefined, unit).training);
  const epochs = Math.floor((count * EVERY * UNITS) / steps);
  const sizes = ["--epochs", String(epochs), "--train", "4000", "--test", "4000"];
  return [...sizes, "--pace", String(PACE_MS), "--exchange-every", String(EVERY)];
};

const { undisturbed, disturbed, alone, replayed } = await measure().catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
const { parameters, steps } = sizes();
const findings: Findings = {
  goodput: pace(disturbed, EVERY) / pace(undisturbed, EVERY),
  bytes: disturbed.bytes / allReduceBytes(parameters, UNITS, steps),
  lost: alone - disturbed.accuracy,
  equal: disturbed.weights.length === UNITS && new Set(disturbed.weights).size === 1,
  replayed: disturbed.weights[0] === replayed,
};
const wrong = faultsOf(findings);
process.stdout.write(
  flags.json
    ? `${JSON.stringify({ machine: machine(), load: load(), goals: GOALS, findings, undisturbed, disturbed, alone, wrong })}\n`
    : report(),
);
if (flags.write) writeSection("bench:exchange", report());
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exit(wrong.length === 0 ? 0 : 1);

async function measure(): Promise<{ undisturbed: Run; disturbed: Run; alone: number; replayed: string }> {
  // Its pace is the same from round to round: a few are enough.
  const before = await trainOnNetwork(argsFor(Math.min(rounds, 14)), GRID, false, say, interrupted);
  const run = await trainOnNetwork(argsFor(rounds), GRID, true, say, interrupted);
  say("training the same on one machine, and the records' rounds without disturbance");
  return { undisturbed: before, disturbed: run, alone: await trainAlone(), replayed: await replay(run) };
}

/** Accuracy of one machine that trains on the same samples. */
async function trainAlone(): Promise<number> {
  const { training } = readConfig(argsFor(rounds), GRID, unit);
  const data = await loadDigits(training.train, training.test);
  const state = initialState(training);
  await train(training, data.train, state, () => Promise.resolve(!interrupted.aborted));
  return new Trainee(state.network).evaluate(data.test).accuracy;
}

/** SHA-256 of the weights of a run that nobody disturbs, with the members of these records. */
async function replay({ records }: Run): Promise<string> {
  const { training, exchange } = readConfig(argsFor(rounds), GRID, unit);
  if (!exchange) throw new Error("no exchange");
  const data = await loadDigits(training.train, training.test);
  let state = firstState(training);
  for (const { record } of records) {
    const contributions: Float32Array[] = [];
    for (const member of record.members) {
      const share = { unitIndex: member.unit, unitCount: UNITS };
      const goesOn = () => Promise.resolve(!interrupted.aborted);
      const changed = await trainRound(training, exchange, data.train, state, record.round, share, goesOn);
      if (!changed) throw new Error("interrupted");
      contributions.push(changed);
    }
    state = applyRound(exchange, state, contributions);
  }
  return sha256(encodeModel(state.network));
}

function sizes(): { parameters: number; steps: number } {
  const { training, exchange } = readConfig(argsFor(rounds), GRID, unit);
  if (!exchange) throw new Error("no exchange");
  const count = roundCount(training, exchange, UNITS);
  return { parameters: parameterCount(training.hidden), steps: count * EVERY };
}

function report(): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const right = (heading: string) => ({ heading, align: "right" as const });
  const { goodput, bytes, lost, equal, replayed: isReplayed } = findings;
  const perSecond = (run: Run) => pace(run, EVERY).toFixed(1);
  return [
    `${machine()}. ${String(UNITS)} agents on a local chain train one model of ${parameters.toLocaleString("en")} numbers in`,
    `${String(disturbed.records.length)} rounds of ${String(EVERY)} steps with a pause of ${String(PACE_MS)} ms after each; ${String(disturbed.kills)} kills, one a minute,`,
    `each killed agent started again after three seconds. Load of the machine at the end: ${load().toFixed(1)}.`,
    "",
    markdownTable(
      [{ heading: "" }, right("measured"), right("goal")],
      [
        [
          `goodput: steps that entered the model a second, ${perSecond(disturbed)} of ${perSecond(undisturbed)} undisturbed`,
          ...[percent(goodput), `≥ ${percent(GOALS.goodput)}`],
        ],
        ["bytes, of a ring all-reduce at every step", `1/${(1 / bytes).toFixed(1)}`, "≤ 1/50"],
        [
          `accuracy, ${percent(disturbed.accuracy)}, below that of one machine, ${percent(alone)}, in points`,
          ...[(lost * 100).toFixed(2), `≤ ${(GOALS.accuracy * 100).toFixed(1)}`],
        ],
        ["weights of all units are equal to the bit", equal ? "yes" : "no", "yes"],
        ["so are those of an undisturbed run with the same records", isReplayed ? "yes" : "no", "yes"],
      ],
    ),
  ].join("\n");
}
