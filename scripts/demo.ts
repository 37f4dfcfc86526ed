/**
 * The whole network on this machine: a local chain, the oracle, keepers and five agents as processes of their own, and
 * two developers who have models trained. Ends with a table, and with exit code 0 only if everything in it is as it must be.
 *
 *     node scripts/demo.ts [--json] [--keep] [--no-energy]
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Command } from "commander";

import { openSession, type Session } from "../chain/session.ts";
import { ACCOUNTS, NODES, TASKS } from "./demo/cast.ts";
import { startChain } from "./demo/chain.ts";
import { Configs } from "./demo/configs.ts";
import { showEnergy } from "./demo/energy.ts";
import { fetchCheckpoints, readTrained } from "./demo/outcome.ts";
import { gasByStep, readBooks } from "./demo/observe.ts";
import { jointOptimum } from "./demo/optimum.ts";
import { Processes, ROOT } from "./demo/processes.ts";
import { type Report, printReport, reportJson } from "./demo/report.ts";
import { Screen } from "./demo/screen.ts";

/** Time between two blocks, milliseconds. BASE has 2000; the demo is in more of a hurry. */
const BLOCK_MS = 1000;

/** Time for all of the training, milliseconds. */
const TIMEOUT_MS = 240_000;

const options = new Command("demo")
  .description("Runs a whole DRMP network on this machine, from deployment to trained, paid-for models")
  .option("--json", "end with one line of JSON on standard output", false)
  .option("--keep", "keep the network running afterwards, until Ctrl-C", false)
  .option("--no-energy", "leave out the part about load, power and energy")
  .parse()
  .opts<{ json: boolean; keep: boolean; energy: boolean }>();

const data = join(ROOT, ".data", "demo");
await rm(data, { recursive: true, force: true });
const screen = new Screen();
const processes = new Processes(join(data, "logs"));
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    screen.say(`${signal}: stopping`);
    void stopAll().then(() => process.exit(130));
  });
}

try {
  const report = await run();
  screen.close();
  if (options.json) process.stdout.write(`${reportJson(report)}\n`);
  else process.stdout.write(`\n${printReport(report)}\n`);
  process.exitCode = report.checks.every(({ ok }) => ok) ? 0 : 1;
  if (options.keep) {
    screen.say(`the network keeps running: RPC ${report.rpcUrl}, logs in ${join(data, "logs")}; Ctrl-C ends it`);
    await new Promise(() => undefined);
  }
} catch (error) {
  screen.close();
  if (!interrupted) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\nLogs: ${join(data, "logs")}\n`);
    process.exitCode = 1;
  }
}
if (!interrupted) {
  await stopAll();
  // Without this, sockets of the chain's last answers keep the process alive for a while.
  process.exit();
}

async function run(): Promise<Report> {
  screen.say("starting a local chain (OP stack, 2^24 gas a transaction) and deploying the protocol");
  const chain = await startChain(processes, BLOCK_MS);
  const configs = new Configs(data, chain);
  await configs.announceKeeper();
  screen.say("starting the oracle and five agents");
  const oracle = ["--rpc", chain.rpcUrl, "--deployment", chain.deployment, "--account", String(ACCOUNTS.oracle)];
  processes.start("oracle", ["oracle/main.ts", ...oracle, "--blocks", "1"]);
  for (const node of NODES)
    processes.start(`agent-${node.name}`, ["agent/main.ts", "run", "--config", await configs.agent(node)]);

  const session = await openSession({
    network: { ...chain, chainId: 31337 },
    fees: { maxFeePerGas: "100", stuckAfter: 30 },
    journals: join(data, "journals"),
  });
  const firstBlock = await session.provider.getBlockNumber();
  const core = processes.names();
  await processes.watch(core, registered(session));
  screen.say("five nodes are registered, staked and listed");

  processes.start("keeper", ["keepers/main.ts", "run", "--config", await configs.keeper()]);
  const developers = [];
  for (const cast of TASKS) {
    const { config, spec, terms, data: folder } = await configs.developer(cast);
    const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
    developers.push({ cast, folder, running: processes.start(`developer-${String(cast.account)}`, args) });
  }
  screen.say("two developers submit their tasks");
  const finished = Promise.all(
    developers.map(async ({ running }) => {
      const code = await running.exit;
      if (code !== 0) throw new Error(`${running.name} failed (${String(code)}); see ${running.log}`);
    }),
  );
  const followed = follow(session, finished);
  await processes.watch([...core, "keeper"], Promise.race([followed, timeout()]));
  screen.say("all tasks are trained, accepted and paid; the agents claim for their owners");
  await processes.watch(core, Promise.race([claimed(session), timeout()]));
  const report = await observe(session, chain.rpcUrl, firstBlock, developers);
  if (!options.energy) return report;
  const say = (text: string) => {
    screen.say(text);
  };
  const processOf = ({ name }: { readonly name: string }) => `agent-${name}`;
  const energy = await showEnergy({ session, processes, configs, say, processOf });
  return { ...report, energy, checks: [...report.checks, ...energy.checks] };
}

/** Waits until every node is registered and has said where it is reached. */
async function registered(session: Session): Promise<void> {
  for (;;) {
    const nodes = await session.reader.nodes(await session.reader.pin());
    if (nodes.filter(({ listing }) => listing).length === NODES.length) return;
    await delay(500);
  }
}

/** Waits until no owner of a node has anything left to claim. */
async function claimed(session: Session): Promise<void> {
  const { reader, contracts } = session;
  const owners = (await reader.nodes(await reader.pin())).map(({ owner }) => owner);
  for (;;) {
    const left = await Promise.all(owners.map((owner) => contracts.vault.claimable(owner)));
    if (left.every((amount) => amount === 0n)) return;
    await delay(500);
  }
}

/** Shows what happens on the chain until the developers are done. */
async function follow(session: Session, finished: Promise<unknown>): Promise<void> {
  const { reader } = session;
  let done = false;
  let round = "";
  const end = finished.finally(() => {
    done = true;
  });
  end.catch(() => undefined);
  while (!done) {
    const pin = await reader.pin();
    const current = await reader.round(pin);
    const now = `round ${String(current.id)} ${current.status}`;
    if (current.id > 0 && now !== round) {
      const units = current.demands.reduce((sum, each) => sum + each.units, 0);
      const settled = `: ${String(current.leases)} leases granted, ${String(current.unitsOpen)} units left open`;
      screen.say(`${now}${current.status === "settled" ? settled : ` (${String(units)} units)`}`);
      round = now;
    }
    const [tasks, leases] = await Promise.all([reader.tasks(pin), reader.leases(pin)]);
    const checkpoints = await reader.checkpoints(
      pin,
      leases.map(({ id }) => id),
    );
    for (const task of tasks) {
      const own = leases.filter(({ taskId }) => taskId === task.id);
      const progress = own.reduce(
        (sum, lease) => sum + (lease.result ? lease.count * 10_000 : (checkpoints.get(lease.id)?.progress ?? 0)),
        0,
      );
      const posted = own.reduce((sum, { id }) => sum + (checkpoints.get(id)?.sequence ?? 0), 0);
      const note = `${String(posted)} checkpoints, ${String(task.paidUnits)}/${String(task.units)} units paid`;
      screen.progress(TASKS[task.id - 1] ? `task ${String(task.id)}` : "task", progress / task.units / 10_000, note);
    }
    await Promise.race([delay(700), end]);
  }
  await end;
}

async function timeout(): Promise<never> {
  await delay(TIMEOUT_MS);
  throw new Error(`the tasks were not finished within ${String(TIMEOUT_MS / 1000)} s`);
}

/** Collects all that the table shows, and checks it. */
async function observe(
  session: Session,
  rpcUrl: string,
  firstBlock: number,
  developers: readonly { cast: (typeof TASKS)[number]; folder: string }[],
): Promise<Report> {
  const { reader, contracts, provider } = session;
  const pin = await reader.pin();
  const [nodes, classes, leases, tasks] = await Promise.all([
    reader.nodes(pin),
    reader.classes(pin),
    reader.leases(pin),
    reader.tasks(pin),
  ]);
  // Nodes registered in any order: an owner's account tells who is who.
  const accountOf = new Map<string, string>();
  for (const node of NODES) {
    const { signer } = await session.lane({ testAccount: node.ownerAccount });
    accountOf.set(signer.address, node.name);
  }
  const names = new Map(nodes.map(({ id, owner }) => [id, accountOf.get(owner) ?? `node ${String(id)}`]));
  const nameOf = (id: number) => names.get(id) ?? `node ${String(id)}`;
  const developerOf = await Promise.all(
    developers.map(async ({ cast, folder }) => {
      const { signer } = await session.lane({ testAccount: cast.account });
      const task = tasks.find(({ owner }) => owner === signer.address);
      return { cast, taskId: task?.id ?? 0, results: join(folder, "results"), address: signer.address };
    }),
  );
  const keeper = (await session.lane({ testAccount: ACCOUNTS.keeper })).signer.address;
  const accounts = [...nodes.map(({ owner }) => owner), ...developerOf.map(({ address }) => address), keeper];

  screen.say("fetching every lease's last checkpoint from the node that keeps its copy");
  const paid = leases.filter(({ status }) => status === "paid");
  const checkpoints = await fetchCheckpoints(session, paid, nodes, nameOf, join(data, "check"));
  const trained = await readTrained(developerOf, leases);
  const books = await readBooks(contracts, accounts);
  const gas = await gasByStep(provider, contracts, firstBlock);
  const optimum = jointOptimum(NODES, TASKS);
  const cost = paid.reduce((sum, { count, price }) => sum + BigInt(count) * BigInt(price) * 10n ** 12n, 0n);
  const units = TASKS.reduce((sum, each) => sum + each.units, 0);
  const best = developerOf.map(({ taskId }) =>
    Math.max(...trained.filter((each) => each.taskId === taskId).map(({ accuracy }) => accuracy)),
  );
  const highest = Math.max(...gas.map((each) => each.highest));
  return {
    rpcUrl,
    nodes: nodes.map((node) => {
      const own = paid.filter(({ nodeId }) => nodeId === node.id);
      const count = own.reduce((sum, lease) => sum + lease.count, 0);
      return {
        name: nameOf(node.id),
        class: classes.find(({ id }) => id === node.classId)?.name ?? "",
        capacity: node.capacity,
        askMicroVer: node.askTick * (classes.find(({ id }) => id === node.classId)?.tickSize ?? 0),
        leases: own.length,
        units: count,
        earnedWei: own.reduce((sum, { count: n, price }) => sum + BigInt(n) * BigInt(price) * 10n ** 12n, 0n),
      };
    }),
    cost: { paidWei: cost, optimumWei: optimum.paid },
    tasks: developerOf.map(({ cast, taskId }, i) => ({
      id: taskId,
      name: cast.name,
      units: cast.units,
      accuracies: trained.filter((each) => each.taskId === taskId).map(({ accuracy }) => accuracy),
      best: best[i] ?? 0,
    })),
    checkpoints,
    gas,
    books,
    checks: [
      {
        what: "every task has ended and every unit is paid",
        ok: tasks.length === 2 && tasks.every((t) => t.status === "ended" && t.paidUnits === t.units),
      },
      {
        what: "the nodes were paid exactly what the joint optimum costs",
        ok: cost === optimum.paid && optimum.served === units,
      },
      {
        what: "every unit delivered a model, and the best of each task reads more than 90 % of unseen digits",
        ok: trained.length === units && best.every((accuracy) => accuracy > 0.9),
      },
      {
        what: "the last checkpoint of every lease that posted one came back whole from another node",
        ok: checkpoints.length >= tasks.length && checkpoints.every(({ verified }) => verified),
      },
      { what: "no transaction used more than 2^24 gas", ok: highest > 0 && highest <= 2 ** 24 },
      { what: "the vault's books balance to the wei", ok: books.balanced },
    ],
  };
}

async function stopAll(): Promise<void> {
  const names = processes.names();
  const agents = names.filter((name) => name.startsWith("agent-"));
  await processes.stop(agents, 30_000);
  await processes.stop(
    names.filter((name) => !agents.includes(name) && name !== "chain"),
    10_000,
  );
  await processes.stop(["chain"], 5_000);
}
