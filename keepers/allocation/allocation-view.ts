import type { BlockReference } from "@verai/client/block-reference";
import { microToWei } from "@verai/protocol/money/ver";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { AllocationView } from "./allocation-plan.ts";

/** Pending listings that opening a round works off itself (`SYNC_AT_OPEN` in RoundManager.sol). */
const SYNC_AT_OPEN = 16;

/**
 * Places of the queue that the opening of a round looks at in any case, however dear each look is (`LOOKING` in RoundBudget.sol): a look
 * at a task of sixteen classes that were not looked at before is reckoned at 276,000 gas of 11 million.
 */
const LOOKS_AT_OPEN = 39;

/** Places of the queue that are looked at; more are looked at when the tasks before them have gone. */
const QUEUE_LOOK = 256;

/** Parked tasks that are looked at in a cycle; the next cycle looks at the next ones. */
const PARKED_LOOK = 32;

/** Tasks with release fees that are looked at in a cycle. */
const FEES_LOOK = 8;

/**
 * Reads what the allocation keeper decides from, at one block. O(queue looked at) calls.
 *
 * @param cycle Number of the look: where in the lists of parked tasks and of those with fees it begins follows from it.
 */
export async function readAllocationView(
  reader: Reader,
  block: BlockReference,
  minRoundAge: number,
  cycle = 0,
): Promise<AllocationView> {
  const { rounds, supply, tasks, parameters, reassignment } = reader.contracts;
  const at = blockTag(block);
  const [round, batch, batchFirst, values, nextOpening, pending, paused, ids, queueLength] = await Promise.all([
    reader.round(block),
    reader.batch(block),
    answer(reassignment.hasTurn(at)),
    reader.parameters(block),
    answer(rounds.nextOpening(at)),
    answer(supply.pendingCount(at)),
    answer(parameters.intakePaused(at)),
    reader.queue(block, QUEUE_LOOK),
    answer(tasks.queueLength(at)),
  ]);
  const admissible = new Set(await reader.servable(block, ids));
  const queue = ids.map((taskId) => ({ taskId, servable: admissible.has(taskId) }));
  const servable = queue.filter((entry) => entry.servable).map(({ taskId }) => taskId);
  // Ids are given out in the order of submission.
  const [newest, oldest] = await Promise.all(
    servable.length === 0
      ? []
      : [Math.max(...servable), Math.min(...servable)].map((taskId) => reader.task(block, taskId)),
  );
  const reconcileStep = microToWei(values.submissionFee + values.seedPrice);
  return {
    now: block.timestamp,
    round: { id: round.id, status: round.status, openedAt: round.openedAt, seeded: BigInt(round.seed) !== 0n },
    nextOpening: Number(nextOpening),
    seedTimeout: values.seedTimeout,
    settleTimeout: values.settleTimeout,
    intakePaused: paused,
    batch: ["seeding", "drawing"].includes(batch.status) ? "open" : batchFirst ? "has its turn" : undefined,
    pendingListings: Number(pending),
    pendingAtOpen: SYNC_AT_OPEN,
    queue,
    queueLength: Number(queueLength),
    parked: servable.length < values.roundMaxTasks ? await readParked(reader, block, cycle, reconcileStep) : [],
    fees: await readFees(reader, block, cycle),
    roundMaxTasks: values.roundMaxTasks,
    looks: LOOKS_AT_OPEN,
    newestSubmission: newest?.submittedAt ?? 0,
    oldestSubmission: oldest?.submittedAt ?? 0,
    minRoundAge,
  };
}

/** Tasks whose release fees can be distributed, or that can be closed, of the part of the list that this cycle looks at. */
async function readFees(reader: Reader, block: BlockReference, cycle: number): Promise<AllocationView["fees"]> {
  const { total } = await reader.tasksWithFees(block, 0, 0);
  if (total === 0) return [];
  const parts = Math.ceil(total / FEES_LOOK);
  const { ids } = await reader.tasksWithFees(block, (cycle % parts) * FEES_LOOK, FEES_LOOK);
  const tasks = await reader.tasksById(block, ids);
  return tasks
    .filter(({ status, deadline }) => status === "ended" || (status === "open" && block.timestamp > deadline))
    .map(({ id, status }) => ({ taskId: id, ended: status === "ended" }));
}

/** Parked tasks that can be put back: those that waited longest first, of the part of the list that this cycle looks at. */
async function readParked(
  reader: Reader,
  block: BlockReference,
  cycle: number,
  reconcileStep: bigint,
): Promise<number[]> {
  const { total } = await reader.parked(block, 0, 0);
  if (total === 0) return [];
  const parts = Math.ceil(total / PARKED_LOOK);
  const { ids } = await reader.parked(block, (cycle % parts) * PARKED_LOOK, PARKED_LOOK);
  const admissible = await Promise.all(
    ids.map(async (taskId) => {
      if ((await reader.admission(block, taskId)) !== "admissible") return [];
      const task = await reader.task(block, taskId);
      return task && task.roundDeposit >= reconcileStep ? [taskId] : [];
    }),
  );
  return admissible.flat().sort((a, b) => a - b);
}
