import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { InputMonitor } from "./input.ts";
import { IdleDetector } from "./detector.ts";

const quiet = { othersLoad: 0.02, sinceInput: Infinity, seconds: 5 };
const bounds = { othersLoad: 0.2, idleAfter: 20 };

/** A watch whose owner is away. */
function away(): IdleDetector {
  const detector = new IdleDetector(bounds);
  for (let i = 0; i < 4; i++) detector.look(quiet);
  assert.equal(detector.present, false);
  return detector;
}

test("the machine is offered only after a time of quiet, which the agent tells", () => {
  const detector = new IdleDetector(bounds);
  assert.match(detector.why ?? "", /after 20 s of quiet/);
  for (let i = 0; i < 3; i++) assert.equal(detector.look(quiet), true);
  assert.match(detector.why ?? "", /after 5 s of quiet/);
  assert.equal(detector.look(quiet), false);
  assert.equal(detector.why, undefined);
});

test("load of others brings the owner back, housekeeping for a moment does not", () => {
  const detector = away();
  assert.equal(detector.look({ ...quiet, othersLoad: 0.9, seconds: 2 }), false);
  assert.equal(detector.look(quiet), false);
  assert.equal(detector.look({ ...quiet, othersLoad: 0.9, seconds: 2 }), false);
  assert.equal(detector.look({ ...quiet, othersLoad: 0.9, seconds: 3 }), true);
  // And then it has to be quiet for the whole time again.
  for (let i = 0; i < 3; i++) assert.equal(detector.look(quiet), true);
  assert.equal(detector.look(quiet), false);
});

test("a key pressed brings the owner back at once, and the quiet counts from it", () => {
  const detector = away();
  assert.equal(detector.look({ ...quiet, sinceInput: 1 }), true);
  for (const sinceInput of [6, 11, 16]) assert.equal(detector.look({ ...quiet, sinceInput }), true);
  assert.equal(detector.look({ ...quiet, sinceInput: 21 }), false);
});

async function terminals(context: TestContext) {
  const dev = await mkdtemp(join(tmpdir(), "drmp-dev-"));
  context.after(() => rm(dev, { recursive: true, force: true }));
  await mkdir(join(dev, "pts"));
  const date = 1_790_000_000_000;
  const touch = async (name: string, secondsAgo: number) => {
    await writeFile(join(dev, name), "");
    const at = new Date(date - secondsAgo * 1000);
    await utimes(join(dev, name), at, at);
  };
  return { dev, date, touch };
}

test("the newest input of any terminal counts", async (context) => {
  const { dev, date, touch } = await terminals(context);
  const look = () =>
    new InputMonitor(
      dev,
      () => 0,
      () => date,
    ).secondsSince();
  assert.equal(await look(), Infinity);
  await touch("pts/0", 500);
  await touch("tty1", 90);
  await touch("pts/ptmx", 1);
  await touch("ttyS0", 2);
  assert.ok(Math.abs((await look()) - 90) < 0.01);
});

test("a clock that is set makes nobody present or away", async (context) => {
  const { dev, date, touch } = await terminals(context);
  let [now, clock] = [0, date];
  const detector = new InputMonitor(
    dev,
    () => now,
    () => clock,
  );
  await touch("pts/0", 60);
  assert.equal(Math.round(await detector.secondsSince()), 60);
  for (const jump of [-3_600_000, 86_400_000]) {
    now += 5_000;
    clock += jump;
    assert.equal(Math.round(await detector.secondsSince()), 60 + now / 1000);
  }
  // Input after the clock was set back bears an older date than before it.
  await touch("pts/0", 3_600);
  assert.equal(await detector.secondsSince(), 0);
  await rm(join(dev, "pts", "0"));
  now += 7_000;
  assert.equal(await detector.secondsSince(), 7, "a terminal that is closed is no input");
  await touch("pts/1", 0);
  assert.equal(await detector.secondsSince(), 0, "one that is opened is");
});
