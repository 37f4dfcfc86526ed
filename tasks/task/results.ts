import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import type { Lease } from "@verai/client/entities";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { openingOf } from "@verai/developer/seal-task";
import type { TaskKeys } from "@verai/developer/task-keys";
import type { Output } from "../session/output.ts";

/** Time without any progress after which a result counts as not to be had now, milliseconds. */
const STALL_MS = 30_000;

/** A result that was fetched and verified. */
export interface FetchedResult {
  readonly lease: number;
  readonly cid: string;
  readonly path: string;
  readonly size: number;
  readonly status: string;
}

/** Leases of a task that have delivered. */
export async function deliveredLeases(reader: Reader, block: BlockReference, task: number): Promise<Lease[]> {
  return (await reader.leases(block)).filter(
    ({ taskId, status, result }) => taskId === task && result && ["delivered", "disputed", "paid"].includes(status),
  );
}

/** Where a task's results are opened, if it is confidential. */
export interface Opening {
  readonly keys: Pick<TaskKeys, "find">;
  /** Digest of the task's spec. */
  readonly spec: string;
}

/** Fetches what leases have delivered, verifies it against its CIDs, and opens it if it is sealed. */
export async function fetchResults(
  output: Output,
  store: CheckpointStore,
  task: number,
  leases: readonly Lease[],
  out: string,
  opening: Opening,
): Promise<FetchedResult[]> {
  const found: FetchedResult[] = [];
  for (const { id, result: made, status } of leases) {
    if (!made) continue;
    const cid = fromChainCid(made).toString();
    const path = resolve(join(out, `task-${String(task)}`, `lease-${String(id)}`));
    await mkdir(join(path, ".."), { recursive: true });
    // What is there is of an earlier run, and is fetched from the local store again.
    await rm(path, { recursive: true, force: true });
    const { size } = await store.fetchTo(cid, path, {
      maxBytes: made.size,
      stallTimeout: STALL_MS,
      pin: `result-${String(id)}`,
      ...(await openingOf(opening.keys, opening.spec)),
    });
    output.say(`lease ${String(id)}  ${cid}  ${String(size)} bytes, verified  ${path}`);
    found.push({ lease: id, cid, path, size, status });
  }
  return found;
}
