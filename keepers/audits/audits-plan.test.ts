import assert from "node:assert/strict";
import { test } from "node:test";

import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { auditSteps, type AuditView, epochStep, keyOf, type KnownAudit, type TracedSegment } from "./audits-plan.ts";

const TERMS = { epoch: 600, openTime: 3_600, step: 300, chance: 100, newChance: 1_000, loss: 5_000 };

const idle: AuditView = {
  now: 10_000,
  terms: TERMS,
  seedTimeout: 900,
  stakePerUnit: 100_000_000,
  covered: 0,
  epochs: [],
  segments: [],
  opened: new Set(),
  audits: [],
};

const segment = (
  leaseId: number,
  at: number,
  sequence = 1,
  change: Partial<TracedSegment["lease"]> = {},
): TracedSegment => ({
  ...{ leaseId, sequence, at, progress: 1_000 },
  lease: { count: 4, price: 10_000, asked: 100, ...change },
});

const seed = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

/** A seed that draws, or does not draw, a segment at a chance. */
function seedThat(draws: boolean, leaseId: number, chance: number): string {
  for (let n = 1; ; n++) if (isDrawn(auditSalt(seed(n), leaseId, 1), chance) === draws) return seed(n);
}

test("an epoch is opened once something has waited for the time of one, and names a lease that posted since", () => {
  assert.equal(epochStep(idle), undefined);
  const fresh = { ...idle, segments: [segment(3, 9_500)] };
  assert.equal(epochStep(fresh), undefined);
  assert.deepEqual(epochStep({ ...fresh, now: 10_100 }), { kind: "openEpoch", leaseId: 3, abandons: undefined });
  const two = { ...idle, segments: [segment(3, 9_000), segment(7, 9_900)] };
  assert.equal(epochStep(two)?.leaseId, 7);
  // Where no task asks for audits, no seed is asked for.
  assert.equal(epochStep({ ...idle, segments: [segment(3, 9_000, 1, { asked: 0 })] }), undefined);
});

test("what an epoch with a seed has decided on waits for none; the next is opened no sooner than the terms allow", () => {
  const decided = { id: 1, from: 0, to: 9_700, abandoned: false, seed: seed(1) };
  const view = { ...idle, covered: 9_700, epochs: [decided], segments: [segment(3, 9_000)] };
  assert.equal(epochStep({ ...view, now: 20_000 }), undefined);
  const later = { ...view, segments: [segment(3, 9_000), segment(3, 9_710, 2)] };
  assert.equal(epochStep({ ...later, now: 10_299 }), undefined);
  assert.equal(epochStep({ ...later, now: 10_310 })?.leaseId, 3);
});

test("an oracle that is silent is waited for until its time is over; then its segments get another epoch", () => {
  const silent = { id: 4, from: 8_000, to: 9_000, abandoned: false, seed: undefined };
  const view = { ...idle, covered: 8_000, epochs: [silent], segments: [segment(3, 8_500)] };
  assert.equal(epochStep({ ...view, now: 9_900 }), undefined);
  assert.deepEqual(epochStep({ ...view, now: 9_901 }), { kind: "openEpoch", leaseId: 3, abandons: 4 });
});

test("a drawn segment is opened until it is too late, once, and only by the epoch that it belongs to", () => {
  const seedOf3 = seedThat(true, 3, 100);
  const epoch = { id: 2, from: 5_000, to: 9_000, abandoned: false, seed: seedOf3 };
  const view = { ...idle, covered: 9_000, epochs: [epoch], segments: [segment(3, 6_000)] };
  const open = { kind: "open", leaseId: 3, sequence: 1, epochId: 2 };
  assert.deepEqual(auditSteps(view), [open]);
  assert.deepEqual(auditSteps({ ...view, now: 9_000 + 900 + 3_600 }), [open]);
  assert.deepEqual(auditSteps({ ...view, now: 9_000 + 900 + 3_601 }), []);
  assert.deepEqual(auditSteps({ ...view, opened: new Set([keyOf({ leaseId: 3, sequence: 1 })]) }), []);
  assert.deepEqual(auditSteps({ ...view, segments: [segment(3, 5_000)] }), []);
  assert.deepEqual(auditSteps({ ...view, epochs: [{ ...epoch, abandoned: true }] }), []);
  assert.deepEqual(auditSteps({ ...view, epochs: [{ ...epoch, seed: undefined }] }), []);
  assert.deepEqual(auditSteps({ ...view, segments: [segment(3, 6_000, 1, { asked: 0 })] }), []);
});

test("a segment that claims much is likelier to be drawn than one that claims little", () => {
  const notAtNew = seedThat(false, 3, TERMS.newChance);
  const epoch = { id: 2, from: 5_000, to: 9_000, abandoned: false, seed: notAtNew };
  const little = { ...idle, covered: 9_000, epochs: [epoch], segments: [segment(3, 6_000)] };
  assert.deepEqual(auditSteps(little), []);
  // All of a lease whose price is as high as its stake, in one segment: gain and loss are such that it is always drawn.
  const all = { ...segment(3, 6_000, 1, { price: 200_000_000 }), progress: 40_000 };
  assert.equal(auditSteps({ ...little, segments: [all] }).length, 1);
});

test("a step that is over is moved on, a delivery that would be paid before is held, and a panel is settled with", () => {
  const running: KnownAudit = {
    ...{ leaseId: 5, sequence: 2, status: "verifying", due: 10_000 },
    ...{ unsettled: [], paidFrom: undefined, successors: [] },
  };
  const kinds = (audit: KnownAudit, now = 10_000) =>
    auditSteps({ ...idle, now, audits: [audit] }).map(({ kind }) => kind);
  assert.deepEqual(kinds(running), []);
  assert.deepEqual(kinds(running, 10_001), ["close"]);
  assert.deepEqual(kinds({ ...running, paidFrom: 10_899 }), ["holdPayment"]);
  assert.deepEqual(kinds({ ...running, paidFrom: 10_900 }), []);
  assert.deepEqual(kinds({ ...running, paidFrom: 10_100 }, 10_001), ["holdPayment", "close"]);
  assert.deepEqual(kinds({ ...running, status: "passed", unsettled: [0, 3] }), ["collect", "collect"]);
  assert.deepEqual(kinds({ ...running, status: "fraud", unsettled: [1], successors: [9] }), ["revoke", "collect"]);
  assert.deepEqual(kinds({ ...running, status: "passed" }, 20_000), []);
});
