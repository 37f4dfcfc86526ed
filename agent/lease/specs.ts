import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { CID } from "multiformats/cid";

import { DrmpError } from "@verai/errors/drmp-error";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { ContentId } from "@verai/client/entities";
import { CheckpointError, type CheckpointErrorCode } from "@verai/checkpoint-store/errors";
import { matches, RAW } from "@verai/checkpoint-store/cids";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { readBounded, reasonOf, setAside, type StateLog } from "@verai/system/state-file";
import { MAX_SPEC_BYTES, parseSpec, type TaskSpec } from "@verai/executor/spec";

/** What keeps this machine from getting any content, whatever it is. */
const OWN_FAULTS: readonly CheckpointErrorCode[] = ["DISK_FULL", "DISK_FAILED", "NOT_STARTED"];

/** A task's spec that cannot be had or cannot be used. The message names its CID and what is wrong. */
class SpecUnusableError extends DrmpError {
  override readonly name = "SpecUnusableError";

  constructor(message: string, options?: ErrorOptions) {
    super("SPEC_UNUSABLE", message, options);
  }
}

/**
 * Task specs by CID: fetched from the network once, verified, kept on disk and pinned, so that this machine serves them
 * to others too.
 */
export class Specs {
  readonly #store: CheckpointStore;
  readonly #directory: string;
  readonly #log: StateLog | undefined;

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
  async get(id: ContentId, timeoutMs: number, signal: AbortSignal): Promise<TaskSpec> {
    const root = fromChainCid(id);
    const cid = root.toString();
    const path = join(this.#directory, cid);
    await mkdir(this.#directory, { recursive: true });
    let bytes = await this.#cached(root, path);
    if (!bytes) {
      try {
        // Its developer may come online at any time until then.
        const timeOuts = { timeout: timeoutMs, stallTimeout: timeoutMs, signal };
        await this.#store.fetchTo(cid, path, { ...timeOuts, maxBytes: MAX_SPEC_BYTES, pin: "spec" });
        bytes = await readBounded(path, MAX_SPEC_BYTES);
        if (!bytes) throw new Error(`${path} is gone again`);
      } catch (cause) {
        // Not the spec's fault.
        if (signal.aborted || (cause instanceof CheckpointError && OWN_FAULTS.includes(cause.code))) throw cause;
        throw new SpecUnusableError(`The task's spec ${cid} cannot be fetched: ${message(cause)}`, { cause });
      }
    }
    try {
      return parseSpec(bytes);
    } catch (cause) {
      await rm(path, { force: true, recursive: true });
      throw new SpecUnusableError(`The task's spec ${cid} is not valid: ${message(cause)}`, { cause });
    }
  }

  /** What is on disk, if that is what the CID stands for. */
  async #cached(cid: CID, path: string): Promise<Uint8Array | undefined> {
    let why: string | undefined;
    try {
      const bytes = await readBounded(path, MAX_SPEC_BYTES);
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
