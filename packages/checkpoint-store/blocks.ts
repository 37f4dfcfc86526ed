import { hash, randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { access, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { BaseBlockstore } from "blockstore-core/base";
import type { InputPair, Pair } from "interface-blockstore";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";

import { readBounded, reasonOf } from "@verai/system/state-file";
import { MAX_BLOCK_BYTES, RAW, SHA2_256, blockName } from "./cids.ts";
import { matches } from "./matches.ts";
import { CheckpointError, explainWriteError, systemErrorCode } from "./errors.ts";
import { forEachLimited, fsyncPath } from "./files.ts";
import { DrmpError } from "@verai/errors/drmp-error";
import { Quota } from "./quota.ts";

const FSYNC_CONCURRENCY = 8;
const SCAN_CONCURRENCY = 16;

/** Name of the block without bytes. */
const EMPTY_NAME = hash("sha256", "", "hex");

/** A block is not (or, being corrupt, no longer) on this disk. Bitswap knows the error by its name. */
export class BlockNotFoundError extends DrmpError {
  override readonly name = "NotFoundError";
  /** Whether it existed, and is deleted now. */
  readonly wasCorrupt: boolean;

  constructor(message: string, wasCorrupt = false) {
    super("BLOCK_NOT_FOUND", message);
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

/** Told of bytes that were verified and are being stored, valid during the call. */
export type BlockTap = (name: string, bytes: Uint8Array) => void;

/** Where the files of a {@link BlockFiles} are, and whom it tells of damage. */
export interface BlockFilesOptions {
  /** Directory of the blocks. */
  directory: string;
  /** Directory on the same file system for blocks being written. */
  temporary: string;
  /** Maximum bytes that all blocks together may have. */
  maxBytes: number;
  /** Whether somebody needs a block, by its name; all others are let go of when room is needed. */
  isNeeded: (name: string) => boolean;
  /** Called for every corrupt block found on disk, after its deletion. */
  onCorrupt: (cid: CID) => void;
}

/**
 * Blocks as files, one each, named by digest. Unlike blockstore-fs it hashes every block it reads and writes (so that
 * neither Helia nor bitswap's server ever sees a corrupt one), reads a block in one go, and can make its writes
 * durable.
 */
export class BlockFiles extends BaseBlockstore {
  readonly #options: BlockFilesOptions;
  readonly #directory: string;
  readonly #quota: Quota;
  /** Blocks that may not be durable yet, each with a number that changes when it is written again. */
  readonly #unsynced = new Map<string, number>();
  readonly #shards = new Set<string>();
  readonly #writing = new Set<Promise<void>>();
  readonly #taps = new Set<BlockTap>();
  #writes = 0;

  constructor(options: BlockFilesOptions) {
    super();
    this.#options = options;
    this.#directory = options.directory;
    this.#quota = new Quota(options.maxBytes);
  }

  /**
   * Looks at what exists. Blocks that nobody needs yet may have been left by a crash before they were durable.
   * O(n) in the blocks.
   */
  async open(): Promise<void> {
    this.#quota.clear();
    this.#unsynced.clear();
    this.#shards.clear();
    const names: string[] = [];
    for await (const name of this.#names()) names.push(name);
    await forEachLimited(names, SCAN_CONCURRENCY, async (name) => {
      const found = await lstat(this.fileOf(name));
      // Never a block, however it got there.
      if (!found.isFile() || found.size > MAX_BLOCK_BYTES) {
        this.discard(name);
        return;
      }
      this.#quota.account(name, found.size);
      if (!this.#options.isNeeded(name)) this.#unsynced.set(name, 0);
    });
  }

  /** Bytes of all blocks. */
  get used(): number {
    return this.#quota.used;
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
   * Reads and verifies a block. A corrupt one is deleted and counts as missing, so that it will be fetched again.
   *
   * @throws BlockNotFoundError
   */
  async read(cid: CID): Promise<Uint8Array> {
    const name = blockName(cid);
    if (name === undefined) throw new BlockNotFoundError(`Block ${cid.toString()} can't be in the store`);
    const file = this.fileOf(name);
    let bytes: Uint8Array | undefined;
    // Each block is asked for here before it is fetched: what is not on the books costs no look at the disk. An empty one never is.
    if (this.#quota.bytesOf(name) === 0 && name !== EMPTY_NAME) {
      throw new BlockNotFoundError(`Block ${cid.toString()} is not in the store`);
    }
    try {
      bytes = await readBounded(file, MAX_BLOCK_BYTES);
      if (bytes === undefined) throw new BlockNotFoundError(`Block ${cid.toString()} is not in the store`);
    } catch (error) {
      // What is no file, or far too large, is as good as a corrupt block; a disk that fails says nothing of it.
      const mayNotRead = ["EACCES", "EPERM"].includes(systemErrorCode(error) ?? "");
      if (error instanceof BlockNotFoundError || mayNotRead || reasonOf(error) === undefined) throw error;
    }
    if (bytes !== undefined && matches(cid, bytes)) return bytes;
    await rm(file, { force: true, recursive: true });
    this.#quota.account(name, 0);
    this.#options.onCorrupt(cid);
    throw new BlockNotFoundError(`Block ${cid.toString()} was corrupt on disk and is deleted`, true);
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await this.read(cid);
  }

  /**
   * Writes a block by atomic rename; {@link sync} makes it durable. One that is there already is compared, and replaced
   * if it differs.
   *
   * @throws {@link CheckpointError} as {@link write}
   */
  override async put(cid: CID, value: InputPair["bytes"]): Promise<CID> {
    const name = blockName(cid);
    const bytes = await toBytes(value);
    if (name !== undefined) {
      const present = await readBounded(this.fileOf(name), MAX_BLOCK_BYTES).catch(() => undefined);
      if (present !== undefined && Buffer.compare(present, bytes) === 0) return cid;
    }
    await this.write(cid, bytes);
    return cid;
  }

  /**
   * Verifies and writes a block, whether it is there or not. The bytes must stay as they are until it has returned.
   *
   * @throws {@link CheckpointError} `CORRUPT` if the bytes are not the CID's, `INVALID_DIRECTORY` if they are
   * more than {@link MAX_BLOCK_BYTES}, `STORE_FULL` if the bound leaves no room, `DISK_FULL`, `DISK_FAILED`
   */
  async write(cid: CID, bytes: Uint8Array): Promise<void> {
    const writing = this.#write(cid, bytes);
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** Tells somebody of what is stored from now on. @returns ends it */
  tap(tap: BlockTap): () => void {
    this.#taps.add(tap);
    return () => this.#taps.delete(tap);
  }

  /** Waits for the writes that are under way: those who asked for them may have given up. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#writing);
  }

  async #write(cid: CID, bytes: Uint8Array): Promise<void> {
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
    const before = this.#quota.bytesOf(name);
    this.#quota.take(name, bytes.byteLength, this.#options.isNeeded, (other) => this.discard(other));
    for (const tap of this.#taps) tap(name, bytes);
    const file = this.fileOf(name);
    const draft = join(this.#options.temporary, `${name}-${randomUUID()}`);
    try {
      await writeWhole(draft, bytes);
      const shard = dirname(file);
      // At most 256 times, and sooner done than handed to another thread.
      if (!this.#shards.has(shard)) mkdirSync(shard, { recursive: true });
      this.#shards.add(shard);
      this.#unsynced.set(name, ++this.#writes);
      await rename(draft, file).catch(async (error: unknown) => {
        if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes(systemErrorCode(error) ?? "")) throw error;
        await rm(file, { force: true, recursive: true });
        await rename(draft, file);
      });
    } catch (error) {
      this.#quota.account(name, before);
      this.#shards.clear();
      await rm(draft, { force: true });
      throw explainWriteError(error, this.#directory);
    }
  }

  /** Makes these blocks durable (fsync of files and directories), as far as they are not yet. */
  async sync(names: Iterable<string>): Promise<void> {
    const open = [...names].flatMap((name) => {
      const version = this.#unsynced.get(name);
      return version === undefined ? [] : [{ name, version }];
    });
    const files = open.map(({ name }) => this.fileOf(name));
    const directories = new Set(files.map((file) => dirname(file)));
    if (files.length > 0) directories.add(this.#directory);
    try {
      await forEachLimited(files, FSYNC_CONCURRENCY, fsyncPath);
      await forEachLimited(directories, FSYNC_CONCURRENCY, fsyncPath);
    } catch (error) {
      throw explainWriteError(error, this.#directory);
    }
    for (const { name, version } of open) {
      if (this.#unsynced.get(name) === version) this.#unsynced.delete(name);
    }
  }

  override delete(cid: CID): Promise<void> {
    const name = blockName(cid);
    if (name !== undefined) this.discard(name);
    return Promise.resolve();
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
    const size = lstatSync(file, { throwIfNoEntry: false })?.size;
    this.#quota.account(name, 0);
    this.#unsynced.delete(name);
    if (size === undefined) return 0;
    rmSync(file, { force: true, recursive: true });
    return size;
  }

  async *#names(): AsyncGenerator<string> {
    for (const entry of await readdir(this.#directory, { withFileTypes: true })) {
      // Whatever else is here is not the store's.
      if (!entry.isDirectory() || !/^[0-9a-f]{2}$/.test(entry.name)) continue;
      const shard = entry.name;
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

/** A single write may take only part of the bytes. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx");
  try {
    for (let offset = 0; offset < bytes.byteLength;) offset += (await handle.write(bytes, offset)).bytesWritten;
  } finally {
    await handle.close();
  }
}
