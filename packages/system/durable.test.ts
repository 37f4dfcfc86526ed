import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { removeDrafts, writeDurably } from "./durable.ts";

async function directoryOf(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "drmp-durable-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test("a file appears whole, for its owner alone, with the directories above it", async (context) => {
  const directory = await directoryOf(context);
  const file = join(directory, "a", "b", "state.json");
  await writeDurably(file, "one");
  await writeDurably(file, "two");
  assert.equal(await readFile(file, "utf8"), "two");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const umask = process.umask(0o077);
  await writeDurably(file, "for others", { mode: 0o644 }).finally(() => process.umask(umask));
  assert.equal((await stat(file)).mode & 0o777, 0o644, "whatever the process's umask");
  assert.deepEqual(await readdir(join(directory, "a", "b")), ["state.json"]);
});

test("many writers of one file leave one of their contents, and no drafts", async (context) => {
  const directory = await directoryOf(context);
  const file = join(directory, "state.json");
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(contents.map((content) => writeDurably(file, content)));
  assert.ok(contents.includes(await readFile(file, "utf8")));
  assert.deepEqual(await readdir(directory), ["state.json"]);
});

test("a write that fails leaves the file as it was, and no draft", async (context) => {
  const directory = await directoryOf(context);
  const taken = join(directory, "taken");
  await mkdir(join(taken, "full"), { recursive: true });
  await assert.rejects(writeDurably(taken, "x"), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(await readdir(directory), ["taken"]);
  await writeFile(join(directory, "file"), "");
  await assert.rejects(writeDurably(join(directory, "file", "below"), "x"), /ENOTDIR|EEXIST/);
});

test("drafts that a crash left are deleted, and nothing else", async (context) => {
  const directory = await directoryOf(context);
  const draft = "state.json.0f8fad5b-d9cb-469f-a165-70867728950e.tmp";
  for (const name of [draft, "checkpoint.tmp", "state.json"]) await writeFile(join(directory, name), "");
  assert.equal(await removeDrafts(directory), 1);
  assert.deepEqual((await readdir(directory)).toSorted(), ["checkpoint.tmp", "state.json"]);
});
