import { setTimeout as delay } from "node:timers/promises";

import PQueue from "p-queue";

/** A checkpoint to be copied. */
export interface Wanted {
  readonly leaseId: number;
  /** CID. */
  readonly cid: string;
  readonly fence: number;
  readonly progress: number;
  /** Bytes. */
  readonly size: number;
}

/** How a copy stands. */
export type CopyState =
  | { readonly kind: "held" }
  | { readonly kind: "copying"; readonly bytes: number; readonly total: number }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "busy"; readonly why: string };

/**
 * Copies a checkpoint: fetches and verifies all of it and makes it durable. Rejects if it cannot.
 *
 * @param onBytes Told how many bytes have arrived.
 */
export type Copy = (wanted: Wanted, signal: AbortSignal, onBytes: (bytes: number) => void) => Promise<void>;

interface Job {
  readonly wanted: Wanted;
  readonly abort: AbortController;
  bytes: number;
  state: CopyState | undefined;
  ended: Promise<void>;
}

/** What bounds the copies. */
export interface CopyBounds {
  /** Copies at the same time. */
  readonly atOnce: number;
  /** Copies that may wait. */
  readonly waiting: number;
}

/**
 * Copies of other nodes' checkpoints that were asked for: one at a time for each lease, a bounded number in all. Who asks
 * waits a while, is told how far it is, and asks again.
 */
export class Copies {
  readonly #copy: Copy;
  readonly #bounds: CopyBounds;
  readonly #queue: PQueue;
  readonly #jobs = new Map<number, Job>();

  constructor(copy: Copy, bounds: CopyBounds) {
    this.#copy = copy;
    this.#bounds = bounds;
    this.#queue = new PQueue({ concurrency: bounds.atOnce });
  }

  /** Copies that are under way or wait. */
  get pending(): number {
    return this.#queue.size + this.#queue.pending;
  }

  /**
   * Begins a copy, or joins the one under way, and waits for its end, but no longer than `waitMs`.
   *
   * A lease's later checkpoint takes the place of an earlier one; an earlier one is no longer begun.
   */
  async ask(wanted: Wanted, waitMs: number): Promise<CopyState> {
    const job = this.#join(wanted);
    if ("kind" in job) return job;
    const waiting = new AbortController();
    await Promise.race([job.ended, delay(waitMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    if (job.state === undefined) return { kind: "copying", bytes: job.bytes, total: wanted.size };
    // Told once; asking again starts again, which is quick where it is held.
    if (this.#jobs.get(wanted.leaseId) === job) this.#jobs.delete(wanted.leaseId);
    return job.state;
  }

  /** Ends all copies. */
  async stop(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const { abort } of jobs) abort.abort(new Error("the agent is leaving"));
    await Promise.all(jobs.map(({ ended }) => ended));
  }

  #join(wanted: Wanted): Job | CopyState {
    const current = this.#jobs.get(wanted.leaseId);
    if (current?.wanted.cid === wanted.cid) return current;
    if (current && current.state === undefined) {
      const { fence, progress } = current.wanted;
      if (wanted.fence < fence || (wanted.fence === fence && wanted.progress <= progress)) {
        return { kind: "busy", why: `a later checkpoint of lease ${String(wanted.leaseId)} is being copied` };
      }
      current.abort.abort(new Error("a later checkpoint takes its place"));
    }
    if (this.#queue.size >= this.#bounds.waiting) {
      return { kind: "busy", why: `${String(this.pending)} copies are under way or wait` };
    }
    const abort = new AbortController();
    const job: Job = { wanted, abort, bytes: 0, state: undefined, ended: Promise.resolve() };
    job.ended = this.#queue
      .add(async () => {
        abort.signal.throwIfAborted();
        await this.#copy(wanted, abort.signal, (bytes) => {
          job.bytes = bytes;
        });
        job.state = { kind: "held" };
      })
      .catch((error: unknown) => {
        job.state = { kind: "failed", why: error instanceof Error ? error.message : String(error) };
      });
    this.#jobs.set(wanted.leaseId, job);
    return job;
  }
}
