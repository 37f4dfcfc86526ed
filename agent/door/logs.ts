import type { z } from "zod";

import { LOG_PROTOCOL, type LogAnswer, logAnswer, type logRequest, MAX_LOG_BYTES } from "@verai/client/log-protocol";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { LogServer } from "../node/logs.ts";
import { DoorError } from "./errors.ts";

/** Time for a log, milliseconds. */
const LOG_MS = 10_000;

/** What logs are read by. */
export interface LogParts {
  readonly session: Pick<Session, "reader">;
  readonly store: Pick<CheckpointStore, "request" | "peerId">;
  readonly logs: Pick<LogServer, "answer">;
  readonly nodeId: number;
}

/** Asks the node of a lease for a part of a unit's log, with the page's proof, which was made for this store. */
export async function readLog(
  { session, store, logs, nodeId }: LogParts,
  request: z.output<typeof logRequest>,
): Promise<LogAnswer> {
  const { leaseId } = request;
  const { reader } = session;
  const block = await reader.block();
  const [lease] = await reader.leasesThatExist(block, [leaseId]);
  // A store cannot ask itself.
  if (lease?.nodeId === nodeId) return logs.answer(request, { peer: store.peerId, prove: () => undefined });
  const node = lease && (await reader.node(block, lease.nodeId));
  const peer = node?.endpoint.split(",").filter((address) => address.includes("/p2p/")) ?? [];
  if (peer.length === 0) throw new DoorError(404, `the node of lease ${String(leaseId)} has no address`);
  const bounds = { timeout: LOG_MS, maxBytes: MAX_LOG_BYTES };
  try {
    return logAnswer.parse(await store.request(peer, LOG_PROTOCOL, request, bounds));
  } catch (error) {
    throw new DoorError(
      502,
      `the node of lease ${String(leaseId)} does not answer: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
