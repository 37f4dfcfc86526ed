import {
  type Cause,
  idleCause,
  type NodeCounts,
  taskCause,
  type WaitingTask,
} from "@verai/protocol/allocation/explain/cause";
import { microToWei, weiToMicro } from "@verai/protocol/money/ver";
import type { Node, Task } from "./entities.ts";
import { nodeStates } from "./node-state.ts";
import type { BlockReference } from "./block-reference.ts";
import { answer, blockTag, type Reader } from "./readers.ts";
import { groupListings } from "./snapshot.ts";
import { readReportState, readTotals } from "./telemetry.ts";

/** Waiting tasks that are read to say why a node is idle; with more in the queue nothing is concluded from them. */
const MOST_TASKS = 8;

/**
 * The one thing that a task waits for at this block; undefined if it has no open units, or does not exist.
 * O(nodes / page) calls.
 */
export async function readTaskCause(reader: Reader, block: BlockReference, taskId: number): Promise<Cause | undefined> {
  const task = await reader.task(block, taskId);
  if (!task || task.openUnits === 0) return undefined;
  const [parameters, queue, round, batch, intakePaused, classes, nodes] = await Promise.all([
    reader.parameters(block),
    reader.queue(block),
    reader.round(block),
    reader.batch(block),
    answer(reader.contracts.parameters.intakePaused(blockTag(block))),
    reader.classes(block),
    reader.nodes(block),
  ]);
  const supply = groupListings(classes, nodes);
  const place = queue.indexOf(taskId);
  return taskCause({
    taskId,
    status: task.status,
    openUnits: task.openUnits,
    submittedAt: task.submittedAt,
    inRound: task.inRound,
    parked: task.parked,
    roundDeposit: Number(task.roundDeposit / microToWei(1)),
    seedPrice: parameters.seedPrice,
    place: place < 0 ? undefined : place,
    maxPrice: weiToMicro(task.maxPrice),
    offers: task.classes.map(({ classId, surcharge }) => {
      const found = supply.find(({ id }) => id === classId);
      const lowest = found?.nodes.find(({ units }) => units > 0);
      return {
        name: found?.name ?? String(classId),
        surcharge: weiToMicro(surcharge),
        ...(found && lowest && { lowestAsk: lowest.tick * found.tickSize }),
      };
    }),
    nodes: countNodes(task, nodes, block.timestamp),
    now: block.timestamp,
    deadline: task.deadline,
    minLeaseTime: parameters.minLeaseTime,
    intakePaused,
    round,
    batch: batch.status,
    roundInterval: parameters.roundInterval,
    seedTimeout: parameters.seedTimeout,
    settleTimeout: parameters.settleTimeout,
    roundMaxTasks: parameters.roundMaxTasks,
  });
}

/** Each node counts once, by the first thing that keeps it from taking a unit. */
function countNodes({ classes }: Task, nodes: readonly Node[], now: number): NodeCounts {
  const accepted = nodes.filter(({ classId }) => classes.some((one) => one.classId === classId));
  const counts = { total: 0, busy: 0, draining: 0, coolingDown: 0, throttled: 0, ineligible: 0 };
  for (const { leased, capacity, hindrances } of nodeStates(accepted, [], now)) {
    const kind = hindrances[0]?.kind;
    if (kind === "gone") continue;
    counts.total += 1;
    if (kind === "draining" || kind === "coolingDown" || kind === "throttled") counts[kind] += 1;
    else if (kind !== undefined) counts.ineligible += 1;
    else if (leased >= capacity) counts.busy += 1;
  }
  return counts;
}

/** The one thing that keeps a node from having work at this block; undefined if it has some. A few calls. */
export async function readIdleCause(reader: Reader, block: BlockReference, node: Node): Promise<Cause | undefined> {
  if (node.leased > 0) return undefined;
  const [parameters, classes, queue, intakePaused] = await Promise.all([
    reader.parameters(block),
    reader.classes(block),
    reader.queue(block, MOST_TASKS + 1),
    answer(reader.contracts.parameters.intakePaused(blockTag(block))),
  ]);
  const found = classes.find(({ id }) => id === node.classId);
  const waiting =
    queue.length > MOST_TASKS ? undefined : await Promise.all(queue.map((id) => waitingTask(reader, block, id)));
  return idleCause({
    nodeId: node.id,
    status: node.status,
    leased: node.leased,
    listedUnits: node.listing?.units ?? 0,
    cooldownUntil: node.cooldownUntil,
    covered: Number(node.stake / microToWei(parameters.stakePerUnit)),
    undecided: node.undecided,
    eligible: node.eligible,
    ...(!node.eligible && { report: await readReport(reader, block, node, parameters) }),
    ask: node.askTick * (found?.tickSize ?? 0),
    classId: node.classId,
    className: found?.name ?? String(node.classId),
    intakePaused,
    now: block.timestamp,
    queueLength: queue.length,
    ...(waiting && { waiting: waiting.filter((one) => one !== undefined) }),
  });
}

async function waitingTask(reader: Reader, block: BlockReference, taskId: number): Promise<WaitingTask | undefined> {
  const task = await reader.task(block, taskId);
  return (
    task && {
      maxPrice: weiToMicro(task.maxPrice),
      classes: task.classes.map(({ classId, surcharge }) => ({ classId, surcharge: weiToMicro(surcharge) })),
    }
  );
}

/** What a node's last report is measured against. */
async function readReport(
  reader: Reader,
  block: BlockReference,
  node: Node,
  parameters: Awaited<ReturnType<Reader["parameters"]>>,
) {
  const [reportState, totals, own] = await Promise.all([
    readReportState(reader, block, node.id),
    readTotals(reader, block),
    answer(reader.contracts.telemetry.maxLatencyOf(node.classId, blockTag(block))),
  ]);
  const average = totals.nodes === 0 ? 0 : totals.load / totals.nodes;
  return {
    throttled: reportState.throttled,
    silentFor: block.timestamp - reportState.at,
    reportTimeout: parameters.reportTimeout,
    load: reportState.load,
    loadLimit: average + parameters.balanceBand,
    latency: reportState.latency,
    latencyLimit: Number(own) || parameters.maxLatency,
    watts: reportState.watts,
    powerThreshold: node.powerThreshold,
  };
}
