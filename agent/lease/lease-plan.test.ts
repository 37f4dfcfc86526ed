import assert from "node:assert/strict";
import { test } from "node:test";

import { type ChainLease, type LocalLease, outOfTouch, planLeases } from "./lease-plan.ts";

const lease: ChainLease = {
  id: 5,
  taskId: 1,
  start: 0,
  count: 3,
  fence: 2,
  status: "active",
  due: 1_060,
  checkpointInterval: 30,
  deadline: 1_000_000,
  checkpoint: { progress: 0, at: 1_000 },
};
const work: LocalLease = { id: 5, fence: 2, running: true, unitsDone: 0, progress: 0 };
const kinds = (
  ...[chain, local, now, draining]: [
    ...(Parameters<typeof planLeases> extends [...infer T, unknown] ? T : never),
    boolean,
  ]
) => planLeases(chain, local, now, draining ? "draining" : undefined).map((step) => step.kind);

test("a new lease is started, a running one left alone", () => {
  assert.deepEqual(kinds([lease], [], 1_001, false), ["start"]);
  assert.deepEqual(kinds([lease], [work], 1_001, false), []);
});

test("after a restart the work is started again and, if half the interval is over, what it had is posted", () => {
  const left = { ...work, running: false, progress: 4_000 };
  assert.deepEqual(kinds([lease], [left], 1_014, false), ["start"]);
  assert.deepEqual(kinds([lease], [left], 1_030, false), ["start", "checkpoint"]);
});

test("a checkpoint needs both half the interval and progress beyond what the chain has", () => {
  assert.deepEqual(kinds([lease], [{ ...work, progress: 100 }], 1_014, false), []);
  assert.deepEqual(kinds([lease], [{ ...work, progress: 100 }], 1_015, false), ["checkpoint"]);
  const posted = { ...lease, checkpoint: { progress: 100, at: 1_000 } };
  assert.deepEqual(kinds([posted], [{ ...work, progress: 100 }], 1_040, false), []);
});

test("a checkpoint is begun so early that it lands an interval after the one before was put together", () => {
  // Put together at 1,000, on the chain at 1,010.
  const known: ChainLease = { ...lease, due: 1_200, checkpoint: { progress: 100, at: 1_010 } };
  const at = (now: number, took: number) =>
    kinds([known], [{ ...work, progress: 200, posted: { captured: 1_000, took } }], now, false);
  assert.deepEqual(at(1_019, 10), []);
  assert.deepEqual(at(1_020, 10), ["checkpoint"]);
  // However long it takes, the program gets half of the time in between.
  assert.deepEqual(at(1_014, 40), []);
  assert.deepEqual(at(1_015, 40), ["checkpoint"]);
});

test("whenever a node fails, an interval of its work is lost at most", () => {
  const interval = 60;
  for (const took of [1, 7, 20, 30]) {
    let chain = { progress: 0, at: 0 };
    let posted: LocalLease["posted"];
    let flying: { progress: number; lands: number; captured: number } | undefined;
    for (let now = 0; now < 3_600; now++) {
      if (flying?.lands === now) {
        chain = { progress: flying.progress, at: now };
        posted = { captured: flying.captured, took };
        flying = undefined;
      }
      // Every second of work is a basis point, and a checkpoint of the program's at once.
      assert.ok(now - chain.progress <= interval, `${String(now - chain.progress)} s lost at ${String(now)}`);
      const on: ChainLease = { ...lease, due: now + 600, checkpointInterval: interval, checkpoint: chain };
      const steps = kinds([on], [{ ...work, progress: now, ...(posted && { posted }) }], now, false);
      if (steps.includes("checkpoint") && !flying) flying = { progress: now, lands: now + took, captured: now };
    }
  }
});

test("done work is delivered once: not planned again when the chain shows it delivered", () => {
  const done = { ...work, running: false, unitsDone: 3, progress: 30_000 };
  assert.deepEqual(kinds([lease], [done], 1_001, false), ["deliver"]);
  assert.deepEqual(kinds([{ ...lease, status: "delivered" }], [done], 1_001, false), []);
});

test("a zombie stops: lease gone, changed fence, expired", () => {
  assert.deepEqual(kinds([], [work], 1_001, false), ["stop", "forget"]);
  assert.deepEqual(kinds([{ ...lease, status: "expired" }], [work], 1_001, false), ["stop", "forget"]);
  assert.deepEqual(kinds([{ ...lease, fence: 3 }], [work], 1_001, false), ["stop", "forget", "start"]);
});

test("a delivered lease is kept until it is paid, and accepted by its node after the window", () => {
  const delivered: ChainLease = { ...lease, status: "delivered", due: 2_000 };
  assert.deepEqual(kinds([delivered], [{ ...work, running: false }], 2_000, false), []);
  assert.deepEqual(kinds([delivered], [{ ...work, running: false }], 2_001, false), ["accept"]);
  assert.deepEqual(kinds([{ ...delivered, status: "paid" }], [{ ...work, running: false }], 2_001, false), ["forget"]);
});

test("draining waits for the workload, posts its last checkpoint, then gives the lease back", () => {
  assert.deepEqual(kinds([lease], [work], 1_001, true), ["wind down"]);
  assert.deepEqual(kinds([lease], [{ ...work, running: false, progress: 50 }], 1_001, true), ["checkpoint", "release"]);
  assert.deepEqual(kinds([lease], [], 1_001, true), ["release"]);
  assert.deepEqual(kinds([lease], [{ ...work, running: false, unitsDone: 3 }], 1_001, true), ["deliver"]);
});

test("a lease that moves is wound down, its last checkpoint posted, and handed over; finished, it is delivered", () => {
  const moving: ChainLease = { ...lease, status: "moving" };
  assert.deepEqual(kinds([moving], [work], 1_001, false), ["wind down"]);
  assert.deepEqual(kinds([moving], [{ ...work, running: false, progress: 9 }], 1_001, false), [
    "checkpoint",
    "release",
  ]);
  assert.deepEqual(kinds([moving], [{ ...work, running: false }], 1_001, false), ["release"]);
  assert.deepEqual(kinds([moving], [{ ...work, running: false, unitsDone: 3 }], 1_001, false), ["deliver"]);
});

test("work that cannot be done here is given back with its reason", () => {
  const steps = planLeases([lease], [{ ...work, failure: "spec bafk… could not be fetched" }], 1_001, undefined);
  assert.deepEqual(steps, [
    { kind: "release", leaseId: 5, why: "spec bafk… could not be fetched", reason: "programFailed" },
  ]);
});

test("a lease without a checkpoint is given back before it is overdue, a little later if there is one to be posted", () => {
  const reason = (progress: number, now: number, running = true) =>
    planLeases([lease], [{ ...work, running, progress }], now, undefined).map((step) =>
      "why" in step ? step.why : step.kind,
    );
  // Due 60 s after the grant: 12 s before without progress, 6 s before with it.
  assert.deepEqual(reason(0, 1_047), []);
  assert.deepEqual(reason(0, 1_048), ["no checkpoint came in time"]);
  assert.deepEqual(reason(100, 1_053), ["the interval is over"]);
  assert.deepEqual(reason(100, 1_054), ["its checkpoint could not be posted in time"]);
  // On a real network a minute before.
  const hour: ChainLease = { ...lease, due: 4_600 };
  assert.deepEqual(kinds([hour], [work], 4_539, false), []);
  const steps = planLeases([hour], [work], 4_540, undefined);
  assert.deepEqual(steps, [
    { kind: "release", leaseId: 5, why: "no checkpoint came in time", reason: "noHeadway", unlessRenewed: 4_600 },
  ]);
  // What has not even begun, as its image is still on its way, is also given back.
  assert.deepEqual(kinds([lease], [], 1_050, false), ["release"]);
  // Overdue, and nobody has noticed: only a checkpoint helps.
  assert.deepEqual(reason(0, 1_061), []);
  assert.deepEqual(reason(100, 1_061, false), ["start", "the interval is over"]);
  // Done, it is delivered, however late.
  assert.deepEqual(kinds([lease], [{ ...work, unitsDone: 3, progress: 30_000 }], 1_059, false), ["deliver"]);
});

test("work whose lease must be overdue by now is stopped while the chain cannot be asked; the rest goes on", () => {
  const leases = [
    { id: 1, due: 1_060 },
    { id: 2, due: 1_200 },
  ];
  assert.deepEqual(outOfTouch(leases, 1_000, 60), []);
  assert.deepEqual(outOfTouch(leases, 1_000, 61), [1]);
  assert.deepEqual(outOfTouch(leases, 1_000, 300), [1, 2]);
});

test("a newer checkpoint is headway, whatever its progress; none is left once progress cannot grow", () => {
  const posted = { ...lease, due: 1_060, checkpoint: { progress: 9_999, at: 1_000 } };
  assert.deepEqual(kinds([posted], [{ ...work, progress: 9_999, fresh: true }], 1_015, false), ["checkpoint"]);
  const full = { ...posted, checkpoint: { progress: 3 * 9_999, at: 1_000 } };
  const [step] = planLeases([full], [{ ...work, progress: 3 * 9_999, fresh: true }], 1_055, undefined);
  assert.ok(step?.kind === "release");
  assert.match(step.why, /no room left to grow: have the program write progress\.json/);
});

test("a lease without a checkpoint is given back with what may be why", () => {
  const hint = "checkpoint-500 is not checkpoint-000000500";
  const [step] = planLeases([{ ...lease, due: 1_060 }], [{ ...work, hint }], 1_055, undefined);
  assert.ok(step?.kind === "release");
  assert.equal(step.why, `no checkpoint came in time: ${hint}`);
});

test("work that could not be waited for is neither begun again nor cleared away", () => {
  const ending = { ...work, running: false, ending: true };
  assert.deepEqual(kinds([lease], [ending], 1_001, false), []);
  assert.deepEqual(kinds([], [ending], 1_001, false), []);
});

test("a lease that cannot end by its task's deadline is wound down and given back, once it has a checkpoint", () => {
  // A basis point a second, seen for 600 s: the other 29,000 take until 30,600.
  const pace = { first: { at: 1_000, stated: 400 }, last: { at: 1_600, stated: 1_000 } };
  const at = (deadline: number, held: Partial<ChainLease> = {}, local: Partial<LocalLease> = {}) => {
    const on = { ...lease, deadline, due: 9_000, checkpoint: { progress: 900, at: 1_500 }, ...held };
    return planLeases([on], [{ ...work, progress: 900, pace, ...local }], 1_610, undefined);
  };
  assert.deepEqual(at(30_600), []);
  assert.deepEqual(at(16_100), [], "it may become twice as fast");
  assert.deepEqual(at(16_099), [
    { kind: "wind down", leaseId: 5, why: "at its pace it would end 14501 s after the deadline of its task" },
  ]);
  const kindsAt = (...args: Parameters<typeof at>) => at(...args).map(({ kind }) => kind);
  assert.deepEqual(kindsAt(16_099, {}, { running: false, progress: 950 }), ["checkpoint", "release"]);
  assert.deepEqual(kindsAt(16_099, {}, { running: false }), ["release"]);
  assert.deepEqual(kindsAt(16_099, { checkpoint: { progress: 0, at: 1_500 } }), ["checkpoint"], "else it costs a fee");
  assert.deepEqual(kindsAt(16_099, { checkpointInterval: 601 }), [], "too little was seen");
  assert.deepEqual(kindsAt(16_099, {}, { unitsDone: 3 }), ["deliver"]);
});

test("past its task's deadline a lease is given back, whatever of it is done", () => {
  const late = { ...lease, deadline: 1_010 };
  const done = { ...work, running: false, unitsDone: 3, progress: 30_000 };
  assert.deepEqual(kinds([late], [done], 1_010, false), ["deliver"]);
  assert.deepEqual(kinds([late], [done], 1_011, false), ["release"]);
  assert.deepEqual(kinds([{ ...late, status: "moving" }], [work], 1_011, false), ["release"]);
});

test("the work of an audited task is posted to its end before it is delivered", () => {
  const audited: ChainLease = { ...lease, audited: true };
  const done = { ...work, running: false, unitsDone: 3, progress: 30_000 };
  assert.deepEqual(kinds([audited], [done], 1_001, false), ["checkpoint"]);
  const posted = { ...audited, checkpoint: { progress: 30_000, at: 1_000 } };
  assert.deepEqual(kinds([posted], [done], 1_001, false), ["deliver"]);
  assert.deepEqual(kinds([lease], [done], 1_001, false), ["deliver"]);
  // What cannot be posted in time is given back, as any lease without a checkpoint.
  assert.deepEqual(kinds([audited], [done], 1_055, false), ["release"]);
});
