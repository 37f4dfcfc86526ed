import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";

import { BlockFiles } from "./blocks.ts";
import { MAX_BLOCK_BYTES, RAW, SHA2_256, blockName } from "./cids.ts";
import { damage, failsWith, temporaryDirectory } from "./testing.ts";

function rawCid(bytes: Uint8Array): CID {
  return CID.createV1(RAW, createDigest(SHA2_256, createHash("sha256").update(bytes).digest()));
}

interface Opened {
  files: BlockFiles;
  directory: string;
  temporary: string;
  corrupt: string[];
}

async function open(test: TestContext): Promise<Opened> {
  const root = await temporaryDirectory(test);
  const [directory, temporary] = [join(root, "blocks"), join(root, "tmp")];
  await mkdir(directory);
  await mkdir(temporary);
  const corrupt: string[] = [];
  return {
    files: new BlockFiles({
      directory,
      temporary,
      maxBytes: Infinity,
      isNeeded: () => true,
      onCorrupt: (cid) => corrupt.push(cid.toString()),
    }),
    directory,
    temporary,
    corrupt,
  };
}

test("bytes that are not the CID's, or too many, are not stored", async (t) => {
  const { files, temporary } = await open(t);
  const cid = rawCid(Buffer.from("right"));
  await assert.rejects(files.put(cid, Buffer.from("wrong")), failsWith("CORRUPT", cid.toString()));
  assert.equal(await files.has(cid), false);
  const huge = Buffer.alloc(MAX_BLOCK_BYTES + 1);
  const refused = failsWith("INVALID_DIRECTORY", rawCid(huge).toString(), `${MAX_BLOCK_BYTES}`);
  await assert.rejects(files.put(rawCid(huge), huge), refused);
  assert.deepEqual(await readdir(temporary), []);
});

test("a block is the same under any codec and CID version, and is listed", async (t) => {
  const { files } = await open(t);
  const bytes = Buffer.from("block");
  const cid = await files.put(rawCid(bytes), [bytes.subarray(0, 2), bytes.subarray(2)]);
  const old = CID.createV0(cid.multihash as Parameters<typeof CID.createV0>[0]);
  assert.deepEqual(Buffer.from(await files.read(old)), bytes);
  const listed: string[] = [];
  for await (const pair of files.getAll()) listed.push(pair.cid.toString());
  assert.deepEqual(listed, [cid.toString()]);
  await files.sync([blockName(cid) ?? ""]);
  await files.delete(old);
  await files.sync([blockName(cid) ?? ""]);
  await assert.rejects(files.read(cid), { name: "NotFoundError", wasCorrupt: false });
});

test("what a crash may have left unsynced is synced with the pin that needs it, what is pinned is synced already", async (t) => {
  const { files, directory, temporary } = await open(t);
  const bytes = Buffer.from("left by a crash");
  const name = blockName(await files.put(rawCid(bytes), bytes)) ?? "";
  const reopen = async (isPinned: boolean): Promise<BlockFiles> => {
    const options = { directory, temporary, maxBytes: Infinity, isNeeded: () => isPinned, onCorrupt: () => undefined };
    const reopened = new BlockFiles(options);
    await reopened.open();
    assert.equal(reopened.used, bytes.byteLength);
    return reopened;
  };
  const [unpinned, pinned] = [await reopen(false), await reopen(true)];
  // a link to itself can't be opened, and so shows who tries
  await rm(files.fileOf(name));
  await symlink(files.fileOf(name), files.fileOf(name));
  await assert.rejects(unpinned.sync([name]), failsWith("DISK_FAILED", directory));
  await unpinned.sync(["0".repeat(64)]);
  await pinned.sync([name]);
});

test("a damaged block counts as missing, is reported once, and can be put again", async (t) => {
  const { files, corrupt } = await open(t);
  const bytes = Buffer.from("to be damaged");
  const cid = await files.put(rawCid(bytes), bytes);
  await damage(files.fileOf(blockName(cid) ?? ""));
  assert.equal(await files.has(cid), true);
  await assert.rejects(files.read(cid), { name: "NotFoundError", wasCorrupt: true });
  assert.deepEqual(corrupt, [cid.toString()]);
  assert.equal(await files.has(cid), false);
  await files.put(cid, bytes);
  await damage(files.fileOf(blockName(cid) ?? ""));
  await files.put(cid, bytes);
  assert.deepEqual(Buffer.from(await files.read(cid)), bytes, "a put mends it too");
});
