import { setTimeout as delay } from "node:timers/promises";

import { blockTag, type Reader } from "@verai/client/readers";
import { reportsOf } from "@verai/client/report";
import type { Session } from "@verai/client/session";
import { MOVE_CAUSES, type MoveCause, enumName } from "@verai/client/enums";
import type { BlockReference } from "@verai/client/block-reference";
import { type Configs, specOf } from "./configs.ts";
import { nodeIdOf } from "./faults.ts";
import { type ParticipantNode, type ParticipantTask, NODES } from "./participants.ts";
import type { Processes } from "./processes.ts";

/** What is looked at of an energy report, which a program above this package makes. */
export interface EnergyFigures {
  readonly account: {
    readonly kwh: number;
    readonly raplKwh: number;
    readonly nvmlKwh: number;
    readonly estimatedKwh: number;
    readonly creditedUnits: number;
  };
  readonly nodes: readonly { readonly kwh: number }[];
}

/** What the part about energy works with. */
export interface EnergyStage<Report extends EnergyFigures> {
  /** The energy report of the network, or of a task. */
  readonly collect: (reader: Reader, at: BlockReference, scope: "network" | "task", id?: number) => Promise<Report>;
  readonly session: Session;
  readonly processes: Processes;
  readonly configs: Configs;
  readonly say: (text: string) => void;
  /** What the process of a node is called. */
  readonly processOf: (node: ParticipantNode) => string;
}

/** A lease that moved. */
export interface SeenMove {
  readonly leaseId: number;
  readonly from: number;
  readonly to: number;
  readonly units: number;
  readonly cause: MoveCause;
  /** Load in percent of the node that it left and of the one that it went to, in their last reports before. */
  readonly loads: { readonly from: number; readonly to: number };
}

/** What the part about energy showed. */
export interface EnergyOutcome<Report extends EnergyFigures> {
  /** The node that was made hot. */
  readonly hot: number;
  readonly relieved: SeenMove;
  readonly throttled: { readonly nodeId: number; readonly watts: number; readonly threshold: number };
  readonly handed: SeenMove;
  readonly network: Report;
  readonly tasks: readonly Report[];
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

/** CPUs of a slice that three units fill, each of which computes for a twentieth of its time, and an agent alone does not. */
const SLICE = 0.11;
/** Ada's slice of the machine is made so small that her units fill it; so is Cleo's, which needs a lot of power when it works. */
const HOT = { node: "ada", changes: { telemetry: { cpus: SLICE, sampleEvery: 2 } } } as const;
const HUNGRY = {
  node: "cleo",
  changes: { telemetry: { cpus: SLICE, sampleEvery: 2 }, power: { watts: { idle: 100, max: 600 } } },
} as const;

/** Two trainings, long enough to be moved in their midst. */
const TASKS: readonly ParticipantTask[] = [
  {
    name: "moved from a hot node",
    account: 16,
    units: 3,
    maxPrice: "0.030",
    classes: { "cpu/eu": "0" },
    hidden: [32],
    learningRates: [0.02, 0.05, 0.1],
  },
  {
    name: "moved from a power-hungry node",
    account: 17,
    units: 3,
    maxPrice: "0.030",
    classes: { "cpu/us": "0" },
    hidden: [32],
    learningRates: [0.02, 0.05, 0.1],
  },
];
/**
 * Some eighty seconds of work, of which units compute for four. They rest in proportion to what they compute, and so fill
 * as much of a slice on a busy machine as on an idle one; the work has to be there when reports and moves come.
 */
const SPEC = ["--epochs", "52", "--train", "4000", "--test", "500", "--checkpoint-steps", "50", "--rest", "19"];

/** Milliseconds that each part may take. */
const TIMEOUT_MS = 900_000;

/**
 * Shows on a running network with the demo's nodes how a hot node is relieved, how a node that needs too much power is
 * throttled and hands its work over, and what all the training burnt.
 *
 * @throws Error naming what did not happen in time.
 */
export async function showEnergy<Report extends EnergyFigures>(
  stage: EnergyStage<Report>,
): Promise<EnergyOutcome<Report>> {
  const { session, processes, say } = stage;
  const since = await session.provider.getBlockNumber();
  const keepers = ["allocation", "failover", "reports", "audits"];
  // Units take seconds here, and all that is outside the band is to move.
  const balancing = { pointValue: 100, mostMoved: 10_000 };
  await restartKeeper(stage, { keepers: [...keepers, "balancing"], balancing });
  for (const { node, changes } of [HOT, HUNGRY]) await restart(stage, node, changes);
  await Promise.all([HOT, HUNGRY].map(async ({ node }) => fitAgain(session, nodeCalled(node))));
  say("ada's slice of the machine is small now, and cleo's machine needs a lot of power: two more tasks come");
  const running = await Promise.all(TASKS.map((task) => submit(stage, task)));
  const finished = Promise.all(
    running.map(async ({ name, log, exit }) => {
      const code = await exit;
      if (code !== 0) throw new Error(`${name} failed (${String(code)}); see ${log}`);
    }),
  );
  finished.catch(() => undefined);
  const names = processes.names().filter((name) => !name.startsWith("developer") && name !== "keeper");
  const scenario = async () => {
    const hot = await nodeIdOf(session, nodeCalled(HOT.node));
    const relieved = await moved(session, since, "load", hot);
    const { loads } = relieved;
    say(
      `lease ${relieved.leaseId}: ${relieved.units} units move from the hot node ${hot} (load ${loads.from} %) to node ${relieved.to} (${loads.to} %)`,
    );
    const throttled = await throttling(session, since);
    say(`node ${throttled.nodeId} is throttled: ${throttled.watts} W, above ${throttled.threshold} W`);
    const handed = await moved(session, since, "power", throttled.nodeId);
    say(`lease ${handed.leaseId}: ${handed.units} units move from node ${handed.from} to node ${handed.to}`);
    // Such small slices stay hot, and nothing would stay where it is.
    await restartKeeper(stage, { keepers });
    await finished;
    return { hot, relieved, throttled, handed };
  };
  const seen = await processes.watch(names, scenario());
  say("both tasks are trained and paid; waiting for the last reports");
  const outcome = await settled(stage);
  return { ...seen, ...outcome, checks: checksOf(outcome, seen) };
}

async function restartKeeper(
  { processes, configs }: Pick<EnergyStage<EnergyFigures>, "processes" | "configs">,
  changes: object,
): Promise<void> {
  await processes.stop(["keeper"], 10_000);
  processes.start("keeper", ["keepers/main.ts", "run", "--config", await configs.keeper(1, changes)]);
}

async function restart(
  { processes, configs, processOf }: Pick<EnergyStage<EnergyFigures>, "processes" | "configs" | "processOf">,
  name: string,
  changes: object,
): Promise<void> {
  const node = nodeCalled(name);
  await processes.stop([processOf(node)], 30_000);
  const keepers = configs.reports === undefined ? [] : [configs.reports];
  const { telemetry, ...others } = changes as { telemetry: object };
  const config = await configs.agent(node, { telemetry: { ...telemetry, keepers }, ...others });
  processes.start(processOf(node), ["agent/main.ts", "run", "--config", config]);
}

/** Waits until a node has reported since it was restarted and may get work: what its start took may make it too hot at first. */
async function fitAgain(session: Session, node: ParticipantNode): Promise<void> {
  const { reader, contracts, provider } = session;
  const [id, since] = [await nodeIdOf(session, node), await provider.getBlockNumber()];
  await until(`node ${id} being fit for work after its restart`, async () => {
    const batches = await contracts.telemetry.queryFilter(contracts.telemetry.filters.Reported(), since + 1);
    const last = batches.flatMap(({ args }) => reportsOf(args.reports)).findLast(({ nodeId }) => nodeId === id);
    const { eligible, listing } = (await reader.node(await reader.block(), id)) ?? {};
    return last && eligible === true && listing ? last : undefined;
  });
}

function nodeCalled(name: string): ParticipantNode {
  const node = NODES.find((each) => each.name === name);
  if (!node) throw new Error(`no participant is called ${name}`);
  return node;
}

async function submit(
  { processes, configs }: Pick<EnergyStage<EnergyFigures>, "processes" | "configs">,
  task: ParticipantTask,
) {
  const { config, spec, terms } = await configs.developer(task, {
    ...specOf(task),
    args: SPEC,
    timeouts: { unitSeconds: 1800, graceSeconds: 10 },
  });
  const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
  return processes.start(`developer-${String(task.account)}`, args);
}

async function moved({ contracts }: Session, since: number, cause: MoveCause, from: number): Promise<SeenMove> {
  const { balancer, reassignment, telemetry } = contracts;
  const loadOf = async (nodeId: number, block: number) => {
    const batches = await telemetry.queryFilter(telemetry.filters.Reported(), 0, block);
    const reports = batches.flatMap(({ args }) => reportsOf(args.reports));
    return (reports.findLast((report) => report.nodeId === nodeId)?.load ?? 0) / 100;
  };
  return until(`a move from node ${from} because of ${cause}`, async () => {
    const events = await balancer.queryFilter(balancer.filters.Moved(), since);
    for (const { args, blockNumber } of events) {
      if (Number(args.fromNode) !== from || enumName(MOVE_CAUSES, args.cause) !== cause) continue;
      // Whom the seed names. Where it names nobody, the range waits for the next round, and more is moved.
      const [drawn] = await reassignment.queryFilter(
        reassignment.filters.RangeDrawn(undefined, args.leaseId),
        blockNumber,
      );
      if (!drawn) continue;
      const to = Number(drawn.args.nodeId);
      const loads = { from: await loadOf(from, blockNumber), to: await loadOf(to, drawn.blockNumber) };
      return { leaseId: Number(args.leaseId), from, to, units: Number(drawn.args.count), cause, loads };
    }
    return undefined;
  });
}

async function throttling({ contracts }: Session, since: number): Promise<EnergyOutcome<EnergyFigures>["throttled"]> {
  return until("a node being throttled", async () => {
    const [event] = await contracts.telemetry.queryFilter(contracts.telemetry.filters.NodeThrottled(), since);
    if (!event) return undefined;
    const { nodeId, watts, threshold } = event.args;
    return { nodeId: Number(nodeId), watts: Number(watts), threshold: Number(threshold) };
  });
}

/** The energy of it all, once every paid lease has its place in the accounts. */
async function settled<Report extends EnergyFigures>({
  session: { reader, contracts },
  collect,
}: EnergyStage<Report>): Promise<Pick<EnergyOutcome<Report>, "network" | "tasks">> {
  return until("paid work being set against its baseline", async () => {
    const block = await reader.block();
    const leases = (await reader.leases(block)).filter(({ status }) => status === "paid");
    for (const { id } of leases) {
      const { reported, credited } = await contracts.ledger.leaseEnergyOf(id, blockTag(block));
      if (reported && !credited) return undefined;
    }
    const network = await collect(reader, block, "network");
    const ids = (await reader.tasks(block)).map(({ id }) => id);
    const tasks = await Promise.all(ids.map((id) => collect(reader, block, "task", id)));
    return network.account.creditedUnits > 0 ? { network, tasks } : undefined;
  });
}

function checksOf(
  { network, tasks }: Pick<EnergyOutcome<EnergyFigures>, "network" | "tasks">,
  { hot, relieved, throttled, handed }: Pick<EnergyOutcome<EnergyFigures>, "hot" | "relieved" | "throttled" | "handed">,
): EnergyOutcome<EnergyFigures>["checks"] {
  const ofTasks = tasks.reduce((sum, { account }) => sum + account.kwh, 0);
  const ofNodes = network.nodes.reduce((sum, node) => sum + node.kwh, 0);
  return [
    {
      what: "the hot node's work moved to one with less load",
      ok: relieved.from === hot && relieved.units > 0 && relieved.loads.from > relieved.loads.to,
    },
    {
      what: "the node that needs too much power was throttled, and its work moved",
      ok: throttled.watts > throttled.threshold && handed.from === throttled.nodeId,
    },
    {
      what: "the nodes' energies add up to the network's, and the tasks' to no more",
      ok: Math.abs(ofNodes - network.account.kwh) < 1e-9 && ofTasks > 0 && ofTasks <= network.account.kwh,
    },
    {
      what: "every figure of energy says whether it was measured",
      ok: network.account.kwh > 0 && [network, ...tasks].every(({ account }) => addsUp(account)),
    },
  ];
}

function addsUp({ kwh, raplKwh, nvmlKwh, estimatedKwh }: EnergyFigures["account"]): boolean {
  return Math.abs(kwh - raplKwh - nvmlKwh - estimatedKwh) < 1e-9;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await delay(500)) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new Error(`not within ${TIMEOUT_MS / 1000} s: ${what}`);
}
