import type { Pin } from "../../chain/pin.ts";
import { answer, block, type Reader } from "../../chain/readers.ts";
import type { BatchView } from "./batch.ts";

/** Words for `IReassignment.BatchStatus`. */
const STATUSES = ["none", "seeding", "drawing", "done", "aborted"] as const;

/** Reads what the failover keeper decides from about orphaned ranges, at one block. */
export async function readBatchView(reader: Reader, pin: Pin): Promise<BatchView> {
  const { reassignment, nodes } = reader.contracts;
  const at = block(pin);
  throw new Error(`${STATUSES.join()} ${String(reassignment)} ${String(nodes)} ${String(at)} ${String(answer)}`);
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
