import type { Pin } from "@verai/client/pin";
import { answer, block, type Reader } from "@verai/client/readers";
import type { AllocationView } from "./reconcile.ts";

/** Pending listings that opening a round works off itself (`SYNC_AT_OPEN` in RoundManager.sol). */
const SYNC_AT_OPEN = 48;

/** Places of the queue that are looked at; more are looked at when the tasks before them have gone. */
const QUEUE_LOOK = 256;

/** Reads what the allocation keeper decides from, at one block. O(queue looked at) calls. */
export async function readAllocationView(reader: Reader, pin: Pin, batchSeconds: number): Promise<AllocationView> {
  const { rounds, supply, tasks, parameters, reassignment } = reader.contracts;
  const at = block(pin);
  const [round, batch, batchFirst, values, nextOpening, pending, paused, ids] = await Promise.all([
    reader.round(pin),
    reader.batch(pin),
    answer(reassignment.hasTurn(at)),
    reader.parameters(pin),
    answer(rounds.nextOpening(at)),
    answer(supply.pendingCount(at)),
    answer(parameters.intakePaused(at)),
    reader.queue(pin, QUEUE_LOOK),
  ]);
  const queue = await Promise.all(
    ids.map(async (taskId) => ({ taskId, servable: await answer(tasks.servable(taskId, at)) })),
  );
  const newest = ids.length === 0 ? undefined : await reader.task(pin, Math.max(...ids));
  return {
    now: pin.timestamp,
    round: { id: round.id, status: round.status, openedAt: round.openedAt },
    nextOpening: Number(nextOpening),
    seedTimeout: values.seedTimeout,
    settleTimeout: values.settleTimeout,
    intakePaused: paused,
    batch: ["seeding", "drawing"].includes(batch.status) ? "open" : batchFirst ? "has its turn" : undefined,
    pendingListings: Number(pending),
    pendingAtOpen: SYNC_AT_OPEN,
    queue,
    looks: 2 * values.roundMaxTasks,
    newestSubmission: newest?.submittedAt ?? 0,
    batchSeconds,
  };
}
