/**
 * Gas and L1 fee of rounds against nodes and leases: `npm run bench:gas -- [--quick] [--json] [--write]`.
 *
 *     --quick            fewer nodes, and no search for the most expensive shape, under two minutes
 *     --json             print JSON instead of tables
 *     --write            put the tables (rounds; each action) into docs/reference/benchmarks.md and the plot into docs/images/gas.svg
 *     --eth-usd          price of 1 ETH that dollars are reckoned with
 *     --base-fee         base fee of the chain, gwei
 *     --l1-base-fee      base fee of the L1, gwei; a blob's base fee is at least a 16th of it (EIP-7918), and taken as that
 *     --base-fee-scalar, --blob-base-fee-scalar   as BASE's receipts show them
 *
 * Real transactions on an in-process chain of BASE's kind; the L1 fee that it takes is held against the formula. Exits
 * with 1 if a round of 100 leases takes more than 70,000 gas a lease, if that grows with the number of nodes, or if a legal
 * round takes more gas to settle than a transaction may.
 */

import { formatUnits, parseUnits } from "ethers";

import { actionCosts, actionTable } from "./gas/actions.ts";
import { type Cost, GasChain, type RoundCost } from "./gas/chain.ts";
import { type Dearest, dearest, type Shape, type ShapeLimits, tableShapes } from "./gas/shapes.ts";
import type { L1Prices } from "@verai/client/l1-fee";
import { type BenchFlags, benchCommand, positive, wholeNumber } from "./options.ts";
import { lineChart } from "./plot.ts";
import { markdownTable, writePicture, writeSection } from "./report.ts";

interface GasFlags {
  readonly ethUsd: string;
  readonly baseFee: string;
  readonly l1BaseFee: string;
  readonly baseFeeScalar: number;
  readonly blobBaseFeeScalar: number;
}

interface Measured {
  readonly nodes: number;
  readonly node: readonly { readonly name: string; readonly cost: Cost }[];
  readonly rounds: readonly RoundCost[];
}

const NODES = [100, 1_000, 10_000];
const LEASES = [1, 10, 50, 100, 192];
/** Maximum gas that a lease may take in a round of {@link ROUND} leases, and by how much more nodes may change that. */
const TARGET = 70_000;
const ROUND = 100;
const FLAT = 0.05;

const flags = benchCommand(
  "bench:gas",
  "Gas and L1 fee of rounds against nodes and leases",
  "fewer nodes, and no search for the most expensive shape, under two minutes",
)
  .option("--eth-usd <dollars>", "price of 1 ETH that dollars are reckoned with", positive, "3000")
  .option("--base-fee <gwei>", "base fee of the chain", positive, "0.005")
  .option("--l1-base-fee <gwei>", "base fee of the L1; a blob's is taken as a 16th of it", positive, "1")
  .option("--base-fee-scalar <number>", "as BASE's receipts show it", wholeNumber(), 2269)
  .option("--blob-base-fee-scalar <number>", "as BASE's receipts show it", wholeNumber(), 1055762)
  .parse()
  .opts<BenchFlags & GasFlags>();
const ethUsd = Number(flags.ethUsd);
const baseFee = parseUnits(flags.baseFee, "gwei");
const l1BaseFee = parseUnits(flags.l1BaseFee, "gwei");
const prices: L1Prices = {
  baseFee: l1BaseFee,
  blobBaseFee: l1BaseFee / 16n || 1n,
  baseFeeScalar: BigInt(flags.baseFeeScalar),
  blobBaseFeeScalar: BigInt(flags.blobBaseFeeScalar),
};

const measured = await measureAll(flags.quick ? NODES.slice(0, -1) : NODES);
const shapes = await measureShapes(!flags.quick);
const wrong = [...beyondTarget(measured), ...shapes.rows.flatMap(({ shape, cost }) => (cost ? [] : [tooDear(shape)]))];
const date = new Date().toISOString().slice(0, 10);
const actions = await actionCosts(baseFee, prices);
if (flags.json) {
  const assumptions = { date, ethUsd, baseFee, l1: prices };
  const text = JSON.stringify({ assumptions, measured, shapes, actions, wrong }, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  process.stdout.write(`${text}\n`);
} else {
  process.stdout.write(`${report()}\n${actionReport()}\n`);
}
if (flags.write) {
  const words = "Gas for each lease against the leases of a round, with 100, 1,000 and 10,000 nodes registered";
  writeSection("bench:gas actions", actionReport());
  writeSection("bench:gas", `${report()}\n${writePicture("gas.svg", chart(), words)}`);
}
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

async function measureAll(sizes: readonly number[]): Promise<Measured[]> {
  say("deploying");
  const chain = await GasChain.open(prices);
  try {
    const all: Measured[] = [];
    for (const nodes of sizes) {
      say(`registering ${count(nodes)} nodes`);
      await chain.growTo(nodes);
      const node = await chain.nodeCosts();
      const rounds: RoundCost[] = [];
      for (const leases of LEASES.filter((each) => each <= nodes)) {
        say(`a round of ${leases} leases`);
        rounds.push(await chain.roundCost(leases));
      }
      all.push({ nodes, node, rounds });
    }
    return all;
  } finally {
    await chain.close();
  }
}

interface Shapes {
  readonly limits: ShapeLimits;
  readonly rows: readonly { readonly shape: Shape; readonly cost: Awaited<ReturnType<GasChain["shapeCost"]>> }[];
  /** By the gas to settle it, and by the gas for each of few leases; none where nothing was searched. */
  readonly found: readonly { readonly by: string; readonly dearest: Dearest }[];
}

/** The table's shapes, and the dearest ones that a search finds. */
async function measureShapes(search: boolean): Promise<Shapes> {
  const chain = await GasChain.open(prices);
  try {
    const limits = await chain.limits();
    const costs = new Map<string, Shapes["rows"][number]>();
    const costOf = async (shape: Shape): Promise<Shapes["rows"][number]> => {
      const key = JSON.stringify(shape);
      const known = costs.get(key);
      if (known) return known;
      say(`a round of this shape: ${key}`);
      const row = { shape, cost: await chain.shapeCost(shape) };
      costs.set(key, row);
      return row;
    };
    const table = tableShapes(limits);
    for (const shape of table) await costOf(shape);
    const found: { by: string; dearest: Dearest }[] = [];
    if (search) {
      const settle = async (shape: Shape): Promise<number> => (await costOf(shape)).cost?.settle.gas ?? Infinity;
      found.push({ by: "gas to settle", dearest: await dearest(table.slice(1, 3), limits, settle) });
      // Few leases, so that what a round costs in any case is not hidden by their number.
      const few = { ...limits, units: limits.tasks };
      const each = async (shape: Shape): Promise<number> => {
        const { cost } = await costOf(shape);
        return cost ? gasPerLease(cost) : Infinity;
      };
      const start: Shape = { tasks: limits.tasks, accepts: 1, classes: 1, leases: limits.tasks, supply: "all" };
      const by = `gas a lease, ${limits.tasks} leases`;
      found.push({ by, dearest: await dearest([start], { ...few, tasks: limits.tasks }, each) });
    }
    const extra = found.map(({ dearest: { shape } }) => shape).filter((shape) => !table.some((it) => same(it, shape)));
    const rows = await Promise.all([...table, ...extra].map(costOf));
    return { limits, rows, found };
  } finally {
    await chain.close();
  }
}

function same(a: Shape, b: Shape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function tooDear(shape: Shape): string {
  return `A round of ${JSON.stringify(shape)} takes more gas to settle than a transaction may.`;
}

function shapeReport({ limits, rows, found }: Shapes): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  const headings = ["tasks", "classes of a task", "classes", "leases", "supply", "gas to open", "gas to settle"];
  return [
    "#### Shapes of a round",
    "",
    `What a round costs depends on its tasks (at most ${limits.tasks}), the classes that each of them accepts (${limits.taskClasses}), all its classes`,
    `(${limits.roundClasses}) and its leases (${limits.units}). Each lease is of one unit at a node of its own; *supply*: all that is listed is taken, or the`,
    "seed chooses in each class who of those that ask the same is left out. *Share*: of the gas that a transaction may take.",
    ...found.map(
      ({ by, dearest: { shape, tried } }) =>
        `The most expensive by ${by}, of ${tried} shapes that a search tried: ${shape.tasks} tasks of ${shape.accepts} classes, ${shape.classes} classes, ${shape.leases} leases.`,
    ),
    "",
    markdownTable(
      [...headings.map(right), ...["gas a lease", "share"].map(right)],
      rows.map(({ shape, cost }) => {
        const { tasks, accepts, classes } = shape;
        const own = [...[tasks, accepts, classes, cost?.leases ?? shape.leases].map(count), shape.supply];
        if (!cost) return [...own, "", "does not fit", "", ""];
        const share = `${((100 * cost.settle.gas) / 2 ** 24).toFixed(0)} %`;
        return [...own, count(cost.open.gas), count(cost.settle.gas), count(gasPerLease(cost)), share];
      }),
    ),
  ].join("\n");
}

/** What is not as promised, in words. */
function beyondTarget(all: readonly Measured[]): string[] {
  const perLease = all.flatMap(({ nodes, rounds }) =>
    rounds.filter(({ leases }) => leases === ROUND).map((round) => ({ nodes, gas: gasPerLease(round) })),
  );
  const least = Math.min(...perLease.map(({ gas }) => gas));
  return perLease.flatMap(({ nodes, gas }) => {
    const where = `With ${count(nodes)} nodes a round of ${ROUND} leases takes ${count(gas)} gas a lease`;
    if (gas > TARGET) return [`${where}, more than ${count(TARGET)}.`];
    return gas > least * (1 + FLAT) ? [`${where}, with others ${count(least)}: it grows with the nodes.`] : [];
  });
}

/** Opening and settling, by the leases that they grant. */
function gasPerLease({ open, settle, leases }: Pick<RoundCost, "open" | "settle" | "leases">): number {
  return (open.gas + settle.gas) / leases;
}

function actionReport(): string {
  return `${assumptions()} Gas is that of snapshots/.\n\n${actionTable(actions, ethUsd)}`;
}

function assumptions(): string {
  return (
    `L1 fees and dollars rest on assumptions, ${date}: a base fee of ${flags.baseFee} gwei (the minimum on BASE), an L1 base fee of ` +
    `${flags.l1BaseFee} gwei, a blob base fee of ${formatUnits(prices.blobBaseFee, "gwei")} gwei, scalars of ` +
    `${prices.baseFeeScalar} and ${prices.blobBaseFeeScalar}, 1 ETH = $${ethUsd}.`
  );
}

function report(): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  const rounds = markdownTable(
    [
      ...["nodes", "leases", "gas to open", "gas to settle", "gas a lease", "post", "settling transaction"].map(right),
      ...["compressed, estimated", "L1 fee", "dollars a round", "dollars a lease"].map(right),
    ],
    measured.flatMap(({ nodes, rounds }) =>
      rounds.map((round) => {
        const { leases, open, settle, post } = round;
        const dollars = usd(open) + usd(settle);
        return [
          ...[nodes, leases, open.gas, settle.gas, gasPerLease(round)].map(count),
          ...[post, settle.bytes, settle.estimated].map((bytes) => `${count(bytes)} B`),
          gwei(open.fee + settle.fee),
          ...[dollars, dollars / leases].map((value) => `$${value.toPrecision(2)}`),
        ];
      }),
    ),
  );
  const names = measured[0]?.node.map(({ name }) => name) ?? [];
  const others = markdownTable(
    [{ heading: "transaction" }, ...measured.map(({ nodes }) => right(`gas, ${count(nodes)} nodes`)), right("L1 fee")],
    [
      ...names.map((name) => ({
        name,
        costs: measured.map(({ node }) => node.find((each) => each.name === name)?.cost),
      })),
      { name: "submit a task", costs: measured.map((each) => each.rounds[0]?.submit) },
    ].map(({ name, costs }) => [name, ...costs.map((cost) => count(cost?.gas ?? NaN)), gwei(costs[0]?.fee ?? 0n)]),
  );
  return [
    "One task that accepts one class, every lease at a node of its own: the plainest round, by nodes and leases. *Gas a lease* is",
    "opening and settling together, tree updates and lease included. The oracle's answer is paid from its subscription.",
    "",
    `${assumptions()} Gas and bytes are measured.`,
    "",
    rounds,
    others,
    shapeReport(shapes),
  ].join("\n");
}

function chart(): string {
  const series = measured.map(({ nodes, rounds }) => ({
    name: `${count(nodes)} nodes`,
    points: rounds.map((round) => [round.leases, gasPerLease(round)] as const),
  }));
  const target = { name: "target", dashed: true, points: [[10, TARGET] as const, [200, TARGET] as const] };
  return lineChart({
    title: "Gas for each lease of a round",
    subtitle: "opening and settling together; one node for each lease",
    x: { label: "leases in the round", log: true },
    y: { label: "gas a lease", log: true },
    series: [...series, target],
  });
}

/** What a transaction costs with the assumed prices, execution and L1 together. */
function usd({ gas, fee }: Cost): number {
  return Number(formatUnits(BigInt(gas) * baseFee + fee, "ether")) * ethUsd;
}

function gwei(wei: bigint): string {
  return `${Number(formatUnits(wei, "gwei")).toPrecision(3)} gwei`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function say(what: string): void {
  if (!flags.json) process.stderr.write(`${what}\n`);
}
