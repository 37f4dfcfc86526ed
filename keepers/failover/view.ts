import type { Pin } from "@verai/client/pin";
import { answer, block, type Reader } from "@verai/client/readers";
import type { BatchView } from "./batch.ts";

/** Reads what the failover keeper decides from about orphaned ranges, at one block. */
export async function readBatchView(reader: Reader, pin: Pin): Promise<BatchView> {
  const { leases, reassignment, supply } = reader.contracts;
  const at = block(pin);
  const [batch, values, { waiting }, frozen, nextOpening] = await Promise.all([
    reader.batch(pin),
    reader.parameters(pin),
    answer(leases.orphanCounts(at)),
    answer(supply.frozen(at)),
    answer(reassignment.nextOpening(at)),
  ]);
  const { id, status, openedAt, leaseIds, drawn } = batch;
  return {
    now: pin.timestamp,
    orphans: Number(waiting),
    batch: { id, status, openedAt, left: leaseIds.length - drawn },
    frozen,
    nextOpening: Number(nextOpening),
    seedTimeout: values.seedTimeout,
    settleTimeout: values.settleTimeout,
  };
}

/** Which of these nodes have missed their reports. O(nodes) calls. */
export async function silentNodes(reader: Reader, pin: Pin, nodeIds: ReadonlySet<number>): Promise<Set<number>> {
  const { telemetry } = reader.contracts;
  const silent = new Set<number>();
  await Promise.all(
    [...nodeIds].map(async (id) => {
      if (await answer(telemetry.silent(id, block(pin)))) silent.add(id);
    }),
  );
  return silent;
}
