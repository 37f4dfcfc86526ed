/**
 * How fast work goes on after its node was killed, and what each step costs: `npm run bench:failover -- [--quick] [--json] [--write]`.
 *
 *     --quick    fewer kills and fewer nodes, under two minutes
 *     --mass     only what is lost at once
 *     --json     print JSON instead of tables
 *     --write    put the tables into docs/reference/benchmarks.md
 *
 * The times are those of real processes on this machine: an agent is killed with SIGKILL in mid-training, and the clock
 * stops when the first checkpoint of the node that goes on is on chain. The gas is that of an in-process chain. What is lost at
 * once is simulated with BASE's parameters and block time: a thousand leases of a hundred nodes, and the keeper as it is. Exits
 * with 1 if work was not recovered, if a step's gas grows with the nodes, or if a thousand leases take more than three minutes.
 */

import { orAborted } from "@verai/checkpoint-store/signals";
import { interruptible } from "@verai/process/program";
import { FailoverChain, FAILED, type StepGas } from "./failover/gas.ts";
import { type MassFailure, measureMassFailure } from "./failover/mass.ts";
import { measureRecoveries, median, NETWORK, PARTS, split, type Split } from "./failover/recover.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { machine, markdownTable, writeSection } from "./report.ts";
import { BASE_TIMES } from "./simulated-base.ts";

/** Gas of each step with so many nodes registered. */
interface GasOfSteps {
  readonly nodes: number;
  readonly steps: readonly StepGas[];
}

/**
 * By how much a step's gas may differ between numbers of nodes. A draw takes a node off the list of its price, where the
 * last one takes its place: one more node is written as soon as there is another one, which with 1,000 prices takes some
 * thousand nodes. Among few nodes, draws of one batch also more often touch the same words of storage.
 */
const FLAT = 0.05;
const FLAT_DRAW = 0.2;
/** Seconds within which all leases that are lost at once are to be drawn for. */
const MASS_SECONDS = 180;
const WORDS: Readonly<Record<(typeof PARTS)[number], string>> = {
  expired: "detection: the rest of the interval, the grace, and the keeper's `expire`",
  seed: "the batch is opened, and the oracle answers",
  drawn: "the draw",
  restored: "the successor notices its lease and restores the checkpoint",
  checkpoint: "until its first new checkpoint is signed for and on chain",
};

const flags = benchCommand(
  "bench:failover",
  "How fast work goes on after its node was killed, and what each step costs",
  "fewer kills and fewer nodes, under two minutes",
)
  .option("--mass", "only what is lost at once", false)
  .parse()
  .opts<BenchFlags & { mass: boolean }>();
const say = (text: string): void => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};

const interrupted = interruptible(say);
const kills = flags.mass ? 0 : flags.quick ? 2 : 5;
const { gas, mass, splits } = await measureAll().catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
const wrong = faults();
process.stdout.write(
  flags.json
    ? `${JSON.stringify({ machine: machine(), network: NETWORK, gas, mass, recoveries: splits, wrong })}\n`
    : report(),
);
if (flags.write)
  writeSection(flags.mass ? "bench:failover:mass" : "bench:failover", flags.mass ? massReport() : recoveryReport());
if (flags.write && !flags.mass) writeSection("bench:failover:mass", massReport());
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exit(wrong.length === 0 ? 0 : 1);

async function measureAll(): Promise<{ gas: GasOfSteps[]; mass: MassFailure; splits: Split[] }> {
  const mass = await orAborted(measureMassFailure(flags.quick ? 20 : 100, say), interrupted);
  say(`${String(mass.drawn)} of ${String(mass.leases)} leases drawn for, the last after ${String(mass.last)} s`);
  if (flags.mass) return { gas: [], mass, splits: [] };
  const measured = await orAborted(measureGas(flags.quick ? [100, 1_000] : [100, 1_000, 10_000]), interrupted);
  const recoveries = await measureRecoveries(kills, say, interrupted);
  return { gas: measured, mass, splits: recoveries.map(split).filter((each) => each !== undefined) };
}

async function measureGas(sizes: readonly number[]): Promise<GasOfSteps[]> {
  say("deploying on a chain in this process");
  const chain = await FailoverChain.open();
  try {
    const measured: GasOfSteps[] = [];
    for (const nodes of sizes) {
      say(`registering ${count(nodes)} nodes`);
      await chain.growTo(nodes, (registered) => {
        if (registered < nodes) say(`  ${count(registered)}`);
      });
      say(`failing ${String(FAILED)} leases beside ${count(nodes)} nodes`);
      const steps = await chain.steps();
      for (const { step, gas: taken } of steps) say(`  ${step}: ${count(taken)} gas`);
      measured.push({ nodes, steps });
    }
    return measured;
  } finally {
    await chain.close();
  }
}

/** What is not as promised, in words. */
function faults(): string[] {
  const words: string[] = [];
  if (!(mass.last <= MASS_SECONDS)) {
    words.push(
      `Of ${String(mass.leases)} leases lost at once ${String(mass.drawn)} were drawn for, the last after ` +
        `${String(mass.last)} s instead of ${String(MASS_SECONDS)}.`,
    );
  }
  if (splits.length < kills)
    words.push(`Only ${String(splits.length)} of ${String(kills)} recoveries were seen whole.`);
  for (const { step } of gas[0]?.steps ?? []) {
    const all = gas.map(({ nodes, steps }) => ({ nodes, gas: steps.find((each) => each.step === step)?.gas ?? NaN }));
    const least = Math.min(...all.map((each) => each.gas));
    for (const each of all) {
      if (each.gas > least * (1 + (step.startsWith("draw") ? FLAT_DRAW : FLAT))) {
        words.push(
          `With ${String(each.nodes)} nodes, to ${step} takes ${String(each.gas)} gas, with others ${String(least)}.`,
        );
      }
    }
  }
  return words;
}

function report(): string {
  return flags.mass ? massReport() : `${recoveryReport()}\n\n${massReport()}`;
}

function massReport(): string {
  const { block, poll, transactionBlocks, oracleBlocks } = BASE_TIMES;
  return [
    `${count(mass.leases)} leases of ${count(mass.nodes)} nodes lost at once, simulated with BASE's parameters: blocks every ${String(block)} s, a`,
    `transaction mined ${String(transactionBlocks)} blocks after it is sent, the oracle's answer after ${String(oracleBlocks)} blocks, one keeper with one key that looks again after ${String(poll)} s.`,
    "",
    markdownTable(
      [{ heading: "" }, { heading: "", align: "right" }],
      [
        ["all expired after", `${String(mass.expired)} s`],
        ["first drawn for after", `${String(mass.first)} s`],
        ["half of them", `${String(mass.half)} s`],
        ["**all of them**", `${String(mass.last)} s (goal: ${String(MASS_SECONDS)} s)`],
        ["batches, transactions", `${count(mass.batches)}, ${count(mass.transactions)}`],
        ["gas in all, of the largest", `${count(mass.gas)}, ${count(mass.largest)}`],
      ],
    ),
  ].join("\n");
}

function recoveryReport(): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  const seconds = (value: number) => value.toFixed(1);
  const range = (pick: (each: Split) => number) => {
    const values = splits.map(pick);
    return [seconds(median(values)), `${seconds(Math.min(...values))} – ${seconds(Math.max(...values))}`];
  };
  const steps = gas[0]?.steps.map(({ step }) => step) ?? [];
  return [
    `${machine()}. A task with checkpoints every ${String(NETWORK.checkpointInterval)} s, a grace of ${String(NETWORK.grace)} s, blocks every`,
    `${String(NETWORK.block)} s; the killed agent's work goes on at another one. Medians of ${String(splits.length)} kills, seconds.`,
    "",
    markdownTable(
      [{ heading: "part" }, right("median"), right("from – to")],
      [
        ...PARTS.map((part) => [WORDS[part], ...range((each) => each[part])]),
        ["**SIGKILL to first new checkpoint**", ...range(({ total }) => total)],
      ],
    ),
    `Gas of each step, by registered nodes; ${String(FAILED)} leases fail together.`,
    "",
    markdownTable(
      [{ heading: "step" }, ...gas.map(({ nodes }) => right(`${count(nodes)} nodes`))],
      steps.map((step) => [step, ...gas.map((each) => count(each.steps.find((one) => one.step === step)?.gas ?? NaN))]),
    ),
    "No step's work grows with the number of nodes. A draw takes one write more where several nodes ask the same price",
    "(of 1,000 here): when a node leaves the list of its price, the last on the list takes its place. Among few nodes, draws",
    "of one batch also touch the same words of storage more often, which the EVM charges less for.",
  ].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en");
}
