/**
 * A rehearsal of BASE Sepolia on this machine: a chain with its id, block time, transaction gas cap and L1 data fee,
 * deployed from its parameters file, and driven only through the Hardhat tasks and the bots, from empty keystores to a
 * result that is paid for. In the middle the RPC endpoint fails for a while and, where the node can do it, the chain is
 * reorganised.
 *
 *     node scripts/rehearse.ts [--node hardhat|anvil] [--json]
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Option } from "commander";
import { formatEther, Wallet } from "ethers";

import { formatVer } from "@verai/protocol/money/ver";
import { EXIT, interruptible, jsonOption, messageOf, programOf } from "@verai/process/program";
import type { Reader } from "@verai/client/readers";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { Processes, ROOT } from "@verai/devnet/processes";
import { Output } from "@verai/devnet/output";
import { CHAIN_ID, giveEth, passTime, type RehearsalChain, startChain, whileMining } from "./rehearsal/chain.ts";
import { agentConfig, digits, keeperConfig } from "./rehearsal/configs.ts";
import { deploy } from "./rehearsal/coordinator.ts";
import { fillParameters } from "@verai/devnet/parameters-file";
import { Tasks } from "./rehearsal/hardhat.ts";
import { placeCoordinator } from "./rehearsal/coordinator.ts";
import { newWallet, type KeystoreWallet } from "@verai/devnet/wallets";
import { type HeldCheckpoint, heldCheckpoints, readerOf } from "./rehearsal/coordinator.ts";

const options = programOf(
  "rehearse",
  "Rehearses BASE Sepolia on this machine, from empty keystores to a paid-for result",
)
  .addOption(
    new Option("--node <name>", "whose node simulates the chain").choices(["hardhat", "anvil"]).default("hardhat"),
  )
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ node: "hardhat" | "anvil"; json: boolean }>();

/** Time for any one thing that is waited for, milliseconds. */
const TIMEOUT_MS = 900_000;

const UNITS = 3;
const ETH = 10n ** 18n;

interface TaskState {
  readonly status: string;
  readonly openUnits: number;
  readonly leasedUnits: number;
  readonly paidUnits: number;
  readonly leases: readonly {
    readonly id: number;
    readonly status: string;
    readonly nodeId: number;
    readonly parent: number;
  }[];
}

interface Check {
  readonly what: string;
  readonly ok: boolean;
}

// All nodes are on this machine, though the chain has the id of a public one; children inherit it.
process.env.DRMP_PRIVATE_ADDRESSES = "1";
const data = join(ROOT, ".data", "rehearsal", options.node);
const deploymentId = `test-rehearsal-${options.node}`;
await rm(data, { recursive: true, force: true });
const output = new Output();
const processes = new Processes(join(data, "logs"));
const interrupted = interruptible((text) => {
  output.say(text);
});
interrupted.addEventListener("abort", () => void stopAll().then(() => process.exit()));

try {
  const checks = await rehearse();
  for (const { what, ok } of checks) output.say(`${ok ? "ok    " : "FAILED"}  ${what}`);
  if (options.json) process.stdout.write(`${JSON.stringify({ node: options.node, checks })}\n`);
  process.exitCode = checks.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
} catch (error) {
  if (!interrupted.aborted) {
    process.stderr.write(`\n${messageOf(error)}\nLogs: ${join(data, "logs")}\n`);
    process.exitCode = EXIT.failed;
  }
}
await stopAll();
// Without this, sockets of the chain's last answers keep the process alive for a while.
process.exit();

async function rehearse(): Promise<Check[]> {
  output.say(`starting ${options.node}'s node as chain ${String(CHAIN_ID)}: blocks of 2 s, 2^24 gas a transaction`);
  const chain = await startChain(processes, options.node);
  const rpcProxy = new RpcProxy(chain.url);
  await rpcProxy.plug();

  output.say("making keystores, and giving their accounts ETH");
  const keys = join(data, "keys");
  const names = ["deployer", "governance", "guardian", "arbiter", "treasury", "oracle", "keeper-1", "keeper-2"];
  const people = new Map<string, KeystoreWallet>();
  for (const name of [...names, "owner-1", "owner-2", "operator-1", "operator-2", "developer"]) {
    const person = await newWallet(keys, name);
    people.set(name, person);
    await giveEth(chain, person.address, ETH);
  }
  const who = (name: string): KeystoreWallet => {
    const person = people.get(name);
    if (!person) throw new Error(`nobody is called ${name}`);
    return person;
  };

  output.say("deploying from BASE Sepolia's parameters file");
  const parameters = join(data, "baseSepolia.json");
  const holders = { governance: who("governance").address, guardian: who("guardian").address };
  const { vrfCoordinator } = await fillParameters(parameters, {
    ...holders,
    arbiter: who("arbiter").address,
    treasury: who("treasury").address,
  });
  const payer = await walletOf(who("deployer"));
  await whileMining(chain, placeCoordinator(chain, payer.connect(chain.provider), vrfCoordinator));
  const endpoint = { BASE_SEPOLIA_RPC_URL: rpcProxy.url };
  const deployer = who("deployer");
  const deployment = await whileMining(chain, deploy(processes, parameters, deploymentId, endpoint, deployer));
  const tasks = new Tasks(processes, endpoint, deployment);
  const check = await tasks.run<{ wrong: number; findings: { what: string; level: string }[] }>("network:check", [
    "--parameters",
    parameters,
  ]);
  output.say(
    `network:check made ${String(check.findings.length)} checks; ${String(check.wrong)} found something wrong`,
  );

  const network = { rpcUrl: rpcProxy.url, chainId: CHAIN_ID, deployment };
  const oracle = who("oracle");
  const signs = ["--keystore", oracle.keystore, "--passphrase-file", oracle.passphraseFile];
  const where = ["--rpc", chain.url, "--chain-id", String(CHAIN_ID), "--deployment", deployment];
  processes.start("oracle", ["packages/devnet/vrf-fulfiller.ts", ...where, ...signs, "--blocks", "1"]);

  output.say("registering two nodes from their owners' wallets, and starting their agents and two keepers");
  const nodes: number[] = [];
  for (const [i, ask] of ["0.010", "0.014"].entries()) {
    const n = String(i + 1);
    const { consent } = await tasks.run<{ consent: string }>(
      "node:consent",
      ["--owner", who(`owner-${n}`).address],
      who(`operator-${n}`),
    );
    const { node } = await tasks.run<{ node: number }>(
      "node:register",
      [
        "--operator",
        who(`operator-${n}`).address,
        "--consent",
        consent,
        "--class",
        "cpu/eu",
        "--capacity",
        "2",
        "--ask",
        ask,
        "--energy-source",
        "wind",
      ],
      who(`owner-${n}`),
    );
    nodes.push(node);
    const config = await write(`agent-${n}`, agentConfig(data, network, who(`operator-${n}`)));
    processes.start(`agent-${n}`, ["agent/main.ts", "run", "--config", config]);
    const keeper = await write(`keeper-${n}`, keeperConfig(data, network, who(`keeper-${n}`), n));
    processes.start(`keeper-${n}`, ["keepers/main.ts", "run", "--config", keeper]);
  }
  const bots = ["agent-1", "agent-2", "keeper-1", "keeper-2", "oracle", "chain"];

  const terms = ["--units", String(UNITS), "--max-price", "0.02", "--classes", "cpu/eu"];
  const quote = await tasks.run<{ cost: string; openUnits: number }>("task:quote", terms);
  output.say(`task:quote says ${formatVer(BigInt(quote.cost))} VER for ${String(UNITS)} units`);
  const spec = await write("spec", digits());
  const store = ["--store", join(data, "developer")];
  const times = ["--within", "24h", "--interval", "60s"];
  const submission = tasks.start("task:submit", ["--spec", spec, ...terms, ...times, ...store], who("developer"));

  const reader = await readerOf(chain, deployment);
  // Waiting looks at the chain itself; `task:status` then shows what was waited for, as it does to people.
  const until = async (what: string, reached: (now: TaskState) => boolean): Promise<TaskState> => {
    output.say(`waiting until ${what}`);
    for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await delay(1500)) {
      const seen = await taskState(reader, 1).catch(() => undefined);
      if (!seen || !reached(seen)) continue;
      const now = await tasks.run<TaskState>("task:status", ["--task", "1"]);
      if (reached(now)) return now;
    }
    throw new Error(`not within ${String(TIMEOUT_MS / 1000)} s: ${what}`);
  };
  await processes.watch(
    bots,
    until("every unit is leased", ({ leasedUnits }) => leasedUnits === UNITS),
  );

  output.say("cutting the RPC endpoint for 15 s");
  await rpcProxy.cut();
  await delay(15_000);
  await rpcProxy.plug();
  const reorganised = await reorganise(chain);
  // The interval of the first checkpoints is over while the training goes on.
  await passTime(chain, 60);
  const held = await processes.watch(bots, untilHeld(chain, deployment));
  for (const { lease, nodes: holders } of held) {
    output.say(`a checkpoint of lease ${String(lease)} was posted with a receipt of node ${holders.join(", ")}`);
  }

  const delivered = await processes.watch(
    bots,
    until("every unit is delivered", ({ leases }) => {
      const live = leases.filter(({ status }) => ["active", "delivered", "paid"].includes(status));
      return live.length > 0 && live.every(({ status }) => status !== "active");
    }),
  );
  const result = await tasks.run<{ results: { path: string; lease: number }[]; accepted: number[] }>(
    "task:result",
    ["--task", "1", "--out", join(data, "results"), "--accept", "--store", join(data, "collector")],
    who("developer"),
  );
  const ended = await processes.watch(bots, tasks.result<{ status: string; paid: number }>(submission));
  output.say(`the task has ${ended.status}; ${String(ended.paid)} units are paid`);

  const earned: bigint[] = [];
  for (const [i, node] of nodes.entries()) {
    const owner = who(`owner-${String(i + 1)}`);
    const status = await tasks.run<{ earnings: { paid: string } }>("node:status", ["--node", String(node)]);
    earned.push(BigInt(status.earnings.paid));
    if (BigInt(status.earnings.paid) > 0n) await tasks.run("node:claim", [], owner);
    await tasks.run("node:drain", ["--node", String(node)], owner);
  }
  const back = await tasks.run<{ amount: string }>("node:claim", [], who("developer"));
  const after = await tasks.run<{ wrong: number }>("network:check", ["--parameters", parameters]);
  const metrics = await accuracies(result.results.map(({ path }) => path));
  const l1 = await l1FeePaid(chain);
  const paid = earned.reduce((sum, each) => sum + each, 0n);
  output.say(`nodes earned ${formatVer(paid)} VER; ${formatVer(BigInt(back.amount))} VER of the escrow came back`);
  if (chain.l1Fee) output.say(`the last 200 blocks' transactions paid ${formatEther(l1)} ETH of L1 data fee`);
  return [
    { what: "the deployment is what its parameters file says, before and after", ok: check.wrong + after.wrong === 0 },
    { what: "every unit is paid, none is lost", ok: ended.status === "ended" && ended.paid === UNITS },
    { what: "the nodes earned what the task was quoted", ok: paid === BigInt(quote.cost) && quote.openUnits === 0 },
    { what: "what was not spent of the escrow came back", ok: BigInt(back.amount) > 0n },
    {
      what: "every result was fetched by its CID, verified, and holds a trained model",
      ok: metrics.length === UNITS && metrics.every((accuracy) => accuracy > 0.5),
    },
    {
      what: "each lease posted a checkpoint that another node holds and has signed for",
      ok: delivered.leases.every(({ id, nodeId }) =>
        held.some(({ lease, nodes: holders }) => lease === id && holders.length > 0 && !holders.includes(nodeId)),
      ),
    },
    { what: "no lease was lost to the outage", ok: delivered.leases.every(({ parent }) => parent === 0) },
    ...(chain.prefix === "anvil" ? [{ what: "the chain was reorganised in between", ok: reorganised }] : []),
    ...(chain.l1Fee ? [{ what: "transactions paid BASE's L1 data fee", ok: l1 > 0n }] : []),
  ];
}

/** A task as the chain has it now; undefined if there is none with this id. */
async function taskState(reader: Reader, id: number): Promise<TaskState | undefined> {
  const block = await reader.block();
  const task = await reader.task(block, id);
  if (!task) return undefined;
  const leases = (await reader.leases(block)).filter(({ taskId }) => taskId === id);
  return { ...task, leases };
}

/** Waits until as many leases as there are nodes have posted a checkpoint with a receipt. */
async function untilHeld(chain: RehearsalChain, deployment: string): Promise<HeldCheckpoint[]> {
  output.say("waiting until each lease has posted a checkpoint with a receipt");
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await delay(1500)) {
    const held = await heldCheckpoints(chain, deployment);
    if (new Set(held.map(({ lease }) => lease)).size >= 2) return held;
  }
  throw new Error(`not within ${String(TIMEOUT_MS / 1000)} s: a checkpoint of each lease with a receipt`);
}

/** Takes back the last two blocks, and what was in them, where the node can do it. */
async function reorganise(chain: RehearsalChain): Promise<boolean> {
  if (chain.prefix !== "anvil") return false;
  const before = (await chain.provider.send("eth_getBlockByNumber", ["latest", false])) as {
    number: string;
    hash: string;
  };
  await chain.provider.send("anvil_reorg", [2, []]);
  const again = (await chain.provider.send("eth_getBlockByNumber", [before.number, false])) as { hash: string } | null;
  output.say("reorganised the last two blocks away");
  return again?.hash !== before.hash;
}

/** Wei of L1 data fee that the receipts of the last 200 blocks name. */
async function l1FeePaid({ provider, l1Fee }: RehearsalChain): Promise<bigint> {
  if (!l1Fee) return 0n;
  const last = await provider.getBlockNumber();
  let sum = 0n;
  for (let number = Math.max(0, last - 200); number <= last; number++) {
    const block = (await provider.send("eth_getBlockByNumber", [`0x${number.toString(16)}`, false])) as {
      transactions: string[];
    };
    for (const hash of block.transactions) {
      const receipt = (await provider.send("eth_getTransactionReceipt", [hash])) as { l1Fee?: string };
      sum += BigInt(receipt.l1Fee ?? 0);
    }
  }
  return sum;
}

/** Test accuracies that the fetched results hold. */
async function accuracies(paths: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const path of paths) {
    for (let unit = 0; unit < UNITS; unit++) {
      const text = await readFile(join(path, `unit-${String(unit)}`, "metrics.json"), "utf8").catch(() => undefined);
      if (text !== undefined) found.push((JSON.parse(text) as { accuracy: number }).accuracy);
    }
  }
  return found;
}

async function walletOf({ keystore, passphraseFile }: KeystoreWallet): Promise<Wallet> {
  const passphrase = (await readFile(passphraseFile, "utf8")).trim();
  const { privateKey } = await Wallet.fromEncryptedJson(await readFile(keystore, "utf8"), passphrase);
  return new Wallet(privateKey);
}

async function write(name: string, content: object): Promise<string> {
  const folder = join(data, "config");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}

async function stopAll(): Promise<void> {
  const first = processes.names().filter((name) => name !== "chain");
  await processes.stop(first, 20_000);
  await processes.stop(["chain"], 5_000);
  await rm(join(ROOT, "ignition", "deployments", deploymentId), {
    recursive: true,
    force: true,
    maxRetries: 20,
    retryDelay: 250,
  });
}
