import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { encode, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { UnixFSType } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";

import { DAG_PB, RAW, SHA2_256 } from "./cids.ts";
import { collect } from "./dag.ts";
import { exportTo } from "./export.ts";
import { importDirectory } from "./import.ts";
import { failsWith, readTree, temporaryDirectory, writeTree } from "./testing.ts";

/** Blocks made by hand, as an attacker would. */
class Forge {
  readonly blocks = new Map<string, Uint8Array>();

  block(codec: number, bytes: Uint8Array): CID {
    const cid = CID.createV1(codec, createDigest(SHA2_256, createHash("sha256").update(bytes).digest()));
    this.blocks.set(cid.toString(), bytes);
    return cid;
  }

  raw(text: string): CID {
    return this.block(RAW, Buffer.from(text));
  }

  node(type: UnixFSType, links: { Name: string; Hash: CID; Tsize?: number }[], data?: Uint8Array): CID {
    const unixfs = new UnixFS({ type, ...(data === undefined ? {} : { data }) });
    return this.block(DAG_PB, encode(prepare({ Data: unixfs.marshal(), Links: links })));
  }

  readonly read = async (cid: CID): Promise<Uint8Array> => {
    const bytes = this.blocks.get(cid.toString());
    if (bytes === undefined) throw new Error(`No block ${cid.toString()}`);
    return Promise.resolve(bytes);
  };
}

const never = new AbortController().signal;
const limits = { maxBytes: 1e9, concurrency: 4 };

test("names that lead out of the directory, or occur twice, are refused and nothing stays", async (t) => {
  const forge = new Forge();
  const file = forge.raw("evil");
  const directory = await temporaryDirectory(t);
  const destination = join(directory, "restored");
  for (const name of ["..", ".", "", "../evil", "a/b", "/etc/cron.d/evil", "a\\b", "nul\0", "x".repeat(256)]) {
    const root = forge.node("directory", [{ Name: name, Hash: file, Tsize: 4 }]);
    const nested = forge.node("directory", [{ Name: "sub", Hash: root, Tsize: 50 }]);
    for (const cid of [root, nested]) {
      await assert.rejects(
        exportTo(cid, destination, forge.read, never),
        failsWith("INVALID_DIRECTORY", JSON.stringify(name)),
      );
    }
  }
  const twice = forge.node("directory", [
    { Name: "same", Hash: file },
    { Name: "same", Hash: forge.raw("other") },
  ]);
  await assert.rejects(exportTo(twice, destination, forge.read, never), failsWith("INVALID_DIRECTORY", "twice"));
  // a shard's names come after two hex digits
  const shard = forge.node("hamt-sharded-directory", [{ Name: "00../evil", Hash: file }]);
  await assert.rejects(exportTo(shard, destination, forge.read, never), failsWith("INVALID_DIRECTORY", "../evil"));
  assert.deepEqual(await readdir(directory), []);
});

test("symbolic links and nodes of other kinds are refused", async (t) => {
  const forge = new Forge();
  const destination = join(await temporaryDirectory(t), "restored");
  const link = forge.node("symlink", [], Buffer.from("/etc/passwd"));
  const bad: [CID, string][] = [
    [link, "symlink"],
    [forge.node("directory", [{ Name: "link", Hash: link }]), "symlink"],
    [forge.node("file", [{ Name: "", Hash: forge.node("directory", []) }]), "directory within a file"],
    [forge.block(DAG_PB, Buffer.from("no protobuf")), "dag-pb"],
    [forge.block(DAG_PB, encode(prepare({ Data: Buffer.from([0xff]), Links: [] }))), "UnixFS"],
  ];
  for (const [cid, says] of bad) {
    await assert.rejects(exportTo(cid, destination, forge.read, never), failsWith("INVALID_DIRECTORY", says));
  }
});

test("content that explodes is refused before it is written", async () => {
  const forge = new Forge();
  let cid = forge.raw("x".repeat(1000));
  for (let level = 0; level < 40; level++) {
    cid = forge.node(
      "file",
      Array.from({ length: 100 }, () => ({ Name: "", Hash: cid, Tsize: 1 })),
    );
  }
  await assert.rejects(collect(cid, forge.read, limits), failsWith("TOO_LARGE", cid.toString()));
});

test("a chain longer than any call stack and a foreign link end in an error or a sum", async (t) => {
  const forge = new Forge();
  let cid = forge.raw("end");
  for (let level = 0; level < 12_000; level++) cid = forge.node("file", [{ Name: "", Hash: cid }]);
  assert.equal((await collect(cid, forge.read, limits)).names.length, 12_001);
  await assert.rejects(
    exportTo(cid, join(await temporaryDirectory(t), "restored"), forge.read, never),
    failsWith("INVALID_DIRECTORY", "deep"),
  );
  const cbor = forge.block(0x71, Buffer.from("cbor"));
  const foreign = forge.node("directory", [{ Name: "a", Hash: cbor }]);
  await assert.rejects(collect(foreign, forge.read, limits), failsWith("INVALID_DIRECTORY", cbor.toString()));
});

test("a sharded directory comes back as it was", async (t) => {
  const forge = new Forge();
  const source = await temporaryDirectory(t);
  const tree = Object.fromEntries(Array.from({ length: 880 }, (_, index) => [`${index}`.padEnd(255, "n"), `${index}`]));
  await writeTree(source, tree);
  const sink = {
    get: () => {
      throw new Error("not asked for");
    },
    has: () => false,
    put: (cid: CID, bytes: unknown) => {
      forge.blocks.set(cid.toString(), bytes as Uint8Array);
      return cid;
    },
  };
  const { cid, size } = await importDirectory(source, sink);
  assert.ok([...forge.blocks.keys()].filter((key) => CID.parse(key).code === DAG_PB).length > 100, "it is sharded");
  const destination = join(await temporaryDirectory(t), "restored");
  await exportTo(cid, destination, forge.read, never);
  assert.deepEqual(await readTree(destination), await readTree(source));
  const dag = await collect(cid, forge.read, limits);
  assert.equal(dag.size, size);
  assert.equal(dag.names.length, forge.blocks.size);
});
