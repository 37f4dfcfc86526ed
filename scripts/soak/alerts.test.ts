import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT } from "@verai/devnet/processes";
import { AlertWatch, judgeAlerts, readRules, TOLD } from "./alerts.ts";

const healthy = 'drmp_heartbeat_age_seconds{loop="allocation"} 0.2\ndrmp_orphaned_ranges 0\n';

test("every rule that operators are given is understood, and nothing fires while all is well", () => {
  const rules = readRules();
  assert.ok(rules.length >= 10);
  const watch = new AlertWatch(rules, 20);
  for (let at = 0; at < 300; at++) watch.observe(at, new Map([["keeper-0", healthy]]));
  assert.deepEqual(watch.fired, []);
});

test("what each fault is told by is a rule of the file, and the runbook names it where it names a section", () => {
  const names = readRules().map(({ alert }) => alert);
  const runbook = readFileSync(join(ROOT, "docs", "guides", "runbook.md"), "utf8");
  for (const telling of Object.values(TOLD)) {
    if (!telling) continue;
    assert.ok(names.includes(telling.alert), telling.alert);
    if (!["DrmpDown", "DrmpBalanceLow"].includes(telling.alert))
      assert.ok(runbook.includes(telling.alert), telling.alert);
  }
});

test("an alert fires when its time is over, by a clock that runs as fast as the processes", () => {
  const watch = new AlertWatch(readRules(), 20);
  // Twenty times as fast: "two minutes" are six seconds.
  for (let at = 0; at <= 5; at++) watch.observe(at, new Map([["keeper-0", undefined]]));
  assert.deepEqual(watch.fired, []);
  for (let at = 6; at <= 8; at++) watch.observe(at, new Map([["keeper-0", undefined]]));
  assert.deepEqual(
    watch.fired.map(({ name }) => name),
    ["DrmpDown"],
  );
  watch.observe(9, new Map([["keeper-0", healthy]]));
  assert.deepEqual(
    watch.fired.map(({ until }) => until),
    [9],
  );
});

test("an age that a process tells is taken that many times as long", () => {
  const watch = new AlertWatch(readRules(), 20);
  const stopped = 'drmp_heartbeat_age_seconds{loop="allocation"} 7\n';
  for (let at = 0; at <= 3; at++) watch.observe(at, new Map([["keeper-0", stopped]]));
  assert.deepEqual(
    watch.fired.map(({ name, instance }) => [name, instance]),
    [["DrmpLoopStopped", "keeper-0"]],
  );
});

test("the age of a loop that goes on once a minute is taken as it is", () => {
  const watch = new AlertWatch(readRules(), 20);
  const funds = (age: number) => `drmp_heartbeat_age_seconds{loop="funds-watch"} ${String(age)}\n`;
  for (let at = 0; at <= 9; at++) watch.observe(at, new Map([["keeper-0", funds(59)]]));
  assert.deepEqual(watch.fired, []);
  for (let at = 10; at <= 19; at++) watch.observe(at, new Map([["keeper-0", funds(121)]]));
  assert.equal(watch.fired.length, 1);
});

test("a fault that nobody was told of, and an alert without a cause, are found", () => {
  const alert = { name: "DrmpDown", instance: "keeper-1", labels: { instance: "keeper-1" }, from: 20, until: 30 };
  const fault = { kind: "kill keeper", instance: "keeper-1", from: 10, until: 25 } as const;
  assert.deepEqual(judgeAlerts([alert], [fault], 5), {
    told: ["kill keeper (keeper-1): DrmpDown"],
    untold: [],
    causeless: [],
  });
  const other = judgeAlerts([{ ...alert, instance: "keeper-0", labels: { instance: "keeper-0" } }], [fault], 5);
  assert.deepEqual([other.untold.length, other.causeless.length], [1, 1]);
  // Long after its cause: not its effect.
  assert.equal(judgeAlerts([{ ...alert, from: 31 }], [fault], 5).causeless.length, 1);
});

test("a move explains what the process that moves shows, and not what others do", () => {
  const down = (instance: string, from: number) =>
    ({ name: "DrmpDown", instance, labels: { instance }, from, until: from + 5 }) as const;
  const faults = [
    { kind: "migrate", from: 10, until: 40 },
    { kind: "migrate", instance: "agent-1", from: 30, until: 30 },
  ] as const;
  assert.deepEqual(judgeAlerts([down("agent-1", 32)], faults, 5).causeless, []);
  assert.equal(judgeAlerts([down("agent-0", 32)], faults, 5).causeless.length, 1);
  assert.equal(judgeAlerts([down("agent-1", 20)], faults, 5).causeless.length, 1);
  // What the network as a whole shows is explained while it moves, and no longer.
  const unmet = { name: "DrmpUnmetDemand", instance: "keeper-0", labels: {}, from: 20, until: 25 };
  assert.deepEqual(judgeAlerts([unmet], faults, 5).causeless, []);
  assert.equal(judgeAlerts([{ ...unmet, from: 46 }], faults, 5).causeless.length, 1);
});
