import { feeOn, type QuotedAllocation, quoteAllocation, type Wish } from "@verai/protocol/allocation/quote";
import type { RoundTask } from "@verai/protocol/allocation/model";
import { auditedFee } from "@verai/protocol/money/audit-fee";
import { microToWei } from "@verai/protocol/money/ver";
import { CONSTANTS } from "./generated/constants.ts";
import type { BlockReference } from "./block-reference.ts";
import type { Reader } from "./readers.ts";
import { snapshotTask, supplySnapshot } from "./snapshot.ts";

export type { Wish } from "@verai/protocol/allocation/quote";

/** What a task would cost if it were allocated now. Money in wei. */
export interface Quote extends QuotedAllocation {
  /** The protocol's fee on top of the cost, rounded up. */
  readonly fee: bigint;
  /** What has to be put in escrow for all units, whatever they will cost; the rest of it comes back. */
  readonly escrow: bigint;
  /** What submitting costs, whatever comes of the task. */
  readonly submissionFee: bigint;
  /** Part of the escrow that pays for places in rounds; what is left of it comes back. */
  readonly roundDeposit: bigint;
  /** What the rounds' seeds cost it at most: per round, less what the fee of newly leased units is worth. */
  readonly seedPrice: bigint;
  /** Tasks that were allocated together with it. */
  readonly competitors: number;
}

/**
 * Solves the allocation with this task as the next round would, and sends nothing.
 *
 * @param wish `auditChance`: chance of audits that it asks for, basis points; left out: none.
 * @param withQueue Together with the tasks that wait before it, as many as a round takes.
 * @throws Refusal if the result could not be certified (which would be a defect).
 */
export async function quoteTask(
  reader: Reader,
  at: BlockReference,
  wish: Wish & { readonly auditChance?: number },
  withQueue: boolean,
): Promise<Quote> {
  const { feeBps: usual, roundMaxTasks, seedPrice } = await reader.parameters(at);
  const { auditChance = 0 } = wish;
  const before = withQueue ? await waiting(reader, at, roundMaxTasks - 1) : [];
  const wanted = [...wish.classes, ...before.flatMap(({ classes }) => classes)].map(({ classId }) => classId);
  const supply = await supplySnapshot(reader, at, [...new Set(wanted)]);
  const allocation = quoteAllocation(wish, before, supply);
  const deposit = await reader.depositFor(at, { ...wish, auditChance });
  return {
    ...allocation,
    fee: feeOn(allocation.cost, auditedFee(usual, auditChance)),
    escrow: deposit.escrow,
    submissionFee: deposit.fee,
    roundDeposit: microToWei(CONSTANTS.TaskRegistry.ROUNDS_IN_ADVANCE * seedPrice),
    seedPrice: microToWei(seedPrice),
    competitors: before.length,
  };
}

/** The first tasks of the queue, with all their open units. */
async function waiting(reader: Reader, at: BlockReference, most: number): Promise<RoundTask[]> {
  const ids = await reader.queue(at, most);
  const tasks = await Promise.all(
    ids.map(async (id) => snapshotTask(reader, at, id, (await reader.task(at, id))?.openUnits ?? 0)),
  );
  return tasks.filter(({ units }) => units > 0);
}
