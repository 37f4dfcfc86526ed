import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { CheckpointError, type CheckpointErrorCode } from "@verai/checkpoint-store/errors";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { OpenedAudit } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease, Task } from "@verai/client/entities";
import { id, toBeHex, zeroPadValue } from "ethers";
import { LogScanner } from "@verai/client/event-logs";
import type { Session } from "@verai/client/session";
import type { Executor } from "@verai/executor/executor";
import type { Seal } from "@verai/executor/sealed/seal";
import { decoderOf } from "@verai/executor/sealed/tree";
import type { TaskSpec } from "@verai/executor/spec";
import { isVouched } from "@verai/executor/trainers/vouched";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { Logger } from "@verai/process/logger";
import { timeoutSignal } from "@verai/system/clock";
import { COPY_RANKS } from "../node/copy-protocol.ts";
import type { HolderBook } from "../node/copy-requests.ts";
import type { Sealing } from "../lease/sealing.ts";
import { nameOf } from "./audit-book.ts";
import type { Examined } from "./audit-book.ts";
import { examineSegment, type ExamineParts } from "./examine.ts";
import type { SpareCapacity } from "./spare-capacity.ts";

/** Time for one try to fetch a state, and longest wait for any block of it, milliseconds. */
const [FETCH_MS, STALL_MS] = [120_000, 6_000];
/** Leases before one that are walked back to, at most. */
const MAX_ANCESTORS = 16;
/** Name of the event of an audited task's checkpoint, which origins are found by. */
const TRACED = id("CheckpointTraced(uint32,bytes32,uint16,uint40,uint64,uint32,bytes32)");

/** What keeps this machine from having any content, whatever it is. */
const OWN_FAULTS: readonly CheckpointErrorCode[] = ["DISK_FULL", "DISK_FAILED", "NOT_STARTED"];

/** What segments are examined with. */
export interface ExaminerParts {
  readonly session: Session;
  readonly store: CheckpointStore;
  readonly sealing: Sealing;
  readonly executor: Pick<Executor, "start" | "refusal">;
  readonly spare: Pick<SpareCapacity, "run">;
  readonly holders: HolderBook;
  /** Multiaddrs of the nodes that may hold a task's spec and inputs. */
  readonly holdersOf?: ((taskId: number) => Promise<readonly string[]>) | undefined;
  /** Where work lies that the executor can give to units. */
  readonly directory: string;
  /** Bytes of the largest checkpoint of others that this node takes. */
  readonly maxCheckpointBytes: number;
  readonly logger: Logger;
}

/**
 * Runs drawn segments again: has the spec, the states and the inputs from those whom the chain names, and runs one unit in the executor that
 * also runs this node's leases, with the limits of the spec, in places that these leave free.
 */
export class Examiner {
  readonly #parts: ExaminerParts;

  constructor(parts: ExaminerParts) {
    this.#parts = parts;
  }

  /**
   * Examines a segment. Goes on from what an earlier try has left.
   *
   * @param timeoutMs It takes no longer.
   * @throws what is this machine's trouble: no key, a full disk, the signal's reason
   */
  async examine(opened: OpenedAudit, timeoutMs: number, signal: AbortSignal): Promise<Examined> {
    const { session, sealing, executor, spare, logger } = this.#parts;
    const { leaseId, sequence, salt, before, end } = opened;
    const until = AbortSignal.any([signal, timeoutSignal(timeoutMs)]);
    const block = await session.reader.block();
    const [lease] = await session.reader.leasesThatExist(block, [leaseId]);
    const task = lease && (await session.reader.task(block, lease.taskId));
    if (!task) throw new Error(`lease ${String(leaseId)}, which is under audit, is not on the chain`);
    const from = await this.#from(block, lease);
    const worked = { id: leaseId, fence: lease.fence, audit: sequence };
    const source = { taskId: task.id, lease: leaseId, audit: sequence, from };
    const spec = await sealing.spec(task, worked, timeoutMs, until, source);
    const refusal = executor.refusal(spec);
    if (refusal !== undefined) return { vouched: false, outcome: { kind: "failed", why: refusal } };
    const seal = await sealing.seal(task, worked, until);
    const directory = join(this.#parts.directory, `audit-${nameOf(opened)}`);
    await mkdir(directory, { recursive: true });
    const origins = before.sequence === 0 ? await this.#origins(block, lease) : [];
    const segment = {
      ...{ taskId: task.id, unitCount: task.units, leaseId, start: lease.start, count: lease.count, salt },
      before: before.sequence === 0 ? undefined : toPosted(before),
      end: toPosted(end),
      origins,
    };
    const hint = { lease: leaseId, audit: sequence };
    const parts = {
      ...{ executor, spec, seal, directory, timeoutMs, log: logger, maxBytes: this.#parts.store.maxBytes },
      fetch: (checkpoint: { readonly cid: string; readonly size: number }, target: string, aborted: AbortSignal) =>
        this.#fetch(checkpoint, target, from, hint, aborted),
      placeInputs: (input: string, aborted: AbortSignal) =>
        this.#placeInputs(task, spec, seal, input, from, hint, aborted),
    } satisfies Omit<ExamineParts, "signal">;
    const outcome = await spare.run((aborted) => examineSegment(segment, { ...parts, signal: aborted }), until);
    return { vouched: isVouched(spec), outcome };
  }

  /** Deletes what an examination has left. */
  async tidy(opened: Pick<OpenedAudit, "leaseId" | "sequence">): Promise<void> {
    await rm(join(this.#parts.directory, `audit-${nameOf(opened)}`), { recursive: true, force: true });
    this.#parts.sealing.forget(opened.leaseId);
  }

  /** Those who may have the states: the lease's node, its holders, and those who hold the task's inputs. */
  async #from(block: BlockReference, lease: Lease): Promise<readonly string[]> {
    const { session, holders, holdersOf } = this.#parts;
    const [producer, those, inputs] = await Promise.all([
      session.reader.node(block, lease.nodeId),
      holders.of(block, lease.id, COPY_RANKS),
      holdersOf?.(lease.taskId).catch(() => []) ?? [],
    ]);
    const endpoints = [producer?.endpoint ?? "", ...those.map(({ endpoint }) => endpoint)];
    const addresses = endpoints.flatMap((endpoint) => endpoint.split(",")).filter((address) => address !== "");
    return [...new Set([...addresses, ...inputs])];
  }

  /**
   * All checkpoints that the leases before ever posted, also those that an audit has rolled back: the first segment of a lease went on from one
   * of them. O(posts of the ancestors).
   */
  async #origins(block: BlockReference, lease: Lease): Promise<{ cid: string; size: number }[]> {
    const { reader, provider, contracts } = this.#parts.session;
    const ancestors: number[] = [];
    for (let parent = lease.parent; parent !== 0 && ancestors.length < MAX_ANCESTORS;) {
      ancestors.push(parent);
      parent = (await reader.leasesThatExist(block, [parent]))[0]?.parent ?? 0;
    }
    if (ancestors.length === 0) return [];
    const address = [await contracts.checkpoints.getAddress()];
    const topics = [[TRACED], ancestors.map((ancestor) => zeroPadValue(toBeHex(ancestor), 32))];
    const newest = await reader.checkpoints(block, ancestors);
    const missing = new Set(ancestors.filter((ancestor) => newest.has(ancestor)));
    const origins: { cid: string; size: number }[] = [];
    await new LogScanner(provider).back({ address, topics }, block.number, 0, (logs) => {
      for (const log of logs) {
        const { args } = contracts.checkpoints.interface.parseLog({ topics: [...log.topics], data: log.data }) ?? {};
        if (!args) continue;
        const { digest, codec, size } = args as unknown as { digest: string; codec: bigint; size: bigint };
        origins.push(toPosted({ digest, codec: Number(codec), size: String(size) }));
        if (args["sequence"] === 1n) missing.delete(Number(log.topics[1]));
      }
      return missing.size === 0;
    });
    return origins;
  }

  async #fetch(
    { cid, size }: { readonly cid: string; readonly size: number },
    target: string,
    from: readonly string[],
    hint: { readonly lease: number; readonly audit: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, maxCheckpointBytes, logger } = this.#parts;
    if (size > maxCheckpointBytes) {
      throw new Error(
        `the state ${cid} has ${String(size)} bytes, and this node takes at most ${String(maxCheckpointBytes)}`,
      );
    }
    try {
      await store.fetchTo(cid, target, {
        ...{ from, hint, signal, maxBytes: size, timeout: FETCH_MS, stallTimeout: STALL_MS },
      });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CheckpointError && OWN_FAULTS.includes(error.code)) throw error;
      logger.warn({ lease: hint.lease, segment: hint.audit, cid, err: error }, "a state under audit cannot be had now");
      return false;
    }
  }

  async #placeInputs(
    task: Task,
    spec: TaskSpec,
    seal: Seal | undefined,
    input: string,
    from: readonly string[],
    hint: { readonly lease: number; readonly audit: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store } = this.#parts;
    await mkdir(input, { recursive: true });
    for (const [cid, path] of Object.entries(spec.inputs)) {
      const target = join(input, path);
      if (existsSync(target)) continue;
      await mkdir(dirname(target), { recursive: true });
      try {
        await store.fetchTo(cid, target, {
          ...{ signal, hint, from, maxBytes: store.maxBytes, stallTimeout: STALL_MS },
          ...(seal && { decoder: decoderOf(seal) }),
        });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CheckpointError && OWN_FAULTS.includes(error.code)) throw error;
        this.#parts.logger.warn({ task: task.id, cid, err: error }, "an input of a task under audit cannot be had now");
        return false;
      }
    }
    return true;
  }
}

function toPosted({ digest, codec, size }: { readonly digest: string; readonly codec: number; readonly size: string }) {
  const bytes = Number(size);
  return { cid: fromChainCid({ digest, codec }).toString(), size: Math.min(bytes, Number.MAX_SAFE_INTEGER) };
}
