import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { BatchView } from "./batch-plan.ts";

/** Reads what the failover keeper decides from about orphaned ranges, at one block. */
export async function readBatchView(reader: Reader, block: BlockReference): Promise<BatchView> {
  const { reassignment, supply } = reader.contracts;
  const at = blockTag(block);
  const [batch, values, orphans, frozen, nextOpening] = await Promise.all([
    reader.batch(block),
    reader.parameters(block),
    answer(reassignment.orphanCount(at)),
    answer(supply.frozen(at)),
    answer(reassignment.nextOpening(at)),
  ]);
  const { id, status, openedAt, leaseIds, drawn } = batch;
  return {
    now: block.timestamp,
    orphans: Number(orphans),
    batch: { id, status, openedAt, left: leaseIds.length - drawn },
    frozen,
    nextOpening: Number(nextOpening),
    seedTimeout: values.seedTimeout,
    settleTimeout: values.settleTimeout,
  };
}

/** Which of these nodes have missed their reports. O(nodes) calls. */
export async function silentNodes(
  reader: Reader,
  block: BlockReference,
  nodeIds: ReadonlySet<number>,
): Promise<Set<number>> {
  const { telemetry } = reader.contracts;
  const silent = new Set<number>();
  await Promise.all(
    [...nodeIds].map(async (id) => {
      if (await answer(telemetry.silent(id, blockTag(block)))) silent.add(id);
    }),
  );
  return silent;
}
