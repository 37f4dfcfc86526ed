import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Access } from "@verai/checkpoint-store/access/access";
import type { Reach } from "@verai/checkpoint-store/dial-policy";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { reachOf } from "@verai/process/reach";
import type { LeaseSet } from "../lease/lease-set.ts";
import type { AgentContext } from "../context.ts";
import { timeoutSignal } from "@verai/system/clock";
import type { CopyRequests } from "./copy-requests.ts";

/** Time for one try to find a checkpoint at another node, milliseconds. */
const TRY_MS = 5_000;
const PAUSE_MS = 500;

/**
 * Waits until another node holds the whole of a checkpoint, so that the node that made it can go.
 *
 * Nobody's word is taken for it: the checkpoint is fetched back, block by block verified, by a peer that is connected to
 * that other node alone.
 *
 * @param endpoint Multiaddrs of the other node.
 * @param maxBytes Size of the checkpoint, as the chain has it.
 * @param scratch Directory for what is fetched; removed again.
 * @param reach Which addresses may be dialled.
 * @returns Whether it does so before the signal is raised.
 */
async function isHeldBy(
  endpoint: readonly string[],
  cid: string,
  maxBytes: number,
  scratch: string,
  signal: AbortSignal,
  reach: Reach = "any",
  access?: Access,
): Promise<boolean> {
  const directory = await mkdtemp(`${scratch}.`);
  const store = new CheckpointStore({ directory: join(directory, "store"), http: false, reach, access });
  try {
    await store.start();
    store.setPeers(endpoint);
    while (!signal.aborted) {
      try {
        await store.fetch(cid, { maxBytes, stallTimeout: TRY_MS, signal });
        return true;
      } catch {
        await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  } finally {
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Waits until others hold the last checkpoints of leases that were given back, where their task asks for no receipts: those
 * with receipts are held, or they would not have been posted.
 */
export async function handOver(context: AgentContext, leaseSet: LeaseSet, copies: CopyRequests): Promise<void> {
  const { session, nodeId, replicas, graceSeconds, disk, store, logger } = context;
  const labels = store.list().flatMap((pinned) => pinned.labels);
  const own = labels.map((label) => Number(/^checkpoint-(\d+)$/.exec(label)?.[1])).filter((id) => id > 0);
  if (own.length === 0 || replicas === 0) return;
  const block = await session.reader.block();
  const leases = await session.reader.leasesThatExist(block, own);
  const released = leases.filter(({ nodeId: by, status }) => by === nodeId && status === "released");
  const given: number[] = [];
  for (const { id, taskId } of released) if ((await leaseSet.task(taskId, block)).replicas === 0) given.push(id);
  if (given.length === 0) return;
  const checkpoints = await session.reader.checkpoints(block, given);
  const signal = timeoutSignal(graceSeconds * 1000);
  const reach = reachOf(Number((await session.provider.getNetwork()).chainId));
  await Promise.all(
    [...checkpoints].map(async ([leaseId, checkpoint]) => {
      const cid = fromChainCid(checkpoint).toString();
      while (!signal.aborted) {
        const { held } = await copies.ask(block, leaseId);
        for (const { nodeId: id, endpoint } of held) {
          const scratch = join(disk.directory, `handover-${String(leaseId)}`);
          if (!(await isHeldBy(endpoint.split(","), cid, checkpoint.size, scratch, signal, reach, context.access)))
            continue;
          logger.info({ lease: leaseId, cid, node: id }, "last checkpoint is held by another node");
          return;
        }
        await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
      logger.warn({ lease: leaseId, cid }, "no other node has the last checkpoint; it is here when the agent is back");
    }),
  );
}
