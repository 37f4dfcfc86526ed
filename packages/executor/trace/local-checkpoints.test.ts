import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { LocalStore } from "@verai/checkpoint-store/local";

import { notedCheckpoint, pruneCheckpoints, waitForNotes, writeCheckpointAtomically } from "../checkpoints.ts";
import { until } from "../testing.ts";
import { LocalCheckpoints } from "./local-checkpoints.ts";
import { digestOf } from "./state.ts";
import { readTrace, TraceFile } from "./trace-file.ts";

/** Watchers, by the test's directory: stopped before it is removed. */
const watchers = new Map<string, LocalCheckpoints[]>();

async function testRoot(context: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "trace-"));
  context.after(async () => {
    for (const local of watchers.get(root) ?? []) await local.stop();
    await rm(root, { recursive: true, force: true });
  });
  return root;
}

async function watching(root: string) {
  const directory = join(root, "checkpoint");
  await mkdir(directory, { recursive: true });
  const warnings: string[] = [];
  const local = await LocalCheckpoints.start({
    directory,
    scratch: join(root, "scratch"),
    trace: await TraceFile.open(join(root, "trace")),
    log: { warn: (_, message) => warnings.push(message) },
  });
  watchers.set(root, [...(watchers.get(root) ?? []), local]);
  return { local, directory, trace: join(root, "trace"), warnings };
}

const write = (directory: string, step: number, content = `state ${step}`) =>
  writeCheckpointAtomically(directory, step, { "weights.bin": content }, step / 1000);

test("every local checkpoint of a fast program is taken note of, by the digest that posting it gives", async (context) => {
  const root = await testRoot(context);
  const { local, directory, trace } = await watching(root);
  const steps = Array.from({ length: 40 }, (_, i) => 5 * (i + 1));
  for (const step of steps) {
    await waitForNotes(directory, () => false);
    await write(directory, step);
    await pruneCheckpoints(directory, 2, await notedCheckpoint(directory));
  }
  await local.stop();
  const entries = await readTrace(trace);
  assert.deepEqual(
    entries.map(({ step }) => step),
    steps,
  );
  assert.equal(await notedCheckpoint(directory), 200);
  assert.ok(!(await readdir(root)).includes("scratch"));

  const store = new LocalStore(join(root, "store"));
  await store.open();
  context.after(() => store.close());
  await mkdir(join(root, "posted"));
  await write(join(root, "posted", "checkpoint"), 200);
  const { cid } = await store.addDirectory(join(root, "posted"));
  assert.equal(entries.at(-1)?.digest, digestOf(cid));
});

test("an agent that comes back goes on, and says again what it has noted", async (context) => {
  const root = await testRoot(context);
  const first = await watching(root);
  await write(first.directory, 10);
  await first.local.stop();
  await write(first.directory, 20);
  await rm(join(first.directory, ".noted"));
  const second = await watching(root);
  assert.equal(await notedCheckpoint(first.directory), 20);
  assert.deepEqual(
    (await readTrace(second.trace)).map(({ step }) => step),
    [10, 20],
  );
});

test("a program that gets too far ahead waits, and no longer than it may", async (context) => {
  const directory = await testRoot(context);
  for (let step = 1; step <= 8; step++) await write(directory, step);
  await assert.rejects(
    waitForNotes(directory, () => false, 50),
    /no checkpoint for 0.05 s, and 8 wait for it/,
  );
  await waitForNotes(directory, () => true);
  await writeFile(join(directory, ".noted"), "1\n");
  await waitForNotes(directory, () => false, 50);
  assert.deepEqual(await pruneCheckpoints(directory, 2, await notedCheckpoint(directory)), ["checkpoint-000000001"]);
});

test("a link that a program puts in the note's place leads nowhere", async (context) => {
  const root = await testRoot(context);
  const { local, directory } = await watching(root);
  await writeFile(join(root, "key"), "secret");
  await symlink(join(root, "key"), join(directory, ".noted"));
  await write(directory, 1);
  await local.settle();
  assert.equal(await readFile(join(root, "key"), "utf8"), "secret");
  assert.equal(await notedCheckpoint(directory), 1);
});

test("what cannot be stored is told of once, and the rest goes on when it is gone", async (context) => {
  const root = await testRoot(context);
  const { local, directory, warnings, trace } = await watching(root);
  const bad = join(directory, "checkpoint-000000001");
  await mkdir(bad);
  await symlink("/etc/passwd", join(bad, "weights.bin"));
  await until("it is told of", () => warnings.length > 0);
  await rm(bad, { recursive: true });
  await write(directory, 2);
  await local.stop();
  assert.equal(warnings.length, 1);
  assert.deepEqual(
    (await readTrace(trace)).map(({ step }) => step),
    [2],
  );
});
