import { KEY_PROTOCOL, type KeyAnswer, keyRequest, keySubject, MAX_KEY_MESSAGE } from "@verai/client/key-protocol";
import type { ContentAccess } from "@verai/client/content-access";
import { verifies } from "@verai/client/audit-reads";
import type { Lease } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import type { Reader } from "@verai/client/readers";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Notices } from "./submit.ts";
import type { TaskKeys } from "./task-keys.ts";

/** An address that no key has. */
const NOBODY = `0x${"0".repeat(40)}`;

/** What keys are given with. */
export interface KeyHostParts {
  readonly reader: Reader;
  readonly store: Pick<CheckpointStore, "handle">;
  readonly access: Pick<ContentAccess, "sender">;
  readonly keys: Pick<TaskKeys, "find">;
  readonly logger: Pick<Notices, "info">;
}

/**
 * Gives the keys of confidential tasks to the nodes that have a lease of them: to the key of the lease's node, under the lease's fence,
 * as the newest block has them, and to the nodes that verify a segment of it, while its audit lasts; to nobody else. A node whose lease is over
 * gets no key again.
 */
export class KeyHost {
  readonly #parts: KeyHostParts;

  constructor(parts: KeyHostParts) {
    this.#parts = parts;
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_KEY_MESSAGE, timeout: 20_000 };
    await this.#parts.store.handle(KEY_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Answers one request. */
  async answer(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<KeyAnswer> {
    const parsed = keyRequest.safeParse(body);
    if (!parsed.success) return refuse("the request is malformed");
    const { taskId, leaseId, fence, audit, proof } = parsed.data;
    const sender = await this.#parts.access.sender({ root: keySubject(leaseId, fence), peer }, proof);
    if ("wrong" in sender) return refuse(sender.wrong);
    const { reader, keys, logger } = this.#parts;
    // The same words for all that is none of the requester's business.
    const none = `no reason to have the key of task ${String(taskId)} for lease ${String(leaseId)}`;
    try {
      const block = await reader.block();
      const [[lease], task] = await Promise.all([reader.leasesThatExist(block, [leaseId]), reader.task(block, taskId)]);
      if (!lease || !task || lease.taskId !== taskId || lease.fence !== fence) return refuse(none);
      const nodeId =
        audit === undefined ? workerOf(lease) : await reader.nodeOfOperator(block, sender.address ?? NOBODY);
      const node = nodeId === undefined ? undefined : await reader.node(block, nodeId);
      if (!node || sender.address === undefined || node.operator.toLowerCase() !== sender.address) return refuse(none);
      // Also of a lease that is over: its last segments are verified after it.
      if (audit !== undefined && !(await verifies(reader, block, { leaseId, sequence: audit }, node.id))) {
        return refuse(none);
      }
      const key = await keys.find(task.spec.digest);
      if (!key) return refuse(`the key of task ${String(taskId)} is not here: name a host that has it`);
      prove();
      logger.info({ task: taskId, lease: leaseId, node: node.id }, `node ${String(node.id)} has the key for its lease`);
      return { kind: "key", key: Buffer.from(key).toString("base64") };
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return refuse(`this host cannot look at the chain now: ${error.message}`);
    }
  }
}

/** The node that works on a lease; undefined if nobody does any longer. */
function workerOf({ status, nodeId }: Lease): number | undefined {
  return status === "active" || status === "moving" ? nodeId : undefined;
}

function refuse(why: string): KeyAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}
