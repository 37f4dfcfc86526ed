import assert from "node:assert/strict";
import { test } from "node:test";

import { LocalStore } from "@verai/checkpoint-store/local";
import { seededBytes, temporaryDirectory, writeTree } from "@verai/checkpoint-store/testing";
import { carEntry, carHeader } from "@verai/agent/door/car";
import { filesOfCar } from "../../web/src/content/car.ts";

test("files of a CAR file are those that were added; a changed, missing or cut block is noticed", async (t) => {
  const folder = await temporaryDirectory(t);
  const big = seededBytes("big", 3_000_000);
  await writeTree(`${folder}/tree`, { "metrics.json": '{"accuracy":0.9}', "deep/model.bin": big, empty: "" });
  const store = new LocalStore(`${folder}/store`);
  await store.open();
  const { cid } = await store.addDirectory(`${folder}/tree`);
  const blocks: { header: Uint8Array; bytes: Uint8Array }[] = [];
  for await (const block of store.blocksOf(cid)) {
    blocks.push({ header: carEntry(block.cid, block.bytes.byteLength), bytes: block.bytes });
  }
  await store.close();
  const file = (parts = blocks) =>
    Buffer.concat([carHeader(cid), ...parts.flatMap(({ header, bytes }) => [header, bytes])]);
  const files = await filesOfCar(file(), cid.toString());
  assert.deepEqual(files.map(({ path, bytes }) => [path, bytes.byteLength]).sort(), [
    ["deep/model.bin", 3_000_000],
    ["empty", 0],
    ["metrics.json", 16],
  ]);
  assert.ok(Buffer.from(files.find(({ path }) => path === "deep/model.bin")?.bytes ?? []).equals(big));
  const last = blocks.length - 1;
  const changed = blocks.map((block, i) => {
    if (i !== last) return block;
    const bytes = Uint8Array.from(block.bytes);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return { ...block, bytes };
  });
  await assert.rejects(filesOfCar(file(changed), cid.toString()), /does not match its CID/);
  await assert.rejects(filesOfCar(file(blocks.slice(0, last)), cid.toString()), /is missing/);
  await assert.rejects(filesOfCar(file().subarray(0, -10), cid.toString()), /cut off/);
});
