import { setTimeout as delay } from "node:timers/promises";

import { receiptDomain } from "@verai/client/checkpoint-receipt";
import { type ContentAccess, taskLabel } from "@verai/client/content-access";
import type { Node } from "@verai/client/entities";
import {
  HOLD_PROTOCOL,
  type HoldAnswer,
  holdAnswer,
  holdingSigner,
  holdSubject,
  MAX_HOLD_BYTES,
} from "@verai/client/hold-protocol";
import type { Session } from "@verai/client/session";
import { taskNodes } from "@verai/client/task-endpoints";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { inputsOf } from "@verai/executor/spec";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { Notices } from "./submit.ts";

/** Time for one answer, and until a node that copies is asked again, milliseconds. */
const ANSWER_MS = 30_000;
const AGAIN_MS = 1_000;
/** How often a node is asked again that copies or is busy: an hour at most. */
const MAX_QUESTIONS = 1_200;
/** How often one is asked again that does not see the task yet. */
const MAX_UNSEEN = 10;

/** What nodes are asked to hold a task's content with. */
export interface HoldParts {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "request" | "pin" | "multiaddrs" | "peerId" | "list">;
  readonly access: Pick<ContentAccess, "prove">;
  readonly logger: Notices;
  readonly signal?: AbortSignal | undefined;
}

/** Who holds what a task needs to begin. */
export interface TaskHeld {
  /** Nodes that have signed that they hold spec and inputs. */
  readonly nodes: readonly number[];
  readonly needed: number;
}

/**
 * Has nodes hold a task's spec and inputs and sign for them, so that the developer's machine can go. Those are asked that the task's
 * id draws, as many at once as are needed; one that refuses or is not reached is passed over for the next.
 *
 * @param spec Bytes of the spec.
 * @param needed Nodes that must have signed.
 * @returns Those that have; fewer than needed where there are no more, which is said in a warning.
 */
export async function holdTask(parts: HoldParts, taskId: number, spec: Uint8Array, needed: number): Promise<TaskHeld> {
  const { session, store, logger } = parts;
  const { reader } = session;
  const task = await reader.task(await reader.block(), taskId);
  if (!task) throw new Error(`task ${String(taskId)} is not known yet: run this again`);
  await store.pin(fromChainCid(task.spec).toString(), taskLabel("spec", taskId));
  for (const cid of inputsOf(spec)) {
    await store.pin(cid, taskLabel("input", taskId)).catch((error: unknown) => {
      if (!(error instanceof CheckpointError) || error.code !== "NOT_FOUND") throw error;
      logger.warn(
        { input: cid },
        `input ${cid} is not in this store: add it with data:add, or see that nodes get it elsewhere`,
      );
    });
  }
  if (needed === 0) return { nodes: [], needed };
  const left = await taskNodes(reader, taskId);
  const nodes: number[] = [];
  const reasons: string[] = [];
  const askOneAfterTheOther = async (): Promise<void> => {
    for (let node = left.shift(); node !== undefined; node = left.shift()) {
      const why = await holdAt(parts, node, task.id, task.spec.digest);
      if (why === undefined) {
        nodes.push(node.id);
        return;
      }
      parts.signal?.throwIfAborted();
      reasons.push(`node ${String(node.id)}: ${why}`);
    }
  };
  await Promise.all(Array.from({ length: needed }, askOneAfterTheOther));
  if (nodes.length >= needed) {
    logger.info({ task: taskId, held: nodes }, `nodes ${nodes.join(", ")} hold spec and inputs: this machine may go`);
  } else {
    logger.warn(
      { task: taskId, held: nodes, needed, reasons },
      `${String(nodes.length)} of ${String(needed)} nodes hold spec and inputs (${reasons.join("; ") || "no node is active"}): stay connected until the work has begun`,
    );
  }
  return { nodes, needed };
}

/** Has one node hold it. @returns why it does not; undefined if it has signed. */
async function holdAt(
  { session, store, access, signal }: HoldParts,
  { id, operator, endpoint }: Node,
  taskId: number,
  spec: string,
): Promise<string | undefined> {
  const domain = receiptDomain(Number(session.provider.chainId), await session.contracts.checkpoints.getAddress());
  const peer = endpoint.split(",").filter((address) => address.includes("/p2p/"));
  const from = store.multiaddrs().slice(0, 8);
  for (let [asked, unseen] = [0, 0]; asked < MAX_QUESTIONS; asked++) {
    let answered: HoldAnswer;
    try {
      const proof = await access.prove({ root: holdSubject(taskId), peer: store.peerId });
      const options = { timeout: ANSWER_MS, maxBytes: MAX_HOLD_BYTES, ...(signal && { signal }) };
      answered = holdAnswer.parse(await store.request(peer, HOLD_PROTOCOL, { taskId, proof, from }, options));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CheckpointError && error.code === "BUSY") answered = { kind: "copying" };
      else return error instanceof Error ? error.message : String(error);
    }
    if (answered.kind === "held") {
      const signer = holdingSigner(domain, { taskId, spec, nodeId: id }, answered.signature);
      return signer?.toLowerCase() === operator.toLowerCase() ? undefined : "its signature is not its own";
    }
    if (answered.kind === "refused") {
      // Its endpoint may be some blocks behind.
      unseen += 1;
      if (!answered.why.includes("does not exist at the block") || unseen > MAX_UNSEEN) return answered.why;
    }
    await delay(AGAIN_MS, undefined, signal && { signal });
  }
  return "it is still copying";
}
