import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { Workspace } from "./workspace.ts";

async function bench(context: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "drmp-leases-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const lines: string[] = [];
  return { root, lines, space: new Workspace(root, { error: (_, message) => void lines.push(message) }) };
}

const record = (leaseId: number, fence = 1) => ({ leaseId, fence, taskId: 9, start: 0, count: 1, restored: true });

test("damage to one lease's record hides no other lease", async (context) => {
  const { root, lines, space } = await bench(context);
  for (const id of [1, 2, 3]) await space.folder(id, 1).remember(record(id));
  await writeFile(join(root, "2-1", "lease.json"), "\0\0\0");
  // The right form, but of another lease.
  await writeFile(join(root, "3-1", "lease.json"), JSON.stringify(record(4)));
  assert.deepEqual(await space.records(), [record(1)]);
  assert.match(lines.join(), /record of a lease .*2-1.* is damaged/);
  assert.deepEqual(
    (await space.begun()).map(({ leaseId, record: known }) => [leaseId, known !== undefined]).toSorted(),
    [
      [1, true],
      [2, false],
      [3, false],
    ],
  );
});

test("starts are counted across restarts, and again where the count is damaged", async (context) => {
  const { root, space } = await bench(context);
  const folder = space.folder(1, 1);
  assert.deepEqual([await folder.nextAttempt(0), await folder.nextAttempt(0)], [1, 2]);
  await writeFile(join(root, "1-1", "unit-0", "attempts.json"), "\0\0");
  assert.equal(await folder.nextAttempt(0), 1);
});

test("what is in the place of a unit's directory is set aside", async (context) => {
  const { root, space } = await bench(context);
  await mkdir(join(root, "1-1"));
  await writeFile(join(root, "1-1", "unit-0"), "no directory");
  assert.equal(await space.folder(1, 1).isDone(0), false);
  await space.folder(1, 1).unit(0);
  assert.deepEqual((await readdir(join(root, "1-1"))).toSorted(), ["unit-0", "unit-0.bad"]);
});

test("a unit's folder is its agent's user's alone, whatever the umask", async (context) => {
  const umask = process.umask(0o022);
  context.after(() => void process.umask(umask));
  const { space } = await bench(context);
  const { root } = await space.folder(1, 1).unit(0);
  assert.equal((await stat(root)).mode & 0o777, 0o700);
});

test("all that is here of a lease goes, but the fence that is held", async (context) => {
  const { root, space } = await bench(context);
  for (const name of ["1-1", "1-1.restore-ab12", "1-2", "1-2.restore-cd34", "11-1", "12-2"])
    await mkdir(join(root, name));
  await space.remove(1, 2);
  assert.deepEqual((await readdir(root)).toSorted(), ["1-2", "1-2.restore-cd34", "11-1", "12-2"]);
  await space.remove(1);
  assert.deepEqual((await readdir(root)).toSorted(), ["11-1", "12-2"]);
});
