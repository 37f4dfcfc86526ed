import { KEY_PROTOCOL, type KeyAnswer, keyRequest, keySubject, MAX_KEY_MESSAGE } from "@verai/client/key-protocol";
import type { ContentAccess } from "@verai/client/content-access";
import { ChainError } from "@verai/client/errors";
import type { Reader } from "@verai/client/readers";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Notices } from "./submit.ts";
import type { TaskKeys } from "./task-keys.ts";

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
 * as the newest block has them, and to nobody else. A node whose lease is over gets no key again.
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
    const { taskId, leaseId, fence, proof } = parsed.data;
    const sender = await this.#parts.access.sender({ root: keySubject(leaseId, fence), peer }, proof);
    if ("wrong" in sender) return refuse(sender.wrong);
    const { reader, keys, logger } = this.#parts;
    // The same words for all that is none of the requester's business.
    const none = `no reason to have the key of task ${String(taskId)} for lease ${String(leaseId)}`;
    try {
      const block = await reader.block();
      const [[lease], task] = await Promise.all([reader.leasesThatExist(block, [leaseId]), reader.task(block, taskId)]);
      const isWorkedOn = lease?.status === "active" || lease?.status === "moving";
      if (!lease || !task || !isWorkedOn || lease.taskId !== taskId || lease.fence !== fence) return refuse(none);
      const node = await reader.node(block, lease.nodeId);
      if (sender.address === undefined || node?.operator.toLowerCase() !== sender.address) return refuse(none);
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

function refuse(why: string): KeyAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}
