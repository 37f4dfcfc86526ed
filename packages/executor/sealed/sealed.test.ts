import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { WorkloadError } from "../errors.ts";
import { isSealed, openSpec, parseEnvelope, sealSpec } from "./envelope.ts";
import { KEY_BYTES, MAX_NAME_BYTES, Seal, SEGMENT_BYTES } from "./seal.ts";
import { decoderOf, openTree, sealTree } from "./tree.ts";

const folder = await mkdtemp(join(tmpdir(), "sealed-"));
after(() => rm(folder, { recursive: true, force: true }));
const key = randomBytes(KEY_BYTES);
const broken = (error: unknown) => error instanceof WorkloadError && error.code === "SEAL_BROKEN";
let trees = 0;
/** What comes in parts of a size, opened. */
async function opened(sealed: Uint8Array, part: number, seal: Seal): Promise<Buffer> {
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < sealed.byteLength; at += part) yield Promise.resolve(sealed.subarray(at, at + part));
  }
  const all: Uint8Array[] = [];
  for await (const bytes of decoderOf(seal).content(parts())) all.push(bytes);
  return Buffer.concat(all);
}
const fresh = () => join(folder, String((trees += 1)));

test("equal content gives equal bytes, under one key and for one place", () => {
  const plain = randomBytes(1_000);
  const seal = new Seal(key);
  const sealed = seal.close(plain, "a");
  assert.deepEqual(sealed, new Seal(key).close(plain, "a"));
  assert.notDeepEqual(sealed, seal.close(plain, "b"));
  assert.notDeepEqual(sealed.subarray(32), new Seal(randomBytes(KEY_BYTES)).close(plain, "a").subarray(32));
  assert.deepEqual(seal.open(sealed, "a"), plain);
  assert.equal(sealed.indexOf(plain.subarray(0, 8)), -1);
});

test("sealed content is what another implementation makes of it, and stays so in every version", async () => {
  const vectors = JSON.parse(await readFile(new URL("seal.vectors.json", import.meta.url), "utf8")) as {
    readonly data: readonly Record<"key" | "plain" | "place" | "sealed", string>[];
    readonly names: readonly Record<"key" | "name" | "sealed", string>[];
  };
  for (const { key: hex, plain, place, sealed } of vectors.data) {
    const seal = new Seal(Buffer.from(hex, "hex"));
    assert.equal(seal.close(Buffer.from(plain, "hex"), place).toString("hex"), sealed);
    assert.equal(seal.open(Buffer.from(sealed, "hex"), place).toString("hex"), plain);
  }
  for (const { key: hex, name, sealed } of vectors.names) {
    const seal = new Seal(Buffer.from(hex, "hex"));
    assert.deepEqual([seal.closeName(name), seal.openName(sealed)], [sealed, name]);
  }
});

test("any change, another place and another key are noticed", () => {
  const seal = new Seal(key);
  const sealed = seal.close(randomBytes(100), "a");
  for (const at of [0, 31, 32, sealed.byteLength - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => seal.open(changed, "a"), broken);
  }
  assert.throws(() => seal.open(sealed, "b"), broken);
  assert.throws(() => seal.open(sealed.subarray(0, 60), "a"), broken);
  assert.throws(() => seal.open(sealed.subarray(0, 10), "a"), broken);
  assert.throws(() => new Seal(randomBytes(KEY_BYTES)).open(sealed, "a"), broken);
  assert.throws(() => new Seal(randomBytes(16)), RangeError);
});

test("a tree comes back as it was, and nothing of it is legible, names included", async () => {
  const [from, sealed, back] = [fresh(), fresh(), fresh()];
  await mkdir(join(from, "unit-0", "checkpoint"), { recursive: true });
  await mkdir(join(from, "empty"));
  const model = randomBytes(2 * SEGMENT_BYTES + 5);
  await writeFile(join(from, "unit-0", "checkpoint", "model.bin"), model);
  await writeFile(join(from, "unit-0", "exact"), model.subarray(0, SEGMENT_BYTES));
  await writeFile(join(from, "unit-0", "nothing"), "");
  const seal = new Seal(key);
  await sealTree(from, sealed, seal);
  const names = await readdir(sealed, { recursive: true });
  assert.ok(names.every((name) => !/unit|checkpoint|model|empty|nothing/.test(name)));
  await openTree(sealed, back, seal);
  assert.deepEqual(
    (await readdir(back, { recursive: true })).sort(),
    (await readdir(from, { recursive: true })).sort(),
  );
  assert.deepEqual(await readFile(join(back, "unit-0", "checkpoint", "model.bin")), model);
  assert.equal((await readFile(join(back, "unit-0", "nothing"))).byteLength, 0);
  await assert.rejects(openTree(sealed, fresh(), new Seal(randomBytes(KEY_BYTES))), broken);
});

test("segments that have not changed seal to the same blocks, and none can be moved or left out", async () => {
  const seal = new Seal(key);
  const [one, two] = [fresh(), fresh()];
  const model = randomBytes(3 * SEGMENT_BYTES);
  await writeFile(one, model);
  model[SEGMENT_BYTES] = (model[SEGMENT_BYTES] ?? 0) ^ 1;
  await writeFile(two, model);
  const sealed: Buffer[] = [];
  for (const from of [one, two]) {
    const to = fresh();
    await sealTree(from, to, seal);
    sealed.push(await readFile(to));
  }
  const [a, b] = sealed;
  assert.ok(a && b);
  const block = (bytes: Buffer, i: number) => bytes.subarray(i << 20, (i + 1) << 20);
  assert.deepEqual(
    [0, 1, 2].map((i) => block(a, i).equals(block(b, i))),
    [true, false, true],
  );
  for (const bad of [
    a.subarray(0, 2 << 20),
    Buffer.concat([block(a, 1), block(a, 0), block(a, 2)]),
    Buffer.concat([a, block(a, 0)]),
  ]) {
    const file = fresh();
    await writeFile(file, bad);
    await assert.rejects(openTree(file, fresh(), seal), broken);
    await assert.rejects(opened(bad, 1 << 20, seal), broken);
  }
});

test("what is opened as it comes is the same, whatever the parts that it comes in", async () => {
  const seal = new Seal(key);
  for (const length of [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES + 7]) {
    const [from, to] = [fresh(), fresh()];
    const plain = randomBytes(length);
    await writeFile(from, plain);
    await sealTree(from, to, seal);
    const sealed = await readFile(to);
    for (const part of [65_537, 1 << 20, (1 << 20) + 1, 3 << 20]) {
      assert.ok(plain.equals(await opened(sealed, part, seal)), `${String(length)} bytes in parts of ${String(part)}`);
    }
    await assert.rejects(opened(sealed, 1 << 20, new Seal(randomBytes(KEY_BYTES))), broken);
    if (length > 1) await assert.rejects(opened(sealed.subarray(0, -1), 1 << 20, seal), broken);
  }
});

test("links and names that are too long are refused; a name leads nowhere else", async () => {
  const seal = new Seal(key);
  const from = fresh();
  await mkdir(from);
  await symlink("/etc/passwd", join(from, "link"));
  await assert.rejects(sealTree(from, fresh(), seal), /neither a file nor a directory/);
  assert.throws(() => seal.closeName("x".repeat(MAX_NAME_BYTES + 1)), /shorten it/);
  assert.ok(seal.closeName("x".repeat(MAX_NAME_BYTES)).length <= 255);
  assert.throws(() => seal.openName(seal.closeName("../up")), broken);
});

test("a spec is sealed with its clear part, and both can be told from others", () => {
  const seal = new Seal(key);
  const spec = new TextEncoder().encode('{"version":1}');
  const parts = { keyHosts: ["/ip4/127.0.0.1/tcp/1/p2p/12D3KooWExample"], inputs: ["bafkrei"], readers: [] };
  const bytes = sealSpec(spec, seal, parts);
  assert.deepEqual(bytes, sealSpec(spec, seal, parts));
  assert.ok(isSealed(bytes) && !isSealed(spec));
  const envelope = parseEnvelope(bytes);
  assert.deepEqual(envelope.keyHosts, parts.keyHosts);
  assert.deepEqual(new Uint8Array(openSpec(envelope, seal)), spec);
  assert.throws(() => openSpec({ ...envelope, keyHosts: ["/ip4/6.6.6.6/tcp/1"] }, seal), broken);
  assert.throws(() => parseEnvelope(new TextEncoder().encode('{"sealed":1,"box":"x"}')), /malformed/);
});
