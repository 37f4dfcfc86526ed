import assert from "node:assert/strict";
import { test } from "node:test";

import { type AllocationView, nextStep } from "./allocation-plan.ts";
import { afterRefusal, afterSuccess, type Tries } from "./tries.ts";

const idle: AllocationView = {
  now: 1_000,
  round: { id: 3, status: "settled", openedAt: 900, seeded: true },
  nextOpening: 930,
  seedTimeout: 60,
  settleTimeout: 120,
  intakePaused: false,
  batch: undefined,
  pendingListings: 0,
  pendingAtOpen: 16,
  queue: [{ taskId: 7, servable: true }],
  queueLength: 1,
  parked: [],
  fees: [],
  roundMaxTasks: 16,
  looks: 32,
  newestSubmission: 900,
  oldestSubmission: 900,
  minRoundAge: 10,
};

test("a waiting, servable task opens a round", () => {
  assert.equal(nextStep(idle).kind, "open");
  assert.equal(
    nextStep({ ...idle, round: { id: 0, status: "none", openedAt: 0, seeded: false }, nextOpening: 0 }).kind,
    "open",
  );
});

test("no round is opened too early, for nothing, or while intake is paused", () => {
  assert.match(nextStep({ ...idle, nextOpening: 1_010 }).why, /in 10 s/);
  assert.match(nextStep({ ...idle, queue: [], queueLength: 0 }).why, /no task/);
  assert.match(nextStep({ ...idle, queue: [{ taskId: 7, servable: false }] }).why, /nothing listed/);
  assert.match(nextStep({ ...idle, intakePaused: true }).why, /paused/);
});

test("a batch of orphaned ranges is waited for, but an open round is settled all the same", () => {
  for (const batch of ["open", "has its turn"] as const) {
    assert.match(nextStep({ ...idle, batch }).why, /^a batch of orphaned ranges/);
    assert.equal(
      nextStep({ ...idle, batch, round: { id: 4, status: "settling", openedAt: 990, seeded: true } }).kind,
      "settle",
    );
  }
});

test("no batch waits for listings that changed before it: its opening would be refused", () => {
  const behind = { ...idle, pendingListings: 1 };
  assert.equal(nextStep({ ...behind, batch: "has its turn" }).kind, "sync");
  assert.equal(nextStep({ ...behind, batch: "open" }).kind, "wait", "they stand while it is being drawn for");
  assert.equal(nextStep({ ...idle, batch: "has its turn" }).kind, "wait");
});

test("many pending listings are synced first, few are left to the opening", () => {
  assert.deepEqual(nextStep({ ...idle, pendingListings: 17 }).kind, "sync");
  assert.deepEqual(nextStep({ ...idle, pendingListings: 16 }).kind, "open");
});

const heap = (count: number, servable: (place: number) => boolean) =>
  Array.from({ length: count }, (_, i) => ({ taskId: i + 1, servable: servable(i) }));

test("tasks that no round can serve are parked only when the opening would not look past them", () => {
  const queue = heap(40, (place) => place === 35);
  assert.deepEqual(nextStep({ ...idle, queue, queueLength: 40 }), {
    kind: "park",
    count: 35,
    why: "35 tasks that no round can serve block the queue",
  });
  assert.equal(nextStep({ ...idle, queue: queue.slice(10), queueLength: 30 }).kind, "open");
});

test("a heap that fills all that is looked at is parked, for what stands behind it may be servable", () => {
  const queue = heap(256, () => false);
  const step = nextStep({ ...idle, queue, queueLength: 257 });
  assert.equal(step.kind === "park" && step.count, 256);
  assert.match(nextStep({ ...idle, queue, queueLength: 256 }).why, /nothing listed/);
});

test("parked tasks that can be served again come back, as many as the next round has room for", () => {
  const parked = Array.from({ length: 20 }, (_, i) => 100 + i);
  const step = nextStep({ ...idle, parked });
  assert.equal(step.kind, "enqueue");
  assert.deepEqual(step.kind === "enqueue" && step.taskIds, parked.slice(0, 15));
  assert.equal(nextStep({ ...idle, queue: [], queueLength: 0, parked: [9] }).kind, "enqueue");
  assert.equal(nextStep({ ...idle, queue: heap(16, () => true), queueLength: 16, parked }).kind, "open");
  assert.notEqual(nextStep({ ...idle, parked, intakePaused: true }).kind, "enqueue");
});

test("release fees are seen to where nothing else is due: late tasks are closed, ended ones settled", () => {
  const fees = [{ taskId: 5, ended: false }];
  assert.equal(nextStep({ ...idle, fees }).kind, "open", "rounds go first");
  const quiet = { ...idle, queue: [], queueLength: 0, fees };
  assert.deepEqual(nextStep(quiet), {
    kind: "close",
    taskId: 5,
    why: "task 5 is past its deadline and release fees are held under it",
  });
  const step = nextStep({ ...quiet, fees: [{ taskId: 5, ended: true }, ...fees] });
  assert.equal(step.kind === "distribute" && step.taskId, 5);
  assert.equal(nextStep({ ...quiet, round: { id: 4, status: "seeding", openedAt: 990, seeded: false } }).kind, "close");
  const tries = afterRefusal({}, "fees", 1, idle.now);
  assert.equal(nextStep(quiet, tries).kind, "wait", "what is refused waits");
  assert.equal(nextStep({ ...quiet, now: idle.now + 30 }, tries).kind, "close");
});

test("a step that is refused is halved, then passed over for a while; others get their turn meanwhile", () => {
  const view: AllocationView = { ...idle, pendingListings: 98 };
  let tries: Tries = {};
  const sizes: number[] = [];
  for (let step = nextStep(view, tries); step.kind === "sync"; step = nextStep(view, tries)) {
    sizes.push(step.count);
    tries = afterRefusal(tries, "sync", step.count, view.now);
  }
  assert.deepEqual(sizes, [128, 64, 32, 16, 8, 4, 2, 1]);
  assert.equal(nextStep(view, tries).kind, "open", "what comes next is tried");
  assert.equal(nextStep({ ...view, now: 1_029 }, tries).kind, "open");
  const again = nextStep({ ...view, now: 1_030 }, tries);
  assert.equal(again.kind === "sync" && again.count, 1);
  tries = afterRefusal(tries, "sync", 1, 1_030);
  assert.equal(nextStep({ ...view, now: 1_089 }, tries).kind, "open", "twice as long");
  assert.equal(nextStep({ ...view, now: 1_090 }, afterSuccess(tries, "sync")).kind, "sync");
});

test("an opening that is refused leaves upkeep to steps of their own, and is tried later", () => {
  const tries = afterRefusal({}, "open", 1, idle.now);
  const queue = heap(3, (place) => place === 2);
  assert.equal(nextStep({ ...idle, pendingListings: 1 }, tries).kind, "sync");
  const step = nextStep({ ...idle, queue, queueLength: 3 }, tries);
  assert.equal(step.kind === "park" && step.count, 2);
  assert.match(nextStep(idle, tries).why, /refused; the next try is in 30 s/);
  assert.equal(nextStep({ ...idle, now: 1_030 }, tries).kind, "open");
  assert.equal(nextStep(idle, afterSuccess(tries, "sync")).kind, "open", "what was in its way may be gone");
  assert.equal(nextStep(idle, afterSuccess(tries, "fees")).kind, "wait");
});

test("no run of refusals keeps the keeper from any step for longer than an hour", () => {
  let tries: Tries = {};
  for (let i = 0; i < 40; i++) tries = afterRefusal(tries, "open", 1, 1_000);
  assert.equal(tries.open?.until, 4_600);
});

test("an open round waits for its seed, then is settled, and is aborted only after the time-outs", () => {
  const seeding = { ...idle, round: { id: 4, status: "seeding", openedAt: 950, seeded: false } as const };
  assert.equal(nextStep(seeding).kind, "wait");
  assert.equal(nextStep({ ...seeding, now: 1_010 }).kind, "wait");
  assert.equal(nextStep({ ...seeding, now: 1_011 }).kind, "abort");
  const settling = { ...idle, round: { id: 4, status: "settling", openedAt: 950, seeded: true } as const };
  assert.equal(nextStep(settling).kind, "settle");
  assert.equal(nextStep({ ...settling, now: 1_130 }).kind, "settle");
  assert.equal(nextStep({ ...settling, now: 1_131 }).kind, "abort");
});

test("a fresh task waits for company", () => {
  assert.match(nextStep({ ...idle, newestSubmission: 995, oldestSubmission: 995 }).why, /another 5 s/);
  assert.equal(nextStep({ ...idle, newestSubmission: 990 }).kind, "open");
});

test("however many tasks come after it, none waits for company longer than four times as long", () => {
  for (let now = 900; now < 940; now++) {
    const view = { ...idle, now, nextOpening: 0, newestSubmission: now - (now % 5), oldestSubmission: 900 };
    assert.equal(nextStep(view).kind, "wait");
  }
  assert.equal(nextStep({ ...idle, now: 940, newestSubmission: 940, oldestSubmission: 900 }).kind, "open");
});
