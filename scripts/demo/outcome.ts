import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { replicaHolders } from "../../agent/node/replicas.ts";
import type { Lease, Node } from "../../chain/entities.ts";
import type { Session } from "../../chain/session.ts";
import { CheckpointStore } from "../../checkpoints/store.ts";
import { fromChainCid } from "../../protocol/checkpoints/cid.ts";
import type { CastTask } from "./cast.ts";

/** A trained unit. */
export interface TrainedUnit {
  readonly taskId: number;
  readonly unit: number;
  readonly accuracy: number;
  readonly weightsSha256: string;
}

/** A checkpoint that was fetched back from another node than the one that made it. */
export interface FetchedCheckpoint {
  readonly leaseId: number;
  readonly cid: string;
  readonly size: number;
  readonly madeBy: string;
  readonly fetchedFrom: string;
  readonly verified: boolean;
  readonly error?: string;
}

/** Reads what the developers fetched: one metrics file per unit. */
export async function readTrained(
  tasks: readonly { cast: CastTask; taskId: number; results: string }[],
  leases: readonly Lease[],
): Promise<TrainedUnit[]> {
  const trained: TrainedUnit[] = [];
  for (const { taskId, results } of tasks) {
    for (const lease of leases.filter((each) => each.taskId === taskId && each.status === "paid")) {
      for (let unit = lease.start; unit < lease.start + lease.count; unit++) {
        const folder = join(results, `task-${String(taskId)}`, `lease-${String(lease.id)}`, `unit-${String(unit)}`);
        const metrics = JSON.parse(await readFile(join(folder, "metrics.json"), "utf8")) as {
          accuracy: number;
          weightsSha256: string;
        };
        trained.push({ taskId, unit, accuracy: metrics.accuracy, weightsSha256: metrics.weightsSha256 });
      }
    }
  }
  return trained;
}

/**
 * Fetches the newest checkpoint of each lease from the node that keeps the copy, connected to no other, and verifies
 * every block of it.
 *
 * @param directory For the store that fetches.
 */
export async function fetchCheckpoints(
  session: Session,
  leases: readonly Lease[],
  nodes: readonly Node[],
  nameOf: (nodeId: number) => string,
  directory: string,
): Promise<FetchedCheckpoint[]> {
  const { reader } = session;
  const newest = await reader.checkpoints(
    await reader.pin(),
    leases.map(({ id }) => id),
  );
  const ids = nodes.map(({ id }) => id);
  const fetched: FetchedCheckpoint[] = [];
  for (const lease of leases) {
    const checkpoint = newest.get(lease.id);
    const [holder] = replicaHolders(lease.id, lease.nodeId, ids, 1);
    if (!checkpoint || holder === undefined) continue;
    const cid = fromChainCid(checkpoint).toString();
    const store = new CheckpointStore({ directory: join(directory, `lease-${String(lease.id)}`) });
    await store.start();
    const about = { leaseId: lease.id, cid, madeBy: nameOf(lease.nodeId), fetchedFrom: nameOf(holder) };
    try {
      store.setPeers(nodes.find(({ id }) => id === holder)?.endpoint.split(",") ?? []);
      const { size } = await store.fetch(cid, { timeout: 20_000, pin: "check" });
      fetched.push({ ...about, size, verified: size === checkpoint.size && (await store.has(cid)) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      fetched.push({ ...about, size: 0, verified: false, error: reason });
    } finally {
      await store.stop();
    }
  }
  return fetched;
}
