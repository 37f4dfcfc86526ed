import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import {
  ACCOUNTS,
  AUDITED,
  CHEAT,
  NODES,
  type ParticipantNode,
  type ParticipantTask,
  SPARES,
  TASKS,
  VERIFIERS,
} from "@verai/devnet/participants";
import { type DemoChain, startChain } from "@verai/devnet/chain";
import { Configs } from "@verai/devnet/configs";
import {
  active,
  cutOff,
  damageCopies,
  type FaultContext,
  inTraining,
  killInTraining,
  nodeIdOf,
  restartKeeperInPost,
  seen,
  type Silence,
  silenceOracle,
} from "@verai/devnet/faults";
import { type Processes, type Running } from "@verai/devnet/processes";
import { REFERENCE } from "@verai/devnet/reference-run";
import type { Output } from "@verai/devnet/output";
import { BlockClock, type Fault } from "@verai/devnet/timeline";
import { type AuditStory, cheatAtWork, followAudit } from "./audit-story.ts";

/** Time between two blocks, milliseconds. BASE has 2000; the demo is in more of a hurry. */
const BLOCK_MS = 1000;

/** Time for all of the training and its recoveries, milliseconds. */
const TIMEOUT_MS = 1_800_000;

/**
 * The demo waits shorter than a real network before it takes a node for failed, or the oracle for silent. What its nodes
 * do is judged by their checkpoints alone.
 */
const CHANGES = {
  // With the interval, 42 s: a machine on which all others work as well takes half a minute for the first checkpoints.
  LeaseGrace: { value: 36 },
  SeedTimeout: { value: 20, min: 20 },
  ReportTimeout: { value: 65_535, max: 65_535 },
  // All its nodes are new, and of a new node every segment is drawn. So the audience need not wait for luck.
  auditTerms: { epoch: 10, newChance: 10_000 },
};

/** All machines of the demo. */
export const MACHINES: readonly ParticipantNode[] = [...NODES, ...SPARES, CHEAT, ...VERIFIERS];

/** What makes a cheat of an agent that is started with it. */
const CHEATING = ["--import", "./packages/devnet/cheat.ts"];

/** What the demo came to. */
export interface Scenario {
  readonly session: Session;
  readonly chain: DemoChain;
  readonly configs: Configs;
  readonly firstBlock: number;
  readonly clock: BlockClock;
  readonly faults: readonly Fault[];
  /** Nodes on whose disks a block was damaged. */
  readonly damaged: readonly string[];
  readonly silence: Silence;
  /** The transaction in whose midst the keeper was killed. */
  readonly inFlight: { readonly label: string; readonly nonce: number };
  readonly audit: AuditStory;
  readonly developers: readonly { readonly participant: ParticipantTask; readonly folder: string }[];
  /** Undisturbed trainings: SHA-256 of the weights by account of the developer and unit. */
  readonly reference: ReadonlyMap<number, Readonly<Record<number, string>>>;
}

/** Runs the whole network through everything that the demo does to it, until all is trained, paid and claimed. */
export async function runScenario(processes: Processes, output: Output, data: string): Promise<Scenario> {
  const say = (text: string) => {
    output.say(text);
  };
  say("starting a local chain (OP stack, 2^24 gas a transaction) and deploying the protocol");
  const chain = await startChain(processes, BLOCK_MS, "demo", CHANGES);
  const configs = new Configs(data, chain);
  await configs.announceKeeper();
  const rpcProxies = new Map<string, RpcProxy>();
  const startAgent = async (node: ParticipantNode): Promise<Running> => {
    const rpcProxy = rpcProxies.get(node.name) ?? new RpcProxy(chain.rpcUrl);
    if (!rpcProxies.has(node.name)) await rpcProxy.plug();
    rpcProxies.set(node.name, rpcProxy);
    const config = await configs.agent(node, {}, rpcProxy.url);
    const how = node === CHEAT ? CHEATING : [];
    return processes.start(`agent-${node.name}`, [...how, "agent/main.ts", "run", "--config", config]);
  };
  say("starting the oracle and five agents");
  const oracle = ["--rpc", chain.rpcUrl, "--deployment", chain.deployment, "--account", String(ACCOUNTS.oracle)];
  processes.start("oracle", ["packages/devnet/vrf-fulfiller.ts", ...oracle, "--blocks", "1"]);
  for (const node of NODES) await startAgent(node);

  const session = await openSession({
    network: { ...chain, chainId: LOCAL_CHAIN_ID },
    fees: { maxFeePerGas: "100", stuckAfter: 30 },
    journals: join(data, "journals"),
  });
  const firstBlock = await session.provider.getBlockNumber();
  const clock = new BlockClock();
  clock.start(session);
  await processes.watch(processes.names(), listed(session, NODES.length));
  say("five nodes are registered, staked and listed");

  // Both tasks are there when it starts: no round need wait for company.
  const keeperConfig = await configs.keeper(1);
  const startKeeper = () => {
    processes.start("keeper", ["keepers/main.ts", "run", "--config", keeperConfig]);
  };
  const developers: { participant: ParticipantTask; folder: string; spec: string; running: Running }[] = [];
  const submit = async (participant: ParticipantTask): Promise<void> => {
    const { config, spec, terms, data: folder } = await configs.developer(participant);
    const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
    const running = processes.start(`developer-${String(participant.account)}`, args);
    developers.push({ participant, folder, spec, running });
    const code = await running.exit;
    if (code !== 0) throw new Error(`${running.name} failed (${String(code)}); see ${running.log}`);
  };
  say("two developers submit their tasks");
  const first = Promise.all(TASKS.map(submit));
  first.catch(() => undefined);
  // The first round is to serve both tasks, however long one of their developers takes to submit.
  const submitted = async () => (await session.reader.tasks(await session.reader.block())).length === TASKS.length;
  await processes.watch(processes.names(), seen(submitted));
  startKeeper();

  const parts: FaultContext = {
    session,
    processes,
    say,
    agents: MACHINES.map((node) => ({
      node,
      process: `agent-${node.name}`,
      data: configs.agentData(node),
    })),
  };
  const reference = new Map<number, Promise<Record<number, string>>>();
  let audited: Promise<void> | undefined;
  const cheat = async (): Promise<AuditStory> => {
    const come = [CHEAT, ...VERIFIERS];
    for (const node of come) await startAgent(node);
    // The first round is without them: its optimum is worked out by hand.
    const opened = async () => (await session.reader.round(await session.reader.block())).id > 0;
    // Nor is anybody drawn to verify who was not enlisted before.
    await seen(async () => (await standing(session, come)) && (await enlisted(session, VERIFIERS)) && opened());
    say(`four more nodes come, one of them a cheat, and a third developer submits a task that asks for audits`);
    audited = submit(AUDITED);
    const stage = { session, say, nodes: MACHINES, firstBlock };
    const told = cheatAtWork(stage).then((leaseId) => followAudit(stage, leaseId));
    return Promise.race([told, audited.then(() => told)]);
  };
  const disturb = async () => {
    const story = cheat();
    story.catch(() => undefined);
    const { signer } = await session.queue({ testAccount: ACCOUNTS.keeper });
    const journals = join(data, "data", "keeper", "journals");
    const inFlight = await restartKeeperInPost(parts, journals, signer.address, startKeeper);

    say("two more nodes join, too expensive for this round, with room for the work of others");
    for (const node of SPARES) await startAgent(node);

    const [ada, ...others] = NODES;
    if (!ada) throw new Error("the participants have changed");
    const killed = await killInTraining(parts, ada);
    const damaged: string[] = [];
    for (const id of killed.leaseIds) damaged.push(...(await damageCopies(parts, id, ada)));
    const successorsOf = async (id: number) =>
      (await session.reader.leases(await session.reader.block())).filter(({ parent }) => parent === id);
    // The oracle is needed for this, and falls silent next.
    await seen(async () => (await Promise.all(killed.leaseIds.map(successorsOf))).flat().length > 0);
    // A node that cannot look at the chain serves nobody: the only copies of the killed node's work stay within reach until then.
    const { checkpoints } = session.contracts;
    const copied = await checkpoints.queryFilter(checkpoints.filters.CheckpointReplicated());
    const ofKilled = copied.filter(({ args }) => killed.leaseIds.includes(Number(args.leaseId)));
    const copyists = new Set(ofKilled.flatMap(({ args }) => args.nodeIds.map(Number)));
    const restored = async () => {
      const successors = (await Promise.all(killed.leaseIds.map(successorsOf))).flat();
      const ids = successors.map(({ id }) => id);
      const newest = await session.reader.checkpoints(await session.reader.block(), ids);
      return ids.every((id) => (newest.get(id)?.sequence ?? 0) > 0);
    };
    // Of the others, one in the middle of its work, the cheap ones first: they hold the most units.
    const { victim, rpcProxy, cut } = await seen(async () => {
      const ids = await Promise.all(others.map((node) => nodeIdOf(session, node)));
      const leases = await session.reader.leases(await session.reader.block());
      if (!leases.some(({ nodeId, status }) => ids.includes(nodeId) && status === "active")) {
        const names = others.map(({ name }) => name).join(", ");
        throw new Error(`nobody of ${names} trains any longer, so nobody can be cut off: the demo came too late to it`);
      }
      for (const node of others.toSorted((x, y) => Number(x.ask) - Number(y.ask))) {
        const plug = rpcProxies.get(node.name);
        const id = await nodeIdOf(session, node);
        if (!plug || !(await inTraining(session, id, 1)) || (copyists.has(id) && !(await restored()))) continue;
        const fault = await cutOff(parts, node, plug);
        if (fault) return { victim: node, rpcProxy: plug, cut: fault };
      }
      return undefined;
    });
    const continued = async (id: number) => {
      const [successor] = await seen(async () => {
        const after = await successorsOf(id);
        return after.length > 0 && after;
      });
      say(`lease ${String(id)} goes on as lease ${String(successor?.id)}, drawn from a seed`);
    };
    // Audits and rounds need seeds until the lease runs out, whose request is the one that gets none.
    await seen(async () => {
      const { timestamp } = await session.reader.block();
      const held = await active(session, cut.leaseIds);
      return held.length === 0 || held.some(({ due }) => timestamp >= due - 3);
    });
    // Side by side: work of the killed node that was not in this batch also waits for the oracle.
    const [silence] = await Promise.all([silenceOracle(parts), ...killed.leaseIds.map(continued)]);
    for (const participant of [...TASKS, AUDITED]) {
      const spec = developers.find((each) => each.participant === participant)?.spec ?? "";
      reference.set(participant.account, undisturbed(processes, participant, spec));
    }
    await seen(async () => (await active(session, cut.leaseIds)).length === 0);
    await rpcProxy.plug();
    say(`${victim.name} reaches the chain again and finds its leases gone; ${ada.name} is started again`);
    await startAgent(ada);
    return { faults: [killed, cut], damaged, silence, inFlight, audit: await story };
  };
  const disturbing = disturb();
  // The audited task is submitted in between.
  const finished = Promise.all([first, disturbing]).then(() => audited);
  const all = Promise.all([disturbing, follow(session, output, finished)]);
  const steady = ["chain", "oracle"];
  const [disturbed] = await processes.watch(steady, Promise.race([all, timeout()]));

  say("all tasks are trained, accepted and paid; the agents claim for their owners");
  await processes.watch(steady, Promise.race([claimed(session), timeout()]));
  say("training every unit once more, undisturbed, to compare the weights");
  const weights = new Map<number, Record<number, string>>();
  for (const [account, trained] of reference) weights.set(account, await trained);
  clock.stop();
  // In the order of the story, not in that in which their configurations were written.
  const inOrder = [...TASKS, AUDITED].flatMap((task) => developers.filter(({ participant }) => participant === task));
  return { session, chain, configs, firstBlock, clock, developers: inOrder, reference: weights, ...disturbed };
}

/** Trains a task's units in a process of its own, as nobody disturbs them. */
async function undisturbed(
  processes: Processes,
  participant: ParticipantTask,
  spec: string,
): Promise<Record<number, string>> {
  const name = `reference-${String(participant.account)}`;
  await processes.run(name, [REFERENCE, spec, String(participant.units)]);
  const text = await readFile(processes.logOf(name), "utf8");
  return JSON.parse(text.trimEnd().split("\n").at(-1) ?? "{}") as Record<number, string>;
}

/** Whether all of these nodes are in the market. */
async function standing(session: Session, nodes: readonly ParticipantNode[]): Promise<boolean> {
  const { reader } = session;
  const ids = await Promise.all(nodes.map((node) => nodeIdOf(session, node)));
  const found = await reader.nodesById(
    await reader.block(),
    ids.filter((id) => id > 0),
  );
  return found.filter(({ listing }) => listing).length === nodes.length;
}

/** Whether all of these nodes verify the work of others. */
async function enlisted(session: Session, nodes: readonly ParticipantNode[]): Promise<boolean> {
  const { auditEpochs } = session.contracts;
  const ids = await Promise.all(nodes.map((node) => nodeIdOf(session, node)));
  const found = await Promise.all(ids.map((id) => auditEpochs.enlistmentOf(id)));
  return found.every(({ enlistedAt }) => enlistedAt > 0n);
}

/** Waits until so many nodes are in the market. */
async function listed(session: Session, count: number): Promise<void> {
  await seen(async () => {
    const nodes = await session.reader.nodes(await session.reader.block());
    return nodes.filter(({ listing }) => listing).length >= count;
  });
}

/**
 * Waits until no owner of a node has anything left to claim. Where a lease was given back, its fee is its task's until a keeper
 * distributes it, after the task's end.
 */
async function claimed(session: Session): Promise<void> {
  const { reader, contracts } = session;
  await seen(async () => (await contracts.releaseFees.heldCount()) === 0n);
  const owners = (await reader.nodes(await reader.block())).map(({ owner }) => owner);
  await seen(async () => {
    const left = await Promise.all(owners.map((owner) => contracts.vault.claimable(owner)));
    return left.every((amount) => amount === 0n);
  });
}

async function timeout(): Promise<never> {
  await delay(TIMEOUT_MS);
  throw new Error(`the tasks were not finished within ${String(TIMEOUT_MS / 1000)} s`);
}

/** Shows what happens on the chain until the developers are done. */
async function follow(session: Session, output: Output, finished: Promise<unknown>): Promise<void> {
  const { reader } = session;
  let done = false;
  let round = "";
  const end = finished.finally(() => {
    done = true;
  });
  end.catch(() => undefined);
  while (!done) {
    const block = await reader.block();
    const current = await reader.round(block);
    const now = `round ${String(current.id)} ${current.status}`;
    if (current.id > 0 && now !== round) {
      const units = current.demands.reduce((sum, each) => sum + each.units, 0);
      const settled = `: ${String(current.leases)} leases granted, ${String(current.unitsOpen)} units left open`;
      output.say(`${now}${current.status === "settled" ? settled : ` (${String(units)} units)`}`);
      round = now;
    }
    const [tasks, leases] = await Promise.all([reader.tasks(block), reader.leases(block)]);
    const checkpoints = await reader.checkpoints(
      block,
      leases.map(({ id }) => id),
    );
    for (const task of tasks) {
      const own = leases.filter(({ taskId }) => taskId === task.id);
      // What a lease that failed had done counts until its successors have done more.
      const live = own.filter(({ status }) => !["expired", "released", "rejected"].includes(status));
      const progress = live.reduce(
        (sum, lease) => sum + (lease.result ? lease.count * 10_000 : (checkpoints.get(lease.id)?.progress ?? 0)),
        0,
      );
      const posted = own.reduce((sum, { id }) => sum + (checkpoints.get(id)?.sequence ?? 0), 0);
      const note = `${String(posted)} checkpoints, ${String(task.paidUnits)}/${String(task.units)} units paid`;
      output.progress(`task ${String(task.id)}`, progress / task.units / 10_000, note);
    }
    await Promise.race([delay(700), end]);
  }
  await end;
}
