import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { fromChainCid } from "../../protocol/checkpoints/cid.ts";
import type { ContentId } from "../../chain/entities.ts";
import { CheckpointError, type CheckpointErrorCode } from "../../checkpoints/errors.ts";
import type { CheckpointStore } from "../../checkpoints/store.ts";
import { MAX_SPEC_BYTES, parseSpec, type TaskSpec } from "../../workload/spec.ts";

/** What keeps this machine from getting any content, whatever it is. */
const OWN_FAULTS: readonly CheckpointErrorCode[] = ["DISK_FULL", "DISK_FAILED", "NOT_STARTED"];

/** A task's spec that cannot be had or cannot be used. The message names its CID and what is wrong. */
export class SpecUnusable extends Error {
  readonly code = "SPEC_UNUSABLE";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SpecUnusable";
  }
}

/**
 * Task specs by CID: fetched from the network once, verified, kept on disk and pinned, so that this machine serves them
 * to others too.
 */
export class Specs {
  readonly #store: CheckpointStore;
  readonly #directory: string;

  constructor(store: CheckpointStore, directory: string) {
    this.#store = store;
    this.#directory = directory;
  }

  /**
   * A task's spec.
   *
   * @throws {@link SpecUnusable} if it cannot be fetched in time, is larger than a spec may be, or does not validate.
   */
  async get(id: ContentId, timeoutMs: number, signal: AbortSignal): Promise<TaskSpec> {
    const cid = fromChainCid(id).toString();
    const path = join(this.#directory, cid);
    await mkdir(this.#directory, { recursive: true });
    let bytes = await readFile(path).catch(() => undefined);
    if (!bytes) {
      try {
        // Its developer may come online at any time until then.
        const patience = { timeout: timeoutMs, stallTimeout: timeoutMs, signal };
        await this.#store.fetchTo(cid, path, { ...patience, maxBytes: MAX_SPEC_BYTES, pin: "spec" });
        bytes = await readFile(path);
      } catch (cause) {
        // Not the spec's fault.
        if (signal.aborted || (cause instanceof CheckpointError && OWN_FAULTS.includes(cause.code))) throw cause;
        throw new SpecUnusable(`The task's spec ${cid} cannot be fetched: ${message(cause)}`, { cause });
      }
    }
    try {
      return parseSpec(bytes);
    } catch (cause) {
      await rm(path, { force: true, recursive: true });
      throw new SpecUnusable(`The task's spec ${cid} is not valid: ${message(cause)}`, { cause });
    }
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
