import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { CID } from "multiformats/cid";

import { DrmpError } from "@verai/errors/drmp-error";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { type Readers, taskLabel } from "@verai/client/content-access";
import type { ContentId, Task } from "@verai/client/entities";
import { CheckpointError, type CheckpointErrorCode } from "@verai/checkpoint-store/errors";
import { RAW } from "@verai/checkpoint-store/cids";
import { matches } from "@verai/checkpoint-store/matches";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { readBounded, reasonOf, setAside, type StateLog } from "@verai/system/state-file";
import { monotonicMs } from "@verai/system/clock";
import { isSealed, MAX_ENVELOPE_BYTES, parseEnvelope } from "@verai/executor/sealed/envelope";
import { parseSpec, type TaskSpec } from "@verai/executor/spec";

/** What keeps this machine from getting any content, whatever it is. */
const OWN_FAULTS: readonly CheckpointErrorCode[] = ["DISK_FULL", "DISK_FAILED", "NOT_STARTED"];

/** Time for fetching a spec to learn who may read, and until it is tried again, milliseconds; tasks remembered. */
const [READERS_MS, MISSING_MS, MAX_MISSING] = [4_000, 5 * 60_000, 1_024];

/** For whom a spec is fetched, and where it may be. */
export interface SpecSource {
  readonly taskId: number;
  /** Lease of this node for which it is wanted. */
  readonly lease?: number | undefined;
  /** Where it is wanted to verify: the segment of that lease. */
  readonly audit?: number | undefined;
  /** Multiaddrs of those who should have it. */
  readonly from?: readonly string[] | undefined;
}

/** A task's spec that cannot be had or cannot be used. The message names its CID and what is wrong. */
class SpecUnusableError extends DrmpError {
  override readonly name = "SpecUnusableError";

  constructor(message: string, options?: ErrorOptions) {
    super("SPEC_UNUSABLE", message, options);
  }
}

/**
 * Task specs by CID: fetched from the network once, verified, kept on disk and pinned for their task, so that this machine also
 * serves them to those who may read them.
 */
export class Specs {
  readonly #store: CheckpointStore;
  readonly #directory: string;
  readonly #log: StateLog | undefined;
  /** Until when the specs of tasks are not asked for again to learn who may read, milliseconds. */
  readonly #missing = new Map<number, number>();
  /** Specs that are pinned for a task. */
  readonly #pinned = new Set<string>();

  /** @param log Told what was damaged on disk. */
  constructor(store: CheckpointStore, directory: string, log?: StateLog) {
    this.#store = store;
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * A task's spec. What is on disk is held against the CID each time: a damaged copy is set aside and fetched again.
   *
   * @throws {@link SpecUnusableError} if it cannot be fetched in time, is larger than a spec may be, or does not validate.
   */
  async get(id: ContentId, timeoutMs: number, signal: AbortSignal, source: SpecSource): Promise<TaskSpec> {
    return this.parse(id, await this.bytes(id, timeoutMs, signal, source));
  }

  /** The bytes of a task's spec; as {@link get}, but what they say is not looked at. */
  async bytes(id: ContentId, timeoutMs: number, signal: AbortSignal, source: SpecSource): Promise<Uint8Array> {
    const root = fromChainCid(id);
    const cid = root.toString();
    const path = join(this.#directory, cid);
    const pin = taskLabel("spec", source.taskId);
    await mkdir(this.#directory, { recursive: true });
    let bytes = await this.#cached(root, path);
    if (!bytes) {
      try {
        // Its developer may come online at any time until then.
        const timeOuts = { timeout: timeoutMs, stallTimeout: timeoutMs, signal };
        const { from = [], lease, audit } = source;
        const hint = lease !== undefined && audit !== undefined ? { lease, audit } : (lease ?? null);
        await this.#store.fetchTo(cid, path, { ...timeOuts, from, hint, maxBytes: MAX_ENVELOPE_BYTES, pin });
        this.#pinned.add(`${pin} ${cid}`);
        bytes = await readBounded(path, MAX_ENVELOPE_BYTES);
        if (!bytes) throw new Error(`${path} is gone again`);
      } catch (cause) {
        // Not the spec's fault.
        if (signal.aborted || (cause instanceof CheckpointError && OWN_FAULTS.includes(cause.code))) throw cause;
        throw new SpecUnusableError(`The task's spec ${cid} cannot be fetched: ${message(cause)}`, { cause });
      }
    }
    // Another task's may be the same.
    if (!this.#pinned.has(`${pin} ${cid}`)) {
      await this.#store.pin(cid, pin).catch(() => undefined);
      this.#pinned.add(`${pin} ${cid}`);
    }
    return bytes;
  }

  /** What a spec says. @throws {@link SpecUnusableError} */
  async parse(id: ContentId, bytes: Uint8Array): Promise<TaskSpec> {
    try {
      return parseSpec(bytes);
    } catch (cause) {
      const cid = fromChainCid(id).toString();
      await rm(join(this.#directory, cid), { force: true, recursive: true });
      throw new SpecUnusableError(`The task's spec ${cid} is not valid: ${message(cause)}`, { cause });
    }
  }

  /**
   * Who may read what belongs to a task, beside those whom the chain names: what its spec says. A spec that is not here is asked for
   * where this node holds what a lease of the task leaves, a few seconds each time, and not again for a while if it is not to be had.
   */
  async readersOf({ id, spec }: Pick<Task, "id" | "spec">, leaseId: number | undefined): Promise<Readers | undefined> {
    const cid = fromChainCid(spec);
    await mkdir(this.#directory, { recursive: true });
    let bytes = await this.#cached(cid, join(this.#directory, cid.toString()));
    if (!bytes && leaseId !== undefined && monotonicMs() >= (this.#missing.get(id) ?? 0)) {
      const source = { taskId: id, lease: leaseId };
      bytes = await this.bytes(spec, READERS_MS, AbortSignal.timeout(READERS_MS), source).catch(() => undefined);
      const [oldest] = this.#missing.keys();
      if (this.#missing.size >= MAX_MISSING && oldest !== undefined) this.#missing.delete(oldest);
      if (!bytes) this.#missing.set(id, monotonicMs() + MISSING_MS);
    }
    if (!bytes) return undefined;
    try {
      return isSealed(bytes) ? parseEnvelope(bytes) : parseSpec(bytes);
    } catch {
      return undefined;
    }
  }

  /** What is on disk, if that is what the CID stands for. */
  async #cached(cid: CID, path: string): Promise<Uint8Array | undefined> {
    let why: string | undefined;
    try {
      const bytes = await readBounded(path, MAX_ENVELOPE_BYTES);
      if (bytes === undefined || matches(cid, bytes)) return bytes;
      // The CID of a tree of blocks is not the file's hash: the store, which verifies its blocks, writes the file again.
      if (cid.code !== RAW) {
        await rm(path);
        return undefined;
      }
      why = "it does not match its CID";
    } catch (error) {
      why = reasonOf(error);
      if (why === undefined) throw error;
    }
    await setAside(path, "The copy of a task's spec", why, this.#log);
    return undefined;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
