import type { Checkpoint, Lease, Task } from "@verai/client/entities";
import type { Holder, Reader } from "@verai/client/readers";
import type { BlockReference } from "@verai/client/block-reference";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { monotonicMs } from "@verai/system/clock";
import { COPY_PROTOCOL, COPY_RANKS, type CopyAnswer, copyAnswer, MAX_COPY_BYTES } from "./copy-protocol.ts";

/** Time for one answer, milliseconds. */
const ANSWER_MS = 8_000;
/** Pauses before a lease's holders are asked again, milliseconds: while they copy, after none could, and once all is held. */
const COPYING_MS = 2_000;
const FAILED_MS = 30_000;
const HELD_MS = 30 * 60_000;
/** Leases that are asked about at the same time: a start with many must not flood anybody. */
const AT_ONCE = 8;

/** What of a lease its holders should have: it names a state, so that a new one is asked for at once. */
export interface Content {
  readonly leaseId: number;
  /** CIDs or digests, in any form that is equal where the content is. */
  readonly names: string;
}

/** What copies are asked for with. */
export interface CopyRequestParts {
  readonly store: Pick<CheckpointStore, "request">;
  /** Those who may be asked, by rank. */
  readonly holders: (block: BlockReference, leaseId: number) => Promise<readonly Holder[]>;
  /** Copies that are wanted. */
  readonly replicas: number;
  readonly logger: Pick<Logger, "info" | "debug" | "warn">;
}

interface Asked {
  readonly names: string;
  readonly due: number;
}

/**
 * Has other nodes copy what this node's leases leave: results, and checkpoints whose task asks for no receipts. The producer
 * asks its holders, by the chain's rule; nobody looks through the leases of others. What was asked for is in memory alone:
 * after a restart all is asked for again, and those who hold it say so.
 */
export class CopyRequests {
  readonly #context: CopyRequestParts;
  readonly #now: () => number;
  readonly #asked = new Map<number, Asked>();
  readonly #running = new Map<number, Promise<void>>();
  /** Content whose copies were last told of. */
  readonly #told = new Map<number, string>();

  constructor(context: CopyRequestParts, now: () => number = monotonicMs) {
    this.#context = context;
    this.#now = now;
  }

  /** Begins to ask for what is due, and forgets the rest. Does not wait. O(contents). */
  keep(block: BlockReference, contents: readonly Content[]): void {
    if (this.#context.replicas === 0) return;
    const wanted = new Set(contents.map(({ leaseId }) => leaseId));
    for (const leaseId of this.#asked.keys()) if (!wanted.has(leaseId)) this.#asked.delete(leaseId);
    for (const leaseId of this.#told.keys()) if (!wanted.has(leaseId)) this.#told.delete(leaseId);
    for (const content of contents) {
      if (this.#running.size >= AT_ONCE) return;
      const { leaseId, names } = content;
      const before = this.#asked.get(leaseId);
      const isDue = before?.names !== names || this.#now() >= before.due;
      if (isDue && !this.#running.has(leaseId)) this.#begin(block, content);
    }
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /**
   * Asks once.
   *
   * @returns Nodes that hold all of it, and whether others are copying it.
   */
  async ask(block: BlockReference, leaseId: number): Promise<{ held: readonly Holder[]; copying: boolean }> {
    const { replicas, logger } = this.#context;
    const held: Holder[] = [];
    let copying = 0;
    for (const holder of await this.#context.holders(block, leaseId)) {
      // Those that copy now will hold it: nobody else needs to begin.
      if (held.length + copying >= replicas) break;
      const answered = await this.#askOne(holder, leaseId);
      if (answered?.kind === "held") held.push(holder);
      else if (answered?.kind === "copying") copying += 1;
      else logger.debug({ lease: leaseId, node: holder.nodeId, why: answered?.why }, "no copy there");
    }
    return { held, copying: copying > 0 };
  }

  async #askOne({ endpoint }: Holder, leaseId: number): Promise<CopyAnswer | undefined> {
    if (endpoint === "") return undefined;
    try {
      const options = { timeout: ANSWER_MS, maxBytes: MAX_COPY_BYTES };
      return copyAnswer.parse(
        await this.#context.store.request(endpoint.split(","), COPY_PROTOCOL, { leaseId }, options),
      );
    } catch {
      return undefined;
    }
  }

  #begin(block: BlockReference, { leaseId, names }: Content): void {
    const running = this.ask(block, leaseId)
      .then(
        ({ held, copying }) => {
          const isOurs = held.length >= this.#context.replicas;
          if (isOurs && this.#told.get(leaseId) !== names) {
            this.#told.set(leaseId, names);
            this.#context.logger.info({ lease: leaseId, nodes: held.map(({ nodeId }) => nodeId) }, "copies are held");
          }
          return isOurs ? HELD_MS : copying ? COPYING_MS : FAILED_MS;
        },
        (error: unknown) => {
          this.#context.logger.warn({ lease: leaseId, err: error }, "nobody can be asked for copies yet");
          return FAILED_MS;
        },
      )
      .then((pause) => {
        this.#asked.set(leaseId, { names, due: this.#now() + pause });
      })
      .finally(() => this.#running.delete(leaseId));
    this.#running.set(leaseId, running);
  }
}

/**
 * What this node's leases leave that others should have copies of: results for as long as they are kept, and the newest
 * checkpoints of tasks that ask for no receipts. Pure; O(leases).
 *
 * @param checkpoints Newest of each lease that has one.
 */
export function contentsOf(
  leases: readonly Lease[],
  checkpoints: ReadonlyMap<number, Pick<Checkpoint, "digest">>,
  taskOf: (taskId: number) => Pick<Task, "replicas"> | undefined,
): Content[] {
  return leases.flatMap(({ id, taskId, status, result }) => {
    const checkpoint = status !== "paid" && taskOf(taskId)?.replicas === 0 ? checkpoints.get(id)?.digest : undefined;
    const names = [result?.digest, checkpoint].filter((digest) => digest !== undefined);
    return names.length === 0 ? [] : [{ leaseId: id, names: names.join() }];
  });
}

/** Those who may be asked for copies of a lease's content, remembered for a while: the rule changes with the active nodes. */
export class HolderBook {
  readonly #reader: Pick<Reader, "holders">;
  readonly #freshMs: number;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly at: number; readonly holders: Promise<Holder[]> }>();

  /** @param freshMs For how long an answer counts, milliseconds. */
  constructor(reader: Pick<Reader, "holders">, freshMs = 10 * 60_000, now: () => number = monotonicMs) {
    this.#reader = reader;
    this.#freshMs = freshMs;
    this.#now = now;
  }

  /** Holders, in the order in which they are asked. @param most How many at most; 0: those that may sign for checkpoints. */
  async of(block: BlockReference, leaseId: number, most = COPY_RANKS): Promise<Holder[]> {
    const key = `${String(leaseId)} ${String(most)}`;
    const known = this.#known.get(key);
    if (known && this.#now() - known.at < this.#freshMs) return known.holders;
    for (const [each, { at }] of this.#known) if (this.#now() - at >= this.#freshMs) this.#known.delete(each);
    const holders = this.#reader.holders(block, leaseId, most);
    this.#known.set(key, { at: this.#now(), holders });
    holders.catch(() => this.#known.delete(key));
    return holders;
  }

  /** Those that were asked for lately, without a call. */
  async known(): Promise<Holder[]> {
    const found = await Promise.allSettled([...this.#known.values()].map(({ holders }) => holders));
    return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  }

  /** Forgets a lease: its holders could not be had, and may be others now. */
  forget(leaseId: number): void {
    for (const key of this.#known.keys()) if (key.startsWith(`${String(leaseId)} `)) this.#known.delete(key);
  }
}
