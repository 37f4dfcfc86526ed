import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { temporaryDirectory } from "../testing.ts";
import { newestTraced, readTrace, TraceFile } from "./trace-file.ts";

const entry = (step: number) => ({ step, digest: `0x${String(step).padStart(64, "0")}` });

test("entries are there again after the end of the process, by growing step", async (context) => {
  const path = join(await temporaryDirectory(context), "trace");
  const trace = await TraceFile.open(path);
  assert.equal(trace.newest, -1);
  for (const step of [0, 50, 100]) assert.equal(await trace.add(entry(step)), true);
  // A program that begins again at an older checkpoint writes the same states again.
  assert.equal(await trace.add(entry(50)), false);
  await trace.close();
  assert.deepEqual(await readTrace(path), [0, 50, 100].map(entry));
  const again = await TraceFile.open(path);
  await again.add(entry(150));
  await again.dropBefore(100);
  assert.deepEqual(await readTrace(path), [100, 150].map(entry));
  await again.add(entry(200));
  await again.close();
  assert.equal((await TraceFile.open(path)).newest, 200);
});

test("a line that was half written is dropped, and what is damaged hides nothing before it", async (context) => {
  const path = join(await temporaryDirectory(context), "trace");
  const trace = await TraceFile.open(path);
  for (const step of [1, 2, 3]) await trace.add(entry(step));
  await trace.close();
  await appendFile(path, "4 0x00");
  assert.deepEqual([await newestTraced(path), await newestTraced(`${path}.none`)], [3, undefined]);
  const opened = await TraceFile.open(path);
  assert.deepEqual(opened.entries, [1, 2, 3].map(entry));
  await opened.add(entry(4));
  await opened.close();
  assert.deepEqual(await readTrace(path), [1, 2, 3, 4].map(entry));
  await writeFile(path, (await readFile(path, "utf8")).replace("3 0x", "2 0x"));
  assert.deepEqual((await TraceFile.open(path)).entries, [1, 2].map(entry));
});

test("of too many entries the newest are kept", async (context) => {
  const path = join(await temporaryDirectory(context), "trace");
  const trace = await TraceFile.open(path, 10);
  for (let step = 1; step <= 100; step++) await trace.add(entry(step));
  await trace.close();
  const kept = await readTrace(path);
  assert.ok(kept.length >= 10 && kept.length <= 15, String(kept.length));
  assert.deepEqual(kept.at(-1), entry(100));
});
