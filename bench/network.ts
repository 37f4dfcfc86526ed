/**
 * What an agent and a keeper cost the chain's endpoint and their machine, by the size of the network: `npm run bench:network --
 * [--quick] [--json] [--write]`.
 *
 *     --quick    networks of up to 300 nodes and a tenth of the history, under three minutes
 *     --json     print JSON instead of tables
 *     --write    put the tables into docs/concepts/scale.md
 *
 * Real processes read a real chain over HTTP, through a proxy that counts. The chain is Hardhat's, simulated as an OP stack, with a
 * block every two seconds; its nodes have registered, and its leases were written into the contracts' storage. Exits with 1 if a
 * goal is missed.
 */
import { setTimeout as delay } from "node:timers/promises";

import { HDNodeWallet, toBeHex } from "ethers";

import { orAborted } from "@verai/checkpoint-store/signals";
import { interruptible } from "@verai/process/program";
import { openMarket } from "@verai/devnet/market";
import { Bench } from "@verai/devnet/programs";
import { dataOf, type Measured, openTrial, type Subject, type Trial } from "./network/measure.ts";
import { NetworkState, type Size } from "./network/state.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { load, machine, markdownTable, writeSection } from "./report.ts";

/** Seconds between two looks of agents and keepers, as they are unless configured. */
const INTERVAL = 4;
const KIB = 1_000;
/** Of Hardhat's accounts, which are public. */
const PHRASE = "test test test test test test test test test test test junk";

const flags = benchCommand(
  "bench:network",
  "What an agent and a keeper cost, by the size of the network",
  "networks of up to 300 nodes and a tenth of the history, under three minutes",
)
  .parse()
  .opts<BenchFlags>();
const say = (text: string): void => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};

const SIZES: readonly Size[] = flags.quick
  ? [
      { nodes: 30, live: 30, history: 1_000 },
      { nodes: 300, live: 300, history: 10_000 },
    ]
  : [
      { nodes: 100, live: 10_000, history: 10_000 },
      { nodes: 1_000, live: 10_000, history: 1_000_000 },
      { nodes: 10_000, live: 10_000, history: 1_010_000 },
    ];
/**
 * The first report of a start comes after half a minute, and until then V8 still compiles what runs again and again; what is done once a
 * minute counts once, in a quick look not at all.
 */
const TIMES = { settle: 36, steady: flags.quick ? 20 : 60 };
/** Whether agents and keeper run at the same time: a keeper's first look at a few hundred nodes does not keep this chain busy. */
const TOGETHER = flags.quick;
/** The simulated chain is one thread, and not fast: it may take its time over what an endpoint answers at once. */
const PATIENT = { timeout: 120 } as const;
/** CPU seconds of a start, judged where the machine is too busy for the time on the clock to say anything. */
const START_CPU = 5;

/** What is to hold of one subject. */
interface Goal {
  readonly subject: string;
  readonly what: string;
  readonly value: (of: Measured) => number;
  readonly most: number;
  readonly unit: string;
  /** Whether it may not grow by more than a fifth from the smallest network to the largest. */
  readonly flat: boolean;
}

const SUBJECT = { idle: "agent, idle", busy: "agent with 4 leases", keeper: "keeper of all kinds" } as const;

const GOALS: readonly Goal[] = [
  { subject: SUBJECT.idle, what: "calls a cycle", value: (of) => of.callsPerCycle, most: 3, unit: "", flat: true },
  {
    subject: SUBJECT.idle,
    what: "kB a cycle",
    value: (of) => of.bytesPerCycle / KIB,
    most: 20,
    unit: "kB",
    flat: true,
  },
  { subject: SUBJECT.idle, what: "CPU a cycle", value: (of) => of.cpuMsPerCycle, most: 20, unit: "ms", flat: true },
  { subject: SUBJECT.idle, what: "memory", value: (of) => of.rssMiB, most: 200, unit: "MiB", flat: true },
  { subject: SUBJECT.busy, what: "calls a cycle", value: (of) => of.callsPerCycle, most: 6, unit: "", flat: true },
  { subject: SUBJECT.keeper, what: "calls a cycle", value: (of) => of.callsPerCycle, most: 30, unit: "", flat: true },
  { subject: SUBJECT.keeper, what: "memory", value: (of) => of.rssMiB, most: 1_000, unit: "MiB", flat: false },
  ...Object.values(SUBJECT).flatMap((subject): Goal[] => [
    { subject, what: "start with nothing on disk", value: (of) => of.fresh, most: 60, unit: "s", flat: false },
    { subject, what: "start again after a kill", value: (of) => of.again, most: 10, unit: "s", flat: false },
    { subject, what: "CPU of starting again", value: (of) => of.againCpu, most: START_CPU, unit: "s", flat: false },
  ]),
];

const interrupted = interruptible(say);
const results = await measureAll().catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
const judged = GOALS.map((goal) => judge(goal));
const missed = judged.filter(({ misses }) => misses.length > 0);
if (flags.json) process.stdout.write(`${JSON.stringify({ machine: machine(), sizes: SIZES, results, missed })}\n`);
else process.stdout.write(report());
if (flags.write) writeSection("bench:network", report(), "concepts/scale.md");
for (const { goal, misses } of missed) say(`missed: ${goal.subject}, ${goal.what}: ${misses.join("; ")}`);
process.exit(missed.length > 0 ? 1 : 0);

/** Measures all sizes. A signal ends it, and the programs that it started, at once: what is under way is given up. */
async function measureAll(): Promise<Record<string, Measured[]>> {
  // By the rules of BASE, but: no node of the network but those measured reports, and they are not to be silent for as long as
  // this takes.
  const market = await orAborted(openMarket({ ReportTimeout: { value: 43_200 } }, "base"), interrupted);
  const bench = await Bench.open(market);
  try {
    return await orAborted(measureSizes(market, bench), interrupted);
  } finally {
    await bench.close();
    // A chain at work closes only when it has answered.
    if (!interrupted.aborted) await market.close();
  }
}

async function measureSizes(
  market: Awaited<ReturnType<typeof openMarket>>,
  bench: Bench,
): Promise<Record<string, Measured[]>> {
  const found: Record<string, Measured[]> = {};
  const state = new NetworkState(market);
  const operatorKeyOf = (at: number): string => (at <= 2 ? testKey(5 + at) : toBeHex(2n ** 120n + BigInt(at), 32));
  for (const size of SIZES) {
    const began = performance.now();
    await state.grow(size, operatorKeyOf);
    say(`${size.nodes} nodes, ${size.live} live leases, ${size.history} of history: made in ${seconds(began)} s`);
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [2_000] });
    const { agents, keeper } = subjects(bench);
    for (const group of TOGETHER ? [[...agents, keeper]] : [agents, [keeper]]) {
      await look(await Promise.all(group.map((subject) => openTrial(bench, market.url, subject))), found);
    }
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [0] });
  }
  return found;
}

/** Looks at programs in their steady state, all in the same seconds, and ends them. */
async function look(trials: readonly Trial[], found: Record<string, Measured[]>): Promise<void> {
  // What a start brings is not steady.
  await delay(TIMES.settle * 1000);
  const measured = await Promise.all(trials.map((trial) => trial.measure(TIMES.steady)));
  for (const [i, of] of measured.entries()) {
    const name = trials[i]?.subject.name ?? "";
    (found[name] ??= []).push(of);
    const { callsPerCycle, bytesPerCycle, cpuMsPerCycle, rssMiB, fresh, freshCpu, again, againCpu } = of;
    say(
      `  ${name}: ${callsPerCycle.toFixed(1)} calls, ${(bytesPerCycle / KIB).toFixed(1)} kB, ${cpuMsPerCycle.toFixed(0)} ms a cycle, ` +
        `${rssMiB.toFixed(0)} MiB; starts in ${fresh.toFixed(1)} s (${freshCpu.toFixed(1)} s of CPU), ` +
        `again in ${again.toFixed(1)} s (${againCpu.toFixed(1)} s of CPU); load ${load().toFixed(1)}`,
    );
  }
  await Promise.all(trials.map((trial) => trial.close()));
}

/** Private key of one of Hardhat's accounts. */
function testKey(account: number): string {
  return HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/0'/0/${String(account)}`).privateKey;
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0);
}

function subjects(bench: Bench): { readonly agents: readonly Subject[]; readonly keeper: Subject } {
  const agent = (name: string, account: number, owner: number): Subject => ({
    name,
    interval: INTERVAL,
    loops: ["agent", "telemetry", "audits"],
    args: (config) => ["agent/main.ts", "run", "--config", config],
    configure: (rpcUrl, port) => {
      const dataDir = dataOf(bench, `agent-${String(account)}`);
      const config = {
        network: { ...bench.network, rpcUrl, requests: PATIENT },
        operator: { testAccount: account },
        owner: { testAccount: owner },
        dataDir,
        node: {
          class: "cpu/eu",
          capacity: 1,
          ask: "0.001",
          powerThreshold: 100,
          powerMax: 1_000,
          energySource: "wind",
        },
        store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
        telemetry: { cpus: 64 },
        // Nobody has the spec of what it is leased: it waits for it.
        specTimeout: 86_400,
        service: { port, logLevel: "warn" },
      };
      return { dataDir, config };
    },
  });
  const keeper: Subject = {
    name: SUBJECT.keeper,
    interval: INTERVAL,
    loops: ["allocation", "failover", "audits", "reports", "balancing"],
    args: (config) => ["keepers/main.ts", "run", "--dry-run", "--config", config],
    configure: (rpcUrl, port) => {
      const dataDir = dataOf(bench, "keeper");
      const config = {
        network: { ...bench.network, rpcUrl, requests: PATIENT },
        dataDir,
        reports: { listen: ["/ip4/127.0.0.1/tcp/0"] },
        service: { port, logLevel: "error" },
      };
      return { dataDir, config };
    },
  };
  return { agents: [agent(SUBJECT.idle, 6, 1), agent(SUBJECT.busy, 7, 5)], keeper };
}

interface Judged {
  readonly goal: Goal;
  readonly values: readonly number[];
  readonly misses: readonly string[];
}

function judge(goal: Goal): Judged {
  const values = (results[goal.subject] ?? []).map(goal.value);
  const misses: string[] = [];
  const highest = Math.max(...values);
  if (highest > goal.most) misses.push(`${show(highest, goal.unit)} instead of at most ${show(goal.most, goal.unit)}`);
  const [first = 0, last = 0] = [values[0], values.at(-1)];
  // Less than half a call, or a few milliseconds, is no growth but noise.
  const noise = goal.unit === "" ? 0.5 : goal.unit === "ms" ? 5 : 0;
  if (goal.flat && last > 1.2 * first + noise)
    misses.push(`${show(first, goal.unit)} grew to ${show(last, goal.unit)}`);
  return { goal, values, misses };
}

function show(value: number, unit: string): string {
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)}${unit === "" ? "" : ` ${unit}`}`;
}

function report(): string {
  const columns = [
    { heading: "role" },
    { heading: "" },
    ...SIZES.map(({ nodes }) => ({ heading: `${nodes.toLocaleString("en")} nodes`, align: "right" as const })),
    { heading: "goal", align: "right" as const },
    { heading: "" },
  ];
  const rows = judged.map(({ goal, values, misses }) => [
    goal.subject,
    goal.what,
    ...values.map((value) => show(value, goal.unit)),
    `≤ ${show(goal.most, goal.unit)}${goal.flat ? ", flat" : ""}`,
    misses.length === 0 ? "met" : `**missed**: ${misses.join("; ")}`,
  ]);
  const sizes = SIZES.map(
    ({ nodes, live, history }) =>
      `${nodes.toLocaleString("en")} nodes with ${live.toLocaleString("en")} live leases and ${history.toLocaleString("en")} of history`,
  );
  return (
    `${markdownTable(columns, rows)}\nSizes: ${sizes.join("; ")}. A cycle is ${String(INTERVAL)} s; steady state is ${String(TIMES.steady)} s, ${String(TIMES.settle)} s after a ` +
    `restart. Bytes are those of JSON bodies, both ways. Measured on ${machine()}, load ${load().toFixed(1)} when it ended.\n`
  );
}
