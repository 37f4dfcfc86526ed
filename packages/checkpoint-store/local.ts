import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { CID } from "multiformats/cid";

import { DataDirectory, DataDirectoryError } from "@verai/system/data-directory";
import { BlockFiles, BlockNotFoundError } from "./blocks.ts";
import type { SweepResult } from "./blocks.ts";
import { blockName, DAG_PB, toCid } from "./cids.ts";
import { collect, decodeNode } from "./dag.ts";
import type { DagSummary } from "./dag.ts";
import { CheckpointError, explainWriteError } from "./errors.ts";
import { exportTo } from "./export.ts";
import { References, OperationReferences } from "./references.ts";
import { importDirectory, importFile } from "./import.ts";
import type { BlockSink, Imported } from "./import.ts";
import { leafDigest, pickLeaf } from "./spot-proofs.ts";
import type { SpotProof } from "./spot-proofs.ts";
import { silentLog } from "./log.ts";
import type { Log } from "./log.ts";
import { Pins } from "./pins.ts";
import type { Pin } from "./pins.ts";

const LOCAL_CONCURRENCY = 8;

/** What was added or fetched. */
export interface Stored {
  cid: CID;
  /** Cumulative size of the blocks in bytes: what a fetch needs as `maxBytes`. */
  size: number;
  /** Number of distinct blocks. */
  blocks: number;
}

interface Opened {
  references: References;
  pins: Pins;
  closing: AbortController;
  lock: DataDirectory;
}

/**
 * Content on this disk: directories and files become pinned CIDs. Everything read is verified block by block; CIDs
 * equal those of Kubo's profile unixfs-v1-2025. One open store per directory, which it locks.
 *
 * All calls need {@link open} to have returned, else they throw {@link CheckpointError} `NOT_STARTED`.
 */
export class LocalStore {
  readonly directory: string;
  /** Maximum bytes that all blocks together may have. */
  readonly maxBytes: number;
  protected readonly temporary: string;
  protected readonly log: Log;
  protected readonly blocks: BlockFiles;
  readonly #operations = new Set<Promise<unknown>>();
  #references = new References();
  #opened: Opened | undefined;
  #opening: Promise<void> | undefined;

  /**
   * @param directory - made at {@link open} if missing
   * @param maxBytes - most bytes that all blocks together may have; what is neither pinned nor in use goes when room is
   * needed
   */
  constructor(directory: string, log: Log = silentLog, maxBytes = Infinity) {
    this.directory = resolve(directory);
    this.maxBytes = maxBytes;
    this.temporary = join(this.directory, "tmp");
    this.log = log;
    this.blocks = new BlockFiles({
      directory: join(this.directory, "blocks"),
      temporary: this.temporary,
      maxBytes,
      isNeeded: (name) => this.#references.has(name),
      onCorrupt: (cid) => {
        log.warn({ cid: cid.toString() }, "A block was corrupt on disk; deleted, to be fetched again");
      },
    });
  }

  /**
   * Takes the directory for this process, and clears what a crash left half-written.
   *
   * @throws {@link CheckpointError} `IN_USE`, with nothing changed, if another process or store works in it; `DISK_FULL`,
   * `DISK_FAILED`
   */
  async open(): Promise<void> {
    if (this.#opened !== undefined) return;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  async #open(): Promise<void> {
    const lock = await this.#lock();
    try {
      try {
        await rm(this.temporary, { recursive: true, force: true });
        for (const name of ["blocks", "pins", "tmp"]) {
          await mkdir(join(this.directory, name), { recursive: true, mode: 0o700 });
        }
      } catch (error) {
        throw explainWriteError(error, this.directory);
      }
      const references = new References();
      const pins = new Pins(join(this.directory, "pins"), this.temporary, references);
      await pins.load(this.log);
      this.#references = references;
      await this.blocks.open();
      this.#opened = { references, pins, closing: new AbortController(), lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #lock(): Promise<DataDirectory> {
    try {
      return await DataDirectory.lock(this.directory, {
        log: this.log,
        onLost: (error) => {
          this.log.error(
            { err: error },
            "The lock of the checkpoint store is lost: stop this process, and start it again",
          );
        },
      });
    } catch (error) {
      if (!(error instanceof DataDirectoryError)) throw error;
      if (error.code === "DIRECTORY_IN_USE") throw new CheckpointError("IN_USE", error.message, { cause: error });
      throw explainWriteError(error.cause, this.directory);
    }
  }

  /** Ends what is under way; it throws `NOT_STARTED`. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const opened = this.#opened;
    const reason = new CheckpointError("NOT_STARTED", `The checkpoint store at ${this.directory} was stopped`);
    opened?.closing.abort(reason);
    this.#opened = undefined;
    await Promise.allSettled(this.#operations);
    await opened?.lock.release();
  }

  /**
   * Adds a directory with all that is in it and pins it, durably. The same names and contents always give the same CID.
   *
   * @throws {@link CheckpointError} `INVALID_SOURCE` (symbolic links among others), `DISK_FULL`
   */
  async addDirectory(path: string, options: { pin?: string } = {}): Promise<Stored> {
    return this.#add((sink) => importDirectory(resolve(path), sink), options.pin ?? "");
  }

  /** Adds one file (a path) or bytes and pins it; else as {@link addDirectory}. */
  async addFile(source: string | Uint8Array, options: { pin?: string } = {}): Promise<Stored> {
    return this.#add(
      (sink) => importFile(typeof source === "string" ? resolve(source) : source, sink),
      options.pin ?? "",
    );
  }

  /** Whether the whole content is in the store. Reads and verifies all of it; corrupt blocks are deleted. */
  async has(cid: CID | string): Promise<boolean> {
    const root = toCid(cid);
    return this.operation(async (references) => {
      try {
        await this.#collectLocal(root, references);
        return true;
      } catch (error) {
        if (error instanceof BlockNotFoundError) return false;
        throw error;
      }
    });
  }

  /** Bytes of all blocks in the store, pinned or not. */
  get usedBytes(): number {
    return this.blocks.used;
  }

  /**
   * Verifies that the whole content is in the store and makes it durable: after it has returned, the content survives a
   * loss of power. What has been added, or fetched with a pin, is durable already. Reads all of it.
   *
   * @throws {@link CheckpointError} `NOT_FOUND` if a block is missing or corrupt; `DISK_FAILED`
   */
  async durable(cid: CID | string): Promise<Stored> {
    const root = toCid(cid);
    return this.operation(async (references) => {
      const { size, names } = await this.#collectWhole(root, references, "Cannot make durable");
      await this.blocks.sync(names);
      return { cid: root, size, blocks: names.length };
    });
  }

  /**
   * Answers a challenge: proves that the leaf that the nonce picks is here now. Reads only the blocks down to it.
   *
   * @param nonce - chosen by who asks, 16 to 64 bytes in hex
   * @throws {@link CheckpointError} `NOT_FOUND` if one of these blocks is missing or corrupt; `BAD_MESSAGE`
   */
  async proveLeaf(cid: CID | string, nonce: string): Promise<SpotProof> {
    const root = toCid(cid);
    return this.operation(async () => {
      try {
        const leaf = await pickLeaf(root, nonce, (block) => this.blocks.read(block));
        const digest = leafDigest(nonce, await this.blocks.read(leaf.cid));
        return { leaf: leaf.cid.toString(), path: leaf.path, digest };
      } catch (error) {
        if (!(error instanceof BlockNotFoundError)) throw error;
        throw notFound("Cannot prove to hold", root, error);
      }
    });
  }

  /**
   * Writes content that is wholly in the store to a path that does not exist yet, as `CheckpointStore.fetchTo` does.
   *
   * @throws {@link CheckpointError} `NOT_FOUND` if a block is missing or corrupt, and as {@link exportTo} does
   */
  async exportTo(cid: CID | string, destination: string): Promise<void> {
    const root = toCid(cid);
    await this.operation(async (references, stopped) => {
      try {
        await this.#collectLocal(root, references);
        await exportTo(root, resolve(destination), (block) => this.blocks.read(block), stopped);
      } catch (error) {
        if (!(error instanceof BlockNotFoundError)) throw error;
        throw notFound("Cannot export", root, error);
      }
    });
  }

  /**
   * All blocks of content that is wholly in the store, each once and verified, the root first. The content should be pinned: garbage
   * collection does not spare it between two blocks.
   *
   * @throws {@link CheckpointError} `NOT_FOUND` if a block is missing or corrupt
   */
  async *blocksOf(cid: CID | string): AsyncGenerator<{ readonly cid: CID; readonly bytes: Uint8Array }> {
    const root = toCid(cid);
    const seen = new Set([root.toString()]);
    const queue = [root];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const block = next;
      const bytes = await this.operation(() => this.blocks.read(block)).catch((error: unknown) => {
        if (!(error instanceof BlockNotFoundError)) throw error;
        throw notFound("Cannot read", root, error);
      });
      if (block.code === DAG_PB) {
        for (const { Hash } of decodeNode(block, bytes).Links) {
          if (seen.size === seen.add(Hash.toString()).size) continue;
          queue.push(Hash);
        }
      }
      yield { cid: block, bytes };
    }
  }

  /**
   * Pins content that is wholly in the store. Several labels can pin the same content; it stays until the last is gone.
   *
   * @throws {@link CheckpointError} `NOT_FOUND` if a block is missing or corrupt
   */
  async pin(cid: CID | string, label = ""): Promise<void> {
    const root = toCid(cid);
    await this.operation(async (references) => {
      await this.keep(root, await this.#collectWhole(root, references, "Cannot pin"), label);
    });
  }

  /** Takes a label off. @returns whether the content was pinned under it. */
  async unpin(cid: CID | string, label = ""): Promise<boolean> {
    return this.operation(() => this.#parts().pins.remove(toCid(cid), label));
  }

  /** All pins. */
  list(): Pin[] {
    return this.#parts().pins.list();
  }

  /** Labels and names of the blocks of what is pinned under a CID; undefined if nothing is, or the store is not open. */
  protected pinned(root: string): ReturnType<Pins["find"]> {
    return this.#opened?.pins.find(root);
  }

  /** Deletes all blocks that neither a pin nor a running add or fetch needs. */
  async collectGarbage(): Promise<SweepResult> {
    return this.operation((references) => this.blocks.sweep((name) => references.has(name)));
  }

  async #add(run: (sink: BlockSink) => Promise<Imported>, label: string): Promise<Stored> {
    return this.operation(async (references, stopped) => {
      const names = new Set<string>();
      const fresh = new Set<string>();
      // the importer works on several files at once, and after an error the others go on
      const failed = new AbortController();
      const ended = AbortSignal.any([stopped, failed.signal]);
      const sink: BlockSink = {
        get: (cid) => this.blocks.get(cid),
        has: (cid) => this.blocks.has(cid),
        put: async (cid, bytes) => {
          const name = blockName(cid) ?? "";
          references.add(name);
          const isFresh = !(await this.blocks.has(cid));
          ended.throwIfAborted();
          names.add(name);
          if (isFresh) fresh.add(name);
          return this.blocks.put(cid, bytes);
        },
      };
      try {
        const { cid, size } = await run(sink);
        await this.keep(cid, { size, names: [...names] }, label);
        return { cid, size, blocks: names.size };
      } catch (error) {
        failed.abort(error);
        await this.blocks.settle();
        // a half-added checkpoint is of no use, least of all on a full disk
        references.release();
        for (const name of fresh) if (!references.has(name)) this.blocks.discard(name);
        throw error;
      }
    });
  }

  async #collectWhole(root: CID, references: OperationReferences, failure: string): Promise<DagSummary> {
    try {
      return await this.#collectLocal(root, references);
    } catch (error) {
      if (!(error instanceof BlockNotFoundError)) throw error;
      throw notFound(failure, root, error);
    }
  }

  async #collectLocal(root: CID, references: OperationReferences): Promise<DagSummary> {
    const read = (cid: CID): Promise<Uint8Array> => {
      references.add(blockName(cid) ?? "");
      return this.blocks.read(cid);
    };
    return collect(root, read, { maxBytes: Infinity, concurrency: LOCAL_CONCURRENCY });
  }

  /** Blocks first, then the pin: after a crash, a pin never names blocks that did not reach the disk. */
  protected async keep(cid: CID, dag: DagSummary, label: string): Promise<void> {
    await this.blocks.sync(dag.names);
    await this.#parts().pins.add(cid, dag, label);
  }

  /** Runs something that `stop` waits for, and during which garbage collection spares the blocks it holds. */
  protected async operation<T>(
    work: (references: OperationReferences, stopped: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const parts = this.#parts();
    const references = new OperationReferences(parts.references);
    const task = work(references, parts.closing.signal).finally(() => {
      references.release();
    });
    this.#operations.add(task);
    try {
      return await task;
    } catch (error) {
      // blocks asked for and given up must not appear on disk after the error
      await this.blocks.settle();
      throw error;
    } finally {
      this.#operations.delete(task);
    }
  }

  #parts(): Opened {
    if (this.#opened === undefined) {
      throw new CheckpointError("NOT_STARTED", `The checkpoint store at ${this.directory} is not running: start it`);
    }
    return this.#opened;
  }
}

function notFound(failure: string, root: CID, cause: BlockNotFoundError): CheckpointError {
  return new CheckpointError("NOT_FOUND", `${failure} ${root.toString()}: ${cause.message}; fetch it first`, { cause });
}
