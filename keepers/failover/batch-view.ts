import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { BatchView } from "./batch-plan.ts";

/** Reads what the failover keeper decides from about orphaned ranges, at one block. */
export async function readBatchView(reader: Reader, block: BlockReference): Promise<BatchView> {
  const { reassignment, supply } = reader.contracts;
  const at = blockTag(block);
  const [batch, values, { waiting }, frozen, nextOpening, pending] = await Promise.all([
    reader.batch(block),
    reader.parameters(block),
    answer(reassignment.orphanCounts(at)),
    answer(supply.frozen(at)),
    answer(reassignment.nextOpening(at)),
    answer(supply.pendingCount(at)),
  ]);
  const { id, status, openedAt, leaseIds, drawn, seed } = batch;
  return {
    now: block.timestamp,
    orphans: Number(waiting),
    batch: { id, status, openedAt, left: leaseIds.length - drawn, seeded: BigInt(seed) !== 0n },
    frozen,
    nextOpening: Number(nextOpening),
    pending: Number(pending),
    seedTimeout: values.seedTimeout,
    settleTimeout: values.settleTimeout,
  };
}

/** Ids that one view is asked about. */
const PAGE = 500;

/** Which of these nodes have missed their reports, by the chain's own word. O(nodes / page) views, which go out together. */
export async function silentNodes(
  reader: Reader,
  block: BlockReference,
  nodeIds: ReadonlySet<number>,
): Promise<Set<number>> {
  const { lens } = reader.contracts;
  return among([...nodeIds], (ids) => lens.silentOf(ids, blockTag(block)));
}

/** Which of these leases anybody may expire at that block, by the chain's own word. O(leases / page) views. */
export async function overdueLeases(
  reader: Reader,
  block: BlockReference,
  leaseIds: readonly number[],
): Promise<Set<number>> {
  const { lens } = reader.contracts;
  return among(leaseIds, (ids) => lens.overdueOf(ids, blockTag(block)));
}

async function among(ids: readonly number[], ask: (ids: number[]) => Promise<bigint[]>): Promise<Set<number>> {
  const pages = Array.from({ length: Math.ceil(ids.length / PAGE) }, (_, i) => ids.slice(i * PAGE, (i + 1) * PAGE));
  const found = await Promise.all(pages.map(async (page) => answer(ask(page))));
  return new Set(found.flat().map(Number));
}
