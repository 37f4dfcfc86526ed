import type { Signer, TypedDataDomain } from "ethers";
import PQueue from "p-queue";

import type { ContentAccess } from "@verai/client/content-access";
import { taskLabel } from "@verai/client/content-access";
import type { Task } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import {
  HOLD_PROTOCOL,
  type HoldAnswer,
  holdRequest,
  holdSubject,
  MAX_HOLD_BYTES,
  signHolding,
} from "@verai/client/hold-protocol";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import type { BlockReference } from "@verai/client/block-reference";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { taskHolders } from "@verai/protocol/checkpoints/task-holders";
import type { Logger } from "@verai/process/logger";
import { inputsOf } from "@verai/executor/spec";
import { pause } from "@verai/system/clock";
import { Budget } from "@verai/system/budget";
import type { DiskSpace } from "./disk.ts";
import { ANSWER_MS, COPY_MS, STALL_MS, WAIT_MS } from "../replication/copy-times.ts";
import type { Specs } from "../lease/specs.ts";

/** Copies at the same time, and waiting. */
const COPIES_AT_ONCE = 2;
const COPIES_WAITING = 16;
/** Labels that {@link taskLabel} makes. */
const LABEL = /^(?:spec|input)-(\d+)$/;

/** What a node holds specs and inputs for others with. */
export interface TaskHoldContext {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "fetch" | "handle" | "list" | "unpin" | "collectGarbage">;
  readonly access: Pick<ContentAccess, "sender">;
  readonly specs: Pick<Specs, "bytes">;
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  /** Bytes of all inputs of a task that this node holds at most. */
  readonly maxCheckpointBytes: number;
  readonly disk: Pick<DiskSpace, "look">;
  readonly logger: Logger;
}

interface Job {
  readonly ended: Promise<void>;
  outcome: { readonly bytes: number } | { readonly why: string } | undefined;
}

/**
 * Holds specs and inputs of tasks for their developers, so that these can go once enough nodes have signed: fetches all, makes it
 * durable, and only then signs. Asked for by the task's own key alone, of nodes that the task's id draws.
 */
export class TaskHolds {
  readonly #context: TaskHoldContext;
  readonly #queue = new PQueue({ concurrency: COPIES_AT_ONCE });
  readonly #jobs = new Map<number, Job>();
  readonly #stop = new AbortController();
  readonly #all = new Budget({ perSecond: 10, burst: 60, maxNames: 1 });

  constructor(context: TaskHoldContext) {
    this.#context = context;
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_HOLD_BYTES, timeout: ANSWER_MS };
    await this.#context.store.handle(HOLD_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Ends copies under way. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the agent is leaving"));
    await Promise.all([...this.#jobs.values()].map(({ ended }) => ended));
  }

  /** Answers one request; whatever is wrong with it is said in a refusal. */
  async answer(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<HoldAnswer> {
    const parsed = holdRequest.safeParse(body);
    if (!parsed.success) return refuse("the request is malformed");
    const { taskId, proof, from } = parsed.data;
    const sender = await this.#context.access.sender({ root: holdSubject(taskId), peer }, proof);
    if ("wrong" in sender) return refuse(sender.wrong);
    if (!this.#all.take("")) throw new CheckpointError("BUSY", "too many requests to hold: ask again in a second");
    const { session, nodeId, disk, signer, domain } = this.#context;
    const { reader } = session;
    let task: Task | undefined;
    try {
      const block = await reader.block();
      const [found, self, count] = await Promise.all([
        reader.task(block, taskId),
        reader.node(block, nodeId),
        answer(session.contracts.nodes.nodeCount(blockTag(block))),
      ]);
      if (!found) return refuse(`task ${String(taskId)} does not exist at the block that this node sees: ask again`);
      if (found.owner.toLowerCase() !== sender.address) return refuse(`task ${String(taskId)} is another one's`);
      if (found.status === "ended") return refuse(`task ${String(taskId)} has ended`);
      if (self?.status !== "active") return refuse(`this node is ${self?.status ?? "not registered"}`);
      if (!taskHolders(taskId, Number(count)).includes(nodeId))
        return refuse(`node ${String(nodeId)} is not drawn for it`);
      task = found;
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return refuse(`this node cannot look at the chain now: ${error.message}`);
    }
    const full = await disk.look();
    if (full !== undefined) return refuse(full);
    prove();
    const job = this.#join(task, from);
    if (!job) throw new CheckpointError("BUSY", "too many copies are under way or wait: ask again later");
    const waiting = new AbortController();
    await Promise.race([job.ended, pause(WAIT_MS, waiting.signal)]);
    waiting.abort();
    const { outcome } = job;
    if (!outcome) return { kind: "copying" };
    // Told once; asking again looks again, which is quick where it is held.
    if (this.#jobs.get(taskId) === job) this.#jobs.delete(taskId);
    if ("why" in outcome) return refuse(outcome.why);
    const signature = await signHolding(signer, domain, { taskId, spec: task.spec.digest, nodeId });
    return { kind: "held", nodeId, signature, bytes: outcome.bytes };
  }

  /** Lets go of what tasks needed that have ended. O(pins). */
  async tidy(block: BlockReference): Promise<void> {
    const { store, session } = this.#context;
    const held = store.list().flatMap(({ cid, labels }) =>
      labels.flatMap((label) => {
        const taskId = LABEL.exec(label)?.[1];
        return taskId === undefined ? [] : [{ cid, label, taskId: Number(taskId) }];
      }),
    );
    if (held.length === 0) return;
    const tasks = await session.reader.tasksById(block, [...new Set(held.map(({ taskId }) => taskId))]);
    const over = new Set(tasks.filter(({ status }) => status === "ended").map(({ id }) => id));
    const gone = held.filter(({ taskId }) => over.has(taskId));
    for (const { cid, label } of gone) await store.unpin(cid, label);
    if (gone.length > 0) await store.collectGarbage();
  }

  #join(task: Task, from: readonly string[]): Job | undefined {
    const known = this.#jobs.get(task.id);
    if (known) return known;
    for (const [id, { outcome }] of this.#jobs) if (outcome) this.#jobs.delete(id);
    if (this.#jobs.size >= COPIES_AT_ONCE + COPIES_WAITING) return undefined;
    const job: { ended: Promise<void>; outcome: Job["outcome"] } = { ended: Promise.resolve(), outcome: undefined };
    job.ended = this.#queue
      .add(() => this.#copy(task, from))
      .then(
        (bytes) => {
          job.outcome = { bytes };
        },
        (error: unknown) => {
          job.outcome = { why: error instanceof Error ? error.message : String(error) };
        },
      );
    this.#jobs.set(task.id, job);
    return job;
  }

  async #copy(task: Task, from: readonly string[]): Promise<number> {
    const { specs, store, maxCheckpointBytes, logger } = this.#context;
    const { signal } = this.#stop;
    const source = { taskId: task.id, from };
    const spec = await specs.bytes(task.spec, STALL_MS, signal, source);
    let bytes = spec.byteLength;
    const pin = taskLabel("input", task.id);
    for (const cid of inputsOf(spec)) {
      const bounds = { timeout: COPY_MS, stallTimeout: STALL_MS, maxBytes: Math.max(1, maxCheckpointBytes - bytes) };
      bytes += (await store.fetch(cid, { ...bounds, signal, from, pin })).size;
    }
    logger.info({ task: task.id, bytes }, "spec and inputs of a task are held");
    return bytes;
  }
}

function refuse(why: string): HoldAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}
