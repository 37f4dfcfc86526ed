import { randomUUID } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { BaseBlockstore } from "blockstore-core/base";
import type { InputPair, Pair } from "interface-blockstore";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";

import { MAX_BLOCK_BYTES, RAW, SHA2_256, blockName, matches } from "./cids.ts";
import { CheckpointError, explainWriteError, systemErrorCode } from "./errors.ts";
import { forEachLimited, fsyncPath } from "./files.ts";

const FSYNC_CONCURRENCY = 8;

/** A block is not (or, being corrupt, no longer) on this disk. Bitswap knows the error by its name. */
export class BlockNotFoundError extends Error {
  override readonly name = "NotFoundError";
  /** Whether it was there, and is deleted now. */
  readonly wasCorrupt: boolean;

  constructor(message: string, wasCorrupt = false) {
    super(message);
    this.wasCorrupt = wasCorrupt;
  }
}

/** What a sweep of the block files did. */
export interface SweepResult {
  /** Blocks deleted. */
  deleted: number;
  /** Their bytes. */
  freedBytes: number;
  /** Blocks that somebody needs. */
  kept: number;
}

/** Where the files of a {@link BlockFiles} are, and whom it tells of damage. */
export interface BlockFilesOptions {
  /** Directory of the blocks. */
  directory: string;
  /** Directory on the same file system for blocks being written. */
  temporary: string;
  /** Called for every corrupt block found on disk, after its deletion. */
  onCorrupt: (cid: CID) => void;
}

/**
 * Blocks as files, one each, named by digest. Unlike blockstore-fs it hashes every block it reads and writes (so that
 * neither Helia nor bitswap's server ever sees a corrupt one), reads a block in one go, and can make its writes
 * durable.
 */
export class BlockFiles extends BaseBlockstore {
  readonly #directory: string;
  readonly #temporary: string;
  readonly #onCorrupt: (cid: CID) => void;
  readonly #unsynced = new Set<string>();
  readonly #writing = new Set<Promise<CID>>();

  constructor(options: BlockFilesOptions) {
    super();
    this.#directory = options.directory;
    this.#temporary = options.temporary;
    this.#onCorrupt = options.onCorrupt;
  }

  /** File of a block by its name (see {@link blockName}). */
  fileOf(name: string): string {
    return join(this.#directory, name.slice(0, 2), name);
  }

  override async has(cid: CID): Promise<boolean> {
    const name = blockName(cid);
    if (name === undefined) return false;
    return access(this.fileOf(name)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Reads and verifies a block. A corrupt one is deleted and counts as missing, so that it will be fetched anew.
   *
   * @throws BlockNotFoundError
   */
  async read(cid: CID): Promise<Uint8Array> {
    const name = blockName(cid);
    if (name === undefined) throw new BlockNotFoundError(`Block ${cid.toString()} can't be in the store`);
    const file = this.fileOf(name);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(file);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") {
        throw new BlockNotFoundError(`Block ${cid.toString()} is not in the store`);
      }
      throw error;
    }
    if (matches(cid, bytes)) return bytes;
    await rm(file, { force: true });
    this.#onCorrupt(cid);
    throw new BlockNotFoundError(`Block ${cid.toString()} was corrupt on disk and is deleted`, true);
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await this.read(cid);
  }

  /**
   * Writes a block by atomic rename; {@link sync} makes it durable. One that is there already is compared, and replaced
   * if it differs.
   *
   * @throws {@link CheckpointError} `CORRUPT` if the bytes are not the CID's, `INVALID_DIRECTORY` if they are
   * more than {@link MAX_BLOCK_BYTES}, `DISK_FULL`, `DISK_FAILED`
   */
  override async put(cid: CID, value: InputPair["bytes"]): Promise<CID> {
    const writing = this.#put(cid, value);
    this.#writing.add(writing);
    try {
      return await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** Waits for the writes that are under way: those who asked for them may have given up. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#writing);
  }

  async #put(cid: CID, value: InputPair["bytes"]): Promise<CID> {
    const bytes = await toBytes(value);
    if (bytes.byteLength > MAX_BLOCK_BYTES) {
      throw new CheckpointError(
        "INVALID_DIRECTORY",
        `Block ${cid.toString()} has ${bytes.byteLength} bytes, more than ${MAX_BLOCK_BYTES}: its author must add the content with chunks of 1 MiB`,
      );
    }
    const name = blockName(cid);
    if (name === undefined || !matches(cid, bytes)) {
      throw new CheckpointError(
        "CORRUPT",
        `Refused to store ${bytes.byteLength} bytes as block ${cid.toString()}, whose SHA-256 they do not have: get the block from another peer`,
      );
    }
    const file = this.fileOf(name);
    const present = await readFile(file).catch(() => undefined);
    if (present !== undefined && Buffer.compare(present, bytes) === 0) return cid;
    const draft = join(this.#temporary, `${name}-${randomUUID()}`);
    try {
      await writeFile(draft, bytes, { flag: "wx" });
      await mkdir(dirname(file), { recursive: true });
      await rename(draft, file);
    } catch (error) {
      await rm(draft, { force: true });
      throw explainWriteError(error, this.#directory);
    }
    this.#unsynced.add(file);
    return cid;
  }

  /** Makes all blocks written so far durable (fsync of files and directories). */
  async sync(): Promise<void> {
    const files = [...this.#unsynced];
    const directories = new Set(files.map((file) => dirname(file)));
    if (files.length > 0) directories.add(this.#directory);
    try {
      await forEachLimited(files, FSYNC_CONCURRENCY, fsyncPath);
      await forEachLimited(directories, FSYNC_CONCURRENCY, fsyncPath);
    } catch (error) {
      throw explainWriteError(error, this.#directory);
    }
    for (const file of files) this.#unsynced.delete(file);
  }

  override async delete(cid: CID): Promise<void> {
    const name = blockName(cid);
    if (name !== undefined) await rm(this.fileOf(name), { force: true });
  }

  override async *getAll(): AsyncGenerator<Pair> {
    for await (const name of this.#names()) {
      const cid = CID.createV1(RAW, createDigest(SHA2_256, Buffer.from(name, "hex")));
      yield { cid, bytes: this.get(cid) };
    }
  }

  /**
   * Deletes every block that nobody needs. Asking and deleting are one synchronous step, so that a block which
   * somebody begins to need meanwhile is either kept or seen to be missing, never lost unseen.
   */
  async sweep(isNeeded: (name: string) => boolean): Promise<SweepResult> {
    const result: SweepResult = { deleted: 0, freedBytes: 0, kept: 0 };
    for await (const name of this.#names()) {
      if (isNeeded(name)) {
        result.kept += 1;
      } else {
        result.freedBytes += this.discard(name);
        result.deleted += 1;
      }
    }
    return result;
  }

  /** Deletes a block's file at once. @returns its bytes, 0 if there was none. */
  discard(name: string): number {
    const file = this.fileOf(name);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) return 0;
    rmSync(file, { force: true });
    this.#unsynced.delete(file);
    return size;
  }

  async *#names(): AsyncGenerator<string> {
    for (const shard of await readdir(this.#directory)) {
      for (const name of await readdir(join(this.#directory, shard))) {
        if (/^[0-9a-f]{64}$/.test(name)) yield name;
      }
    }
  }
}

async function toBytes(value: InputPair["bytes"]): Promise<Uint8Array> {
  if (value instanceof Uint8Array) return value;
  const chunks: Uint8Array[] = [];
  for await (const chunk of value) chunks.push(chunk);
  return Buffer.concat(chunks);
}
