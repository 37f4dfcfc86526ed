import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Checkpoint, Lease, Node } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import type { Access } from "@verai/checkpoint-store/access/access";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { ParticipantTask } from "@verai/devnet/participants";

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
  tasks: readonly { participant: ParticipantTask; taskId: number; results: string }[],
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

/** What bounds a fetch from a node that signed for a copy: it has it, however long it takes to say so. Milliseconds. */
const PATIENT = { timeout: 180_000, stallTimeout: 60_000 };
/** The same where a node may have a copy. */
const QUICK = { timeout: 20_000, stallTimeout: 3_000 };

/**
 * Fetches the newest checkpoint of each lease back from another node, connected to no third, and verifies every block of it.
 * Nodes that signed for a copy are tried first, then others in the order in which they hold copies. Left out are those whose
 * only holders are no longer in the market.
 *
 * @param directory For the stores that fetch.
 * @param accessOf What a task's developer shows to those that hold its checkpoints.
 */
export async function fetchCheckpoints(
  session: Session,
  leases: readonly Lease[],
  nodes: readonly Node[],
  nameOf: (nodeId: number) => string,
  directory: string,
  accessOf: (taskId: number) => Promise<Access>,
): Promise<FetchedCheckpoint[]> {
  const { reader } = session;
  const block = await reader.block();
  const newest = await reader.checkpoints(
    block,
    leases.map(({ id }) => id),
  );
  const active = nodes.filter(({ status, endpoint }) => status === "active" && endpoint !== "");
  const { checkpoints } = session.contracts;
  const fetched: FetchedCheckpoint[] = [];
  for (const lease of leases) {
    const checkpoint = newest.get(lease.id);
    if (!checkpoint) continue;
    const signed = (await checkpoints.queryFilter(checkpoints.filters.CheckpointReplicated(lease.id)))
      .filter(({ args }) => Number(args.sequence) === checkpoint.sequence)
      .flatMap(({ args }) => args.nodeIds.map(Number));
    // A node that was thrown out owes nobody a copy any longer, and the work was delivered by then.
    if (signed.length > 0 && !active.some(({ id }) => signed.includes(id))) continue;
    const holders = await reader.holders(block, lease.id, active.length);
    const ids = new Set([
      ...active.map(({ id }) => id).filter((id) => signed.includes(id)),
      ...holders.map(({ nodeId }) => nodeId),
    ]);
    let last: FetchedCheckpoint | undefined;
    for (const holder of ids) {
      const endpoint = active.find(({ id }) => id === holder)?.endpoint ?? "";
      const store = `lease-${String(lease.id)}-${String(holder)}`;
      const about = { leaseId: lease.id, madeBy: nameOf(lease.nodeId), fetchedFrom: nameOf(holder) };
      const access = await accessOf(lease.taskId);
      const patience = signed.includes(holder) ? PATIENT : QUICK;
      last = { ...about, ...(await fetchFrom(endpoint, checkpoint, join(directory, store), access, patience)) };
      if (last.verified) break;
    }
    if (last) fetched.push(last);
  }
  return fetched;
}

async function fetchFrom(
  endpoint: string,
  checkpoint: Checkpoint,
  directory: string,
  access: Access,
  patience: typeof PATIENT,
): Promise<Pick<FetchedCheckpoint, "cid" | "size" | "verified" | "error">> {
  const cid = fromChainCid(checkpoint).toString();
  const store = new CheckpointStore({ directory, access });
  await store.start();
  try {
    store.setPeers(endpoint.split(","));
    const { size } = await store.fetch(cid, { ...patience, pin: "check" });
    return { cid, size, verified: size === checkpoint.size && (await store.has(cid)) };
  } catch (error) {
    return { cid, size: 0, verified: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await store.stop();
  }
}
