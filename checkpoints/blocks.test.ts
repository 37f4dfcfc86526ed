import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
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

async function open(test: TestContext): Promise<{ files: BlockFiles; temporary: string; corrupt: string[] }> {
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
