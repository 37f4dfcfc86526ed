import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { secondsSinceInput } from "./input.ts";
import { OwnerWatch } from "./watch.ts";

const quiet = { othersLoad: 0.02, sinceInput: Infinity, seconds: 5 };
const bounds = { othersLoad: 0.2, idleAfter: 20 };

/** A watch whose owner is away. */
function away(): OwnerWatch {
  const watch = new OwnerWatch(bounds);
  for (let i = 0; i < 4; i++) watch.look(quiet);
  assert.equal(watch.present, false);
  return watch;
}

test("the machine is offered only after a time of quiet, which the agent tells", () => {
  const watch = new OwnerWatch(bounds);
  assert.match(watch.why ?? "", /after 20 s of quiet/);
  for (let i = 0; i < 3; i++) assert.equal(watch.look(quiet), true);
  assert.match(watch.why ?? "", /after 5 s of quiet/);
  assert.equal(watch.look(quiet), false);
  assert.equal(watch.why, undefined);
});

test("load of others brings the owner back, housekeeping for a moment does not", () => {
  const watch = away();
  assert.equal(watch.look({ ...quiet, othersLoad: 0.9, seconds: 2 }), false);
  assert.equal(watch.look(quiet), false);
  assert.equal(watch.look({ ...quiet, othersLoad: 0.9, seconds: 2 }), false);
  assert.equal(watch.look({ ...quiet, othersLoad: 0.9, seconds: 3 }), true);
  // And then it has to be quiet for the whole time again.
  for (let i = 0; i < 3; i++) assert.equal(watch.look(quiet), true);
  assert.equal(watch.look(quiet), false);
});

test("a key pressed brings the owner back at once, and the quiet counts from it", () => {
  const watch = away();
  assert.equal(watch.look({ ...quiet, sinceInput: 1 }), true);
  for (const sinceInput of [6, 11, 16]) assert.equal(watch.look({ ...quiet, sinceInput }), true);
  assert.equal(watch.look({ ...quiet, sinceInput: 21 }), false);
});

test("the newest input of any terminal counts", async (context) => {
  const dev = await mkdtemp(join(tmpdir(), "drmp-dev-"));
  context.after(() => rm(dev, { recursive: true, force: true }));
  assert.equal(await secondsSinceInput(dev), Infinity);
  await mkdir(join(dev, "pts"));
  const now = Date.now();
  const terminal = async (name: string, secondsAgo: number) => {
    await writeFile(join(dev, name), "");
    const at = new Date(now - secondsAgo * 1000);
    await utimes(join(dev, name), at, at);
  };
  await terminal("pts/0", 500);
  await terminal("tty1", 90);
  await terminal("pts/ptmx", 1);
  await terminal("ttyS0", 2);
  assert.ok(Math.abs((await secondsSinceInput(dev, now)) - 90) < 0.01);
});
