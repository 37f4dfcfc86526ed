/**
 * How many tasks rounds lease in an hour: `npm run bench:rounds -- [--quick] [--json] [--write]`.
 *
 *     --quick    fewer rounds, under two minutes
 *     --json     print JSON instead of tables
 *     --write    put the table into docs/reference/benchmarks.md
 *
 * Tasks of one unit, each for one of sixteen classes, wait in a queue that is never empty. One allocation keeper with one key works as it
 * is on a simulated chain with BASE's parameters, block time and limit to a transaction. Exits with 1 if fewer than 10,000 tasks an hour
 * are leased, or if a transaction takes more gas than BASE allows.
 */

import { pino } from "pino";
import { Registry } from "prom-client";

import { openClient, openMarket } from "@verai/devnet/market";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { addClasses } from "./gas/classes.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { markdownTable, writeSection } from "./report.ts";
import { BASE_TIMES, SimulatedBase } from "./simulated-base.ts";

const GOAL = 10_000;
const CLASSES = 16;
const VER = 10n ** 18n;
const GAS_LIMIT = 2 ** 24;
/** Units of a node: a lease of one unit each, of as many tasks. */
const CAPACITY = 16;
/** More tasks than a round can have. */
const TASKS_A_ROUND = 105;
/** The keeper's default: seconds for which the newest task waits for company. */
const MIN_ROUND_AGE = 10;
/** Blocks after which the simulation is given up, for each round. */
const MAX_BLOCKS = 60;

/** A round as the chain tells of it. */
interface Round {
  readonly tasks: number;
  /** Seconds from its opening to its settlement, and to the opening of the next. */
  readonly settled: number;
  readonly next: number;
  readonly gas: { readonly open: number; readonly settle: number };
}

const flags = benchCommand("bench:rounds", "How many tasks rounds lease in an hour", "fewer rounds, under two minutes")
  .parse()
  .opts<BenchFlags>();
const say = (text: string): void => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};

const rounds = await measure(flags.quick ? 4 : 20);
const seconds = sum(rounds.map(({ next }) => next));
const leased = sum(rounds.map(({ tasks }) => tasks));
const perHour = Math.floor((leased * 3_600) / seconds);
const gas = rounds.flatMap((round) => [round.gas.open, round.gas.settle]);
const wrong = [
  ...(perHour >= GOAL ? [] : [`${count(perHour)} tasks an hour are leased, fewer than ${count(GOAL)}.`]),
  ...(Math.max(...gas) <= GAS_LIMIT ? [] : [`A transaction takes ${count(Math.max(...gas))} gas.`]),
];
process.stdout.write(
  flags.json ? `${JSON.stringify({ perHour, seconds, leased, goal: GOAL, rounds, wrong })}\n` : `${report()}\n`,
);
if (flags.write) writeSection("bench:rounds", report());
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exit(wrong.length === 0 ? 0 : 1);

/** Plays so many rounds and the opening of one more. */
async function measure(wanted: number): Promise<Round[]> {
  say("deploying on a chain in this process");
  const market = await openMarket({}, "base");
  const client = await openClient(market);
  try {
    const { contracts } = market;
    const first = await addClasses(market, CLASSES);
    const all = (wanted + 1) * TASKS_A_ROUND;
    say(`registering nodes of ${count(all)} units and submitting ${count(all)} tasks`);
    for (let i = 0; i * CAPACITY < all + CLASSES * CAPACITY; i++) {
      await market.addNode({ classId: first + (i % CLASSES), capacity: CAPACITY, ask: VER });
    }
    for (let i = 0; i < all; i++)
      await market.addTask({ units: 1, maxPrice: 2n * VER, classIds: [first + (i % CLASSES)] });
    const { timestamp = 0, number: before = 0 } = (await market.connection.ethers.provider.getBlock("latest")) ?? {};
    const logger = pino({ level: "silent" });
    const keeper = new AllocationKeeper({
      ...{ reader: client.reader, sender: queueSender(client.queue, logger, () => undefined), logger },
      ...{ solvers: [networkSimplex], metrics: allocationMetrics(new Registry()), minRoundAge: MIN_ROUND_AGE },
    });
    const base = new SimulatedBase(market, keeper, timestamp + BASE_TIMES.block, () => contracts.rounds.current());
    await base.begin();
    for (let last = 0n; last <= BigInt(wanted) && base.blocks < MAX_BLOCKS * (wanted + 1);) {
      await base.step();
      const { id } = await contracts.rounds.current();
      if (id !== last) say(`  round ${String(id)}`);
      last = id;
    }
    return await told(market, before + 1, wanted);
  } finally {
    client.provider.destroy();
    await market.close();
  }
}

/** The rounds since a block, from what the chain kept of them. */
async function told(market: Awaited<ReturnType<typeof openMarket>>, since: number, wanted: number): Promise<Round[]> {
  const { contracts, connection } = market;
  const { rounds: manager } = contracts;
  const opened = await manager.queryFilter(manager.filters.RoundOpened(), since);
  const settled = await manager.queryFilter(manager.filters.RoundSettled(), since);
  const gasOf = async (hash: string): Promise<number> =>
    Number((await connection.ethers.provider.getTransactionReceipt(hash))?.gasUsed ?? NaN);
  const timeOf = async (block: number): Promise<number> =>
    (await connection.ethers.provider.getBlock(block))?.timestamp ?? NaN;
  const found: Round[] = [];
  for (const [i, event] of opened.slice(0, wanted).entries()) {
    const [end, next] = [settled[i], opened[i + 1]];
    if (!end || !next) throw new Error(`round ${String(i + 1)} was not settled within ${String(MAX_BLOCKS)} blocks`);
    const at = await timeOf(event.blockNumber);
    found.push({
      tasks: Number(end.args.leases),
      settled: (await timeOf(end.blockNumber)) - at,
      next: (await timeOf(next.blockNumber)) - at,
      gas: { open: await gasOf(event.transactionHash), settle: await gasOf(end.transactionHash) },
    });
  }
  return found;
}

function report(): string {
  const range = (values: readonly number[]): string => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? count(least) : `${count(least)} to ${count(most)}`;
  };
  return [
    `Tasks of one unit, each for one of ${String(CLASSES)} classes, in a queue that is never empty; simulated with BASE's parameters: blocks every`,
    `${String(BASE_TIMES.block)} s, a transaction mined ${String(BASE_TIMES.transactionBlocks)} blocks after it is sent, the oracle's answer after ${String(BASE_TIMES.oracleBlocks)} blocks, one keeper with one key that looks again after ${String(BASE_TIMES.poll)} s.`,
    "",
    markdownTable(
      [{ heading: "" }, { heading: "", align: "right" }],
      [
        ["**tasks leased in an hour**", `${count(perHour)} (goal: ${count(GOAL)})`],
        ["rounds, tasks in each", `${count(rounds.length)}, ${range(rounds.map(({ tasks }) => tasks))}`],
        ["seconds from opening to settlement", range(rounds.map(({ settled }) => settled))],
        ["seconds from one opening to the next", range(rounds.map(({ next }) => next))],
        ["gas to open", range(rounds.map((round) => round.gas.open))],
        ["gas to settle", range(rounds.map((round) => round.gas.settle))],
        ["gas for each lease, both together", count(Math.round(sum(gas) / leased))],
      ],
    ),
  ].join("\n");
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

function count(value: number): string {
  return value.toLocaleString("en");
}
