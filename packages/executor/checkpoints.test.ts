import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import {
  checkpointName,
  listCheckpoints,
  misnamedCheckpoint,
  newestCheckpoint,
  pruneCheckpoints,
  removeUnfinished,
  writeCheckpointAtomically,
} from "./checkpoints.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "checkpoints-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (number: number, progress = 0.5) =>
  writeCheckpointAtomically(directory, number, { "weights.bin": Uint8Array.of(1, 2), "a/b.txt": "text" }, progress);

test("a checkpoint that was written is the newest, whole, with its progress", async () => {
  await write(9, 0.25);
  const written = await write(10, 0.5);
  assert.deepEqual(written, {
    number: 10,
    name: "checkpoint-000000010",
    path: join(directory, "checkpoint-000000010"),
    progress: 0.5,
  });
  assert.deepEqual(await newestCheckpoint(directory), written);
  assert.deepEqual(
    (await listCheckpoints(directory)).map(({ number }) => number),
    [10, 9],
  );
  assert.deepEqual(await readFile(join(written.path, "weights.bin")), Buffer.of(1, 2));
  assert.equal(await readFile(join(written.path, "a/b.txt"), "utf8"), "text");
  assert.deepEqual(await readdir(directory), ["checkpoint-000000009", "checkpoint-000000010"]);
});

test("what is unfinished, misnamed or a link is no checkpoint", async () => {
  await write(1);
  for (const name of ["checkpoint-000000002.tmp", "checkpoint-3", "checkpoint-0000000004", "xcheckpoint-000000005"]) {
    await mkdir(join(directory, name));
  }
  await symlink("/etc", join(directory, "checkpoint-000000006"));
  await symlink("/etc/passwd", join(directory, "checkpoint-000000007"));
  assert.equal((await newestCheckpoint(directory))?.number, 1);
});

test("a file is a checkpoint too, and says nothing of progress", async () => {
  await writeFile(join(directory, checkpointName(3)), "weights");
  const newest = await newestCheckpoint(directory);
  assert.equal(newest?.number, 3);
  assert.ok(!("progress" in newest));
});

test("a directory without checkpoints, or that is not there, has none", async () => {
  assert.equal(await newestCheckpoint(directory), undefined);
  assert.equal(await newestCheckpoint(join(directory, "missing")), undefined);
});

for (const [what, content] of [
  ["is no JSON", "{"],
  ["is null", "null"],
  ["says nothing", "{}"],
  ["is text", '{"progress":"0.5"}'],
  ["is above 1", '{"progress":1.01}'],
  ["is below 0", '{"progress":-0.1}'],
  ["is too long", `{"progress":0.5,"x":"${"x".repeat(5000)}"}`],
] as const) {
  test(`progress that ${what} is unknown, and costs not the checkpoint`, async () => {
    const { path } = await write(1);
    await writeFile(join(path, "progress.json"), content);
    const newest = await newestCheckpoint(directory);
    assert.equal(newest?.number, 1);
    assert.equal(newest.progress, undefined);
  });
}

test("a progress file that is a link is not followed", async () => {
  const { path } = await write(1);
  await writeFile(join(directory, "elsewhere"), '{"progress":0.9}');
  await rm(join(path, "progress.json"));
  await symlink(join(directory, "elsewhere"), join(path, "progress.json"));
  assert.equal((await newestCheckpoint(directory))?.progress, undefined);
});

test("pruning keeps the newest two", async () => {
  for (const number of [1, 20, 3, 100]) await write(number);
  assert.deepEqual(await pruneCheckpoints(directory), ["checkpoint-000000003", "checkpoint-000000001"]);
  assert.deepEqual(
    (await listCheckpoints(directory)).map(({ number }) => number),
    [100, 20],
  );
  assert.deepEqual(await pruneCheckpoints(directory), []);
});

test("a leftover of a killed writer is in nobody's way, and can be removed", async () => {
  for (const name of ["checkpoint-000000005.tmp", "checkpoint-000000006.tmp", "checkpoint-000000004.replaced"]) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, "half"), "half");
  }
  await write(5);
  assert.deepEqual((await readdir(join(directory, checkpointName(5)))).sort(), ["a", "progress.json", "weights.bin"]);
  await writeFile(join(directory, "notes.tmp"), "the workload's own");
  await removeUnfinished(directory);
  assert.deepEqual(await readdir(directory), [checkpointName(5), "notes.tmp"]);
});

test("a checkpoint of the same number is replaced", async () => {
  await write(5, 0.1);
  await writeCheckpointAtomically(directory, 5, { other: "x" }, 0.2);
  assert.deepEqual((await readdir(join(directory, checkpointName(5)))).sort(), ["other", "progress.json"]);
  assert.deepEqual(await readdir(directory), [checkpointName(5)]);
});

test("numbers, progress and paths that make no sense are refused, and leave nothing complete behind", async () => {
  const invalid = { code: "CHECKPOINT_INVALID" };
  for (const number of [-1, 0.5, 1e9, NaN]) await assert.rejects(write(number), invalid);
  for (const progress of [-0.1, 1.1, NaN]) await assert.rejects(write(1, progress), invalid);
  await assert.rejects(writeCheckpointAtomically(directory, 1, { "../escape": "x" }, 0), invalid);
  assert.equal(await newestCheckpoint(directory), undefined);
});

test("near misses are told with the right name, once they are no name on the way to it", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-misnamed-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "checkpoint-500"));
  assert.equal(await misnamedCheckpoint(root), undefined, "it may be renamed yet");
  const later = Number.MAX_SAFE_INTEGER;
  assert.match(
    (await misnamedCheckpoint(root, undefined, later)) ?? "",
    /^checkpoint-500 is not checkpoint-000000500: name checkpoints/,
  );
  assert.equal(await misnamedCheckpoint(root, 500, later), undefined, "there is a newer one");
  assert.notEqual(await misnamedCheckpoint(root, 499, later), undefined);
});
