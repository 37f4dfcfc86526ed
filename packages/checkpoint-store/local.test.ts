import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { CID } from "multiformats/cid";

import { LocalStore } from "./local.ts";
import {
  atEnd,
  blockFiles,
  damage,
  failsWith,
  seededBytes,
  smallDisk,
  temporaryDirectory,
  writeTree,
} from "./testing.ts";
import type { Tree } from "./testing.ts";

const MIB = 1024 * 1024;

async function openStore(test: TestContext, directory?: string, maxBytes?: number): Promise<LocalStore> {
  const store = new LocalStore(directory ?? (await temporaryDirectory(test)), undefined, maxBytes);
  atEnd(test, () => store.close());
  await store.open();
  return store;
}

async function directoryWith(test: TestContext, tree: Tree): Promise<string> {
  const directory = await temporaryDirectory(test);
  await writeTree(directory, tree);
  return directory;
}

test("an added directory is pinned, and its size is that of its blocks", async (t) => {
  const store = await openStore(t);
  const content = seededBytes("local", 2.5 * MIB);
  const added = await store.addDirectory(await directoryWith(t, { "model.bin": content, "sub/progress.json": "{}" }));
  const files = await blockFiles(store);
  const sizes = await Promise.all([...files.values()].map(async (file) => (await stat(file)).size));
  assert.equal(added.blocks, files.size);
  assert.equal(
    added.size,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  assert.deepEqual(store.list(), [{ cid: added.cid, labels: [""], size: added.size, blocks: added.blocks }]);
  assert.equal(await store.has(added.cid.toString()), true);
});

test("garbage collection takes what no pin needs, and nothing else", async (t) => {
  const store = await openStore(t);
  const shared = seededBytes("shared", 1.5 * MIB);
  const kept = await store.addDirectory(await directoryWith(t, { shared, own: "kept" }));
  const dropped = await store.addDirectory(await directoryWith(t, { shared, own: "dropped" }), { pin: "lease-1" });
  assert.equal(await store.unpin(dropped.cid, "lease-2"), false);
  assert.equal((await store.collectGarbage()).deleted, 0);
  assert.equal(await store.unpin(dropped.cid, "lease-1"), true);
  assert.equal(await store.unpin(dropped.cid, "lease-1"), false);
  const swept = await store.collectGarbage();
  assert.equal(swept.deleted, 2, "the own file and the root of the dropped directory");
  assert.equal(swept.kept, kept.blocks);
  assert.equal(await store.has(kept.cid), true);
  assert.equal(await store.has(dropped.cid), false);
  assert.equal((await blockFiles(store)).size, kept.blocks);
});

test("content stays until its last label is gone", async (t) => {
  const store = await openStore(t);
  const { cid } = await store.addFile(Buffer.from("twice wanted"), { pin: "lease-1" });
  await store.pin(cid, "lease-2");
  await store.pin(cid, "lease-2");
  assert.deepEqual(store.list()[0]?.labels, ["lease-1", "lease-2"]);
  await store.unpin(cid, "lease-1");
  assert.equal((await store.collectGarbage()).deleted, 0);
  await store.unpin(cid, "lease-2");
  assert.equal((await store.collectGarbage()).deleted, 1);
  assert.deepEqual(store.list(), []);
  await assert.rejects(store.pin(cid), failsWith("NOT_FOUND", cid.toString(), "fetch it first"));
});

test("garbage collection during adds deletes none of their blocks", async (t) => {
  const store = await openStore(t);
  const directories = await Promise.all(
    Array.from({ length: 4 }, (_, index) =>
      directoryWith(t, Object.fromEntries(Array.from({ length: 40 }, (_, file) => [`${file}`, `${index}-${file}`]))),
    ),
  );
  let adding = true;
  const collecting = (async () => {
    let rounds = 0;
    for (; adding; rounds++) await store.collectGarbage();
    return rounds;
  })();
  const added = await Promise.all(directories.map((directory) => store.addDirectory(directory)));
  adding = false;
  assert.ok((await collecting) > 0);
  for (const { cid } of added) assert.equal(await store.has(cid), true);
});

test("a damaged block is found, deleted, and mended by adding again", async (t) => {
  const store = await openStore(t);
  const directory = await directoryWith(t, { "model.bin": seededBytes("damaged", 2 * MIB) });
  const { cid } = await store.addDirectory(directory);
  for (const file of (await blockFiles(store)).values()) await damage(file);
  const [name, file] = [...(await blockFiles(store))][0] ?? ["", ""];
  assert.ok((await stat(file)).size > 0);
  assert.equal(await store.has(cid), false);
  await store.addDirectory(directory);
  assert.equal(await store.has(cid), true);
  assert.ok((await blockFiles(store)).has(name));
});

test("pins and content outlive a restart, half-written files do not", async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await openStore(t, directory);
  const { cid, blocks } = await first.addFile(seededBytes("restart", 3 * MIB), { pin: "lease-7" });
  await first.close();
  await assert.rejects(first.has(cid), failsWith("NOT_STARTED", directory));
  await writeFile(join(directory, "tmp", "half"), "written");
  await writeFile(join(directory, "pins", "broken.json"), "{");

  const second = await openStore(t, directory);
  assert.deepEqual(await readdir(join(directory, "tmp")), []);
  assert.deepEqual(
    second.list().map((pin) => [pin.cid.toString(), pin.labels, pin.blocks]),
    [[cid.toString(), ["lease-7"], blocks]],
  );
  assert.equal((await second.collectGarbage()).kept, blocks);
  assert.equal(await second.has(cid), true);
});

test("CIDs that the store can't handle are refused by name", async (t) => {
  const store = await openStore(t);
  await assert.rejects(store.has("no-cid"), failsWith("INVALID_CID", "no-cid"));
  // sha2-512, dag-cbor
  const sha512 = CID.decode(Uint8Array.from([1, 0x55, 0x13, 64, ...new Uint8Array(64)])).toString();
  const cbor = CID.decode(Uint8Array.from([1, 0x71, 0x12, 32, ...new Uint8Array(32)])).toString();
  await assert.rejects(store.has(sha512), failsWith("INVALID_CID", sha512));
  await assert.rejects(store.has(cbor), failsWith("INVALID_CID", cbor));
});

test("a full disk gives a clear error, loses nothing and leaves no litter", async (t) => {
  const disk = await smallDisk(t, 3);
  if (disk === undefined) return;
  const store = await openStore(t, join(disk, "store"));
  const kept = await store.addFile(seededBytes("kept", MIB));
  const error = await store.addFile(seededBytes("too much", 4 * MIB)).catch((reason: unknown) => reason);
  assert.ok(failsWith("DISK_FULL", disk, "free some space")(error));
  assert.deepEqual(await readdir(join(store.directory, "tmp")), []);
  assert.equal((await blockFiles(store)).size, 1, "the blocks of the failed add are gone");
  assert.equal(await store.has(kept.cid), true);
  const again = await store.addFile(seededBytes("fits", MIB / 2));
  assert.equal(await store.has(again.cid), true);
});

test("the store keeps to its bound: first what is unpinned goes, then adds are refused", async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(t, directory, 4.5 * MIB);
  const kept = await store.addFile(seededBytes("kept", 2 * MIB), { pin: "lease-1" });
  const dropped = await store.addFile(seededBytes("dropped", 2 * MIB), { pin: "lease-2" });
  await assert.rejects(
    store.addFile(seededBytes("third", 2 * MIB)),
    failsWith("STORE_FULL", `${4.5 * MIB}`, "unpin", "maxBytes"),
  );
  assert.equal(await store.has(kept.cid), true);
  assert.equal(await store.has(dropped.cid), true);
  assert.equal(store.usedBytes, kept.size + dropped.size, "nothing of the refused one stays");
  await store.unpin(dropped.cid, "lease-2");
  const third = await store.addFile(seededBytes("third", 2 * MIB));
  assert.equal(await store.has(third.cid), true);
  assert.equal(await store.has(dropped.cid), false);
  await store.close();
  const again = await openStore(t, directory, 4.5 * MIB);
  assert.equal(again.usedBytes, kept.size + third.size, "counted again after a restart");
  await assert.rejects(again.addFile(seededBytes("fourth", MIB)), failsWith("STORE_FULL"));
  // the same blocks again need no room
  assert.equal((await again.addFile(seededBytes("kept", 2 * MIB))).cid.toString(), kept.cid.toString());
  for (const file of (await blockFiles(again)).values()) await damage(file);
  assert.equal(await again.has(kept.cid), false);
  await again.addFile(seededBytes("kept", 2 * MIB));
  assert.equal(await again.has(kept.cid), true);
});

test("what is durable is whole, and what is not whole is not called so", async (t) => {
  const store = await openStore(t);
  const added = await store.addFile(seededBytes("durable", 3 * MIB));
  assert.deepEqual(await store.durable(added.cid), added);
  const [file] = (await blockFiles(store)).values();
  await damage(file ?? "");
  await assert.rejects(store.durable(added.cid), failsWith("NOT_FOUND", added.cid.toString(), "fetch it first"));
});

test("damage to one pin or block hides no other, and is told", async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(t, directory);
  const [kept, lost, flipped] = await Promise.all(
    ["kept", "lost", "flipped"].map((name) => store.addFile(seededBytes(name, MIB / 2), { pin: name })),
  );
  assert.ok(kept && lost && flipped);
  await store.close();
  const fileOf = ({ cid }: { cid: { toString(): string } }) => join(directory, "pins", `${cid.toString()}.json`);
  await truncate(fileOf(lost), 30);
  await writeFile(fileOf(flipped), (await readFile(fileOf(flipped), "utf8")).replace(/"size":5/, '"size":6'));
  await mkdir(join(directory, "blocks", "lost+found", "x"), { recursive: true });
  await writeFile(join(directory, "blocks", ".nfs0001"), "");
  const again = await openStore(t, directory);
  assert.deepEqual(
    again.list().map(({ labels }) => labels),
    [["kept"]],
  );
  assert.equal((await readdir(join(directory, "pins"))).filter((name) => name.endsWith(".bad")).length, 2);
  // A directory in the place of a block counts as a corrupt block.
  const [[name, block] = ["", ""]] = [...(await blockFiles(again))].filter(([each]) => each.length === 64);
  await rm(block);
  await mkdir(join(block, name), { recursive: true });
  const all = [kept, lost, flipped].map(({ cid }) => again.has(cid));
  assert.equal((await Promise.all(all)).filter(Boolean).length, 2);
  for (const each of ["kept", "lost", "flipped"]) await again.addFile(seededBytes(each, MIB / 2));
  assert.equal((await Promise.all([kept, lost, flipped].map(({ cid }) => again.has(cid)))).every(Boolean), true);
});
