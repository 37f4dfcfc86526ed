import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { BlackHoleBlockstore } from "blockstore-core/black-hole";

import { importDirectory, importEntries, importFile } from "./import.ts";
import { failsWith, seededBytes, seededChunks, temporaryDirectory, writeTree } from "./testing.ts";

const MIB = 1024 * 1024;
const nowhere = new BlackHoleBlockstore();

test("the CIDs of files equal Kubo's vectors for unixfs-v1-2025", async () => {
  const vectors: [Uint8Array | string, string][] = [
    ["", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"],
    ["hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"],
  ];
  for (const [content, cid] of vectors) {
    assert.equal((await importFile(Buffer.from(content), nowhere)).cid.toString(), cid);
  }
});

test("a file of as many chunks as fit below one root, and one more, equal Kubo's vectors", async () => {
  async function* chunks(count: number): AsyncGenerator<Uint8Array> {
    yield* seededChunks("v1-2025-seed", count * MIB);
  }
  const [full, over] = await Promise.all([importFile(chunks(1024), nowhere), importFile(chunks(1025), nowhere)]);
  assert.equal(full.cid.toString(), "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm");
  assert.equal(over.cid.toString(), "bafybeihmzokxxjqwxjcryerhp5ezpcog2wcawfryb2xm64xiakgm4a5jue");
});

test("an empty directory has the CID that it has everywhere", async (t) => {
  const { cid } = await importDirectory(await temporaryDirectory(t), nowhere);
  assert.equal(cid.toString(), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
});

test("a directory at the sharding threshold, and a byte above, equals Kubo's vectors", async () => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz01234567890-_";
  const random = seededBytes("hamt-unixfs-v1-2025", MIB);
  let offset = 0;
  const nextName = (length: number): string =>
    Array.from(random.subarray(offset, (offset += length)), (byte) => alphabet[byte % alphabet.length]).join("");
  const names = Array.from({ length: 4765 }, () => nextName(11));
  const lastName = nextName(22);
  const cidOf = async (last: string): Promise<string> => {
    const entries = [...names, last].sort().map((name) => ({ path: `root/${name}`, content: Buffer.from("x") }));
    return (await importEntries(entries, nowhere)).cid.toString();
  };
  assert.equal(await cidOf(lastName.slice(0, 21)), "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4");
  assert.equal(await cidOf(lastName), "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu");
});

test("a directory's CID does not depend on modes, times or the order of creation", async (t) => {
  const tree = { "b/2.bin": "two", "a.txt": "one", "b/1.bin": "three", "empty/": "" };
  const reversed = Object.fromEntries(Object.entries(tree).reverse());
  const [first, second] = [await temporaryDirectory(t), await temporaryDirectory(t)];
  await writeTree(first, tree);
  await writeTree(second, reversed);
  await writeFile(join(second, "a.txt"), "one", { mode: 0o600 });
  const [a, b] = [await importDirectory(first, nowhere), await importDirectory(second, nowhere)];
  assert.equal(a.cid.toString(), b.cid.toString());
  await writeFile(join(second, "a.txt"), "One");
  assert.notEqual((await importDirectory(second, nowhere)).cid.toString(), a.cid.toString());
});

test("what is not plain is refused by name", async (t) => {
  const directory = await temporaryDirectory(t);
  await writeTree(directory, { "in/file": "content" });
  await symlink("/etc/passwd", join(directory, "in", "link"));
  await symlink(directory, join(directory, "directory-link"));
  const link = join(directory, "in", "link");
  await assert.rejects(importDirectory(directory, nowhere), failsWith("INVALID_SOURCE", "link", "symbolic"));
  await assert.rejects(importFile(link, nowhere), failsWith("INVALID_SOURCE", link));
  await assert.rejects(importDirectory(join(directory, "directory-link"), nowhere), failsWith("INVALID_SOURCE"));
  await assert.rejects(importFile(directory, nowhere), failsWith("INVALID_SOURCE", directory, "plain file"));
  await assert.rejects(importDirectory(join(directory, "none"), nowhere), failsWith("INVALID_SOURCE", "ENOENT"));
  await mkdir(join(directory, "odd"));
  await writeFile(join(directory, "odd", "a\\b"), "");
  await assert.rejects(importDirectory(join(directory, "odd"), nowhere), failsWith("INVALID_SOURCE", "a\\b"));
});
