import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import { type EnergyFacts, fitEnergyReport } from "@verai/client/energy-report";
import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { ReportJournal, type Sample } from "./report-journal.ts";
import { isEnergyDue, planReports } from "./report-plan.ts";

const about = { nodeId: 7, version: 1 };
const sample: Sample = {
  seconds: 5,
  load: 0.5,
  joules: 100,
  renewableJoules: 25,
  method: "rapl",
  idleUnitSeconds: 0,
  leases: [],
};

async function journalFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "drmp-book-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "reports", "book.json");
}

test("samples add up to a report, each lease with the time that it ran", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  await journal.add({ ...sample, leases: [{ leaseId: 9, joules: 30.6 }] });
  const leases = [
    { leaseId: 3, joules: 20.25 },
    { leaseId: 9, joules: 0 },
  ];
  await journal.add({ ...sample, seconds: 5.5, joules: 50.75, leases });
  assert.deepEqual(journal.draft(about), {
    nodeId: 7,
    period: 10,
    joules: 150,
    renewableJoules: 50,
    method: 1,
    version: 1,
    idleUnitSeconds: 0,
    shares: [
      { leaseId: 3, seconds: 5, joules: 20 },
      { leaseId: 9, seconds: 10, joules: 30 },
    ],
  });
  assert.equal(journal.openSeconds, 10.5);
  assert.deepEqual(journal.openLeases, [3, 9]);
});

test("a killed agent continues from its journal: what the chain took is over, what it did not take is open again", async (context) => {
  const file = await journalFile(context);
  const first = await ReportJournal.open(file);
  await first.add(sample);
  await first.send(1_000);
  assert.equal(first.openSeconds, 0);
  await first.add({ ...sample, joules: 7, method: "estimated" });
  const lost = await ReportJournal.open(file);
  assert.equal(lost.sentAfter, 1_000);
  await lost.settle(false);
  assert.deepEqual([lost.sentAfter, lost.openSeconds, lost.draft(about).joules], [undefined, 10, 107]);
  // Of two methods the less trustworthy one is told.
  assert.equal(lost.draft(about).method, 3);
  await lost.send(1_000);
  const taken = await ReportJournal.open(file);
  await taken.settle(true);
  assert.deepEqual([taken.sentAfter, taken.openSeconds], [undefined, 0]);
  // A file that is half-written by another program costs what it held.
  await taken.add(sample);
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 40));
  assert.equal((await ReportJournal.open(file)).openSeconds, 0);
});

const facts: EnergyFacts = { from: 1_000, now: 1_060, capacity: 4, powerMax: 100, leases: new Map() };

test("a report is cut down to what the chain takes: its time, its power, its leases while they lived", () => {
  const report = {
    ...{ nodeId: 7, period: 61, joules: 7_000, renewableJoules: 6_500, method: 1, version: 1, idleUnitSeconds: 500 },
    shares: [
      { leaseId: 1, seconds: 61, joules: 2_000 },
      { leaseId: 2, seconds: 20, joules: 1_900 },
      { leaseId: 3, seconds: 20, joules: 100 },
      { leaseId: 4, seconds: 20, joules: 100 },
    ],
  };
  const leases = new Map([
    [1, { nodeId: 7, count: 1, end: Infinity }],
    [2, { nodeId: 7, count: 2, end: 1_018 }],
    [3, { nodeId: 8, count: 2, end: Infinity }],
    [4, { nodeId: 7, count: 2, end: 1_000 }],
  ]);
  assert.deepEqual(fitEnergyReport(report, { ...facts, leases }), {
    ...{ nodeId: 7, period: 60, joules: 6_000, renewableJoules: 6_000, method: 1, version: 1 },
    idleUnitSeconds: 60 + 2 * 18,
    shares: [
      { leaseId: 1, seconds: 60, joules: 2_000 },
      { leaseId: 2, seconds: 18, joules: 1_800 },
    ],
  });
  assert.equal(fitEnergyReport(report, { ...facts, now: 1_000 }), undefined);
  assert.equal(fitEnergyReport(report, { ...facts, capacity: 0 }), undefined);
});

test("whatever is measured, a report is one that the chain takes, and no energy is lost but for fractions", async (context) => {
  const file = await journalFile(context);
  const share = fc.record({
    leaseId: fc.integer({ min: 1, max: 90 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const samples = fc.record({
    seconds: fc.double({ min: 1, max: 60, noNaN: true }),
    watts: fc.double({ min: 0, max: 100, noNaN: true }),
    renewable: fc.double({ min: 0, max: 1, noNaN: true }),
    idle: fc.double({ min: 0, max: 240, noNaN: true }),
    shares: fc.uniqueArray(share, { selector: ({ leaseId }) => leaseId, maxLength: 80 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(samples, { minLength: 1, maxLength: 6 }), async (all) => {
      await rm(file, { force: true });
      const journal = await ReportJournal.open(file);
      let measured = 0;
      for (const { seconds, watts, renewable, idle, shares } of all) {
        const joules = watts * seconds;
        const parts = shares.reduce((sum, { part }) => sum + part, 0);
        measured += joules;
        await journal.add({
          ...{ seconds, load: 1, joules, renewableJoules: joules * renewable, method: "estimated" },
          idleUnitSeconds: idle,
          leases: shares.map(({ leaseId, part }) => ({ leaseId, joules: (joules * part) / Math.max(1, parts) })),
        });
      }
      const draft = journal.draft(about);
      const ids = draft.shares.map(({ leaseId }) => leaseId);
      const leases = new Map(ids.map((id) => [id, { nodeId: 7, count: 2, end: Infinity }] as const));
      const report = fitEnergyReport(draft, { ...facts, now: facts.from + draft.period, powerMax: 200, leases });
      assert.ok(report);
      assert.deepEqual(
        ids,
        [...new Set(ids)].sort((a, b) => a - b),
      );
      assert.ok(ids.length <= 64 && report.renewableJoules <= report.joules);
      assert.ok(report.shares.reduce((sum, each) => sum + each.joules, 0) <= report.joules);
      assert.ok(report.shares.every(({ seconds, joules }) => seconds >= 1 && joules <= 200 * seconds));
      assert.ok(report.idleUnitSeconds <= 4 * report.period);
      assert.ok(report.joules <= measured + 1e-6 && measured - report.joules < 1);
    }),
    seeded(60),
  );
});

test("a report is signed when it is time, sent to keepers, and posted by the node if they do not", () => {
  const view = {
    ...{ seconds: 5, sinceTaken: 5, interval: 10, isFirst: false, waiting: undefined },
    ...{ keepers: true, selfPostAfter: 20 },
  };
  assert.deepEqual(planReports(view), []);
  assert.deepEqual(planReports({ ...view, seconds: 10 }), ["sign", "send"]);
  assert.deepEqual(planReports({ ...view, waiting: 3 }), ["send"]);
  assert.deepEqual(planReports({ ...view, waiting: 20 }), ["send", "post"]);
  assert.deepEqual(planReports({ ...view, seconds: 12, keepers: false }), ["sign", "post"]);
  assert.deepEqual(planReports({ ...view, waiting: 1, keepers: false }), ["post"]);
  // After a start the network may have waited for long.
  const awaited = { ...view, isFirst: true, sinceTaken: 300, interval: 300 };
  assert.deepEqual(planReports({ ...awaited, seconds: 29 }), [], "it would show the load of the start alone");
  assert.deepEqual(planReports({ ...awaited, seconds: 30 }), ["sign", "send"]);
  assert.deepEqual(planReports({ ...view, isFirst: true }), []);
});

test("energy is reported when a lease is over, before there are too many, and at the latest after hours", () => {
  const view = { seconds: 21_599, energyInterval: 21_600, interval: 300, leases: 2, isOneOver: false };
  assert.equal(isEnergyDue(view), false);
  assert.equal(isEnergyDue({ ...view, seconds: 21_600 }), true);
  assert.equal(isEnergyDue({ ...view, seconds: 299, isOneOver: true }), false);
  assert.equal(isEnergyDue({ ...view, seconds: 300, isOneOver: true }), true);
  assert.equal(isEnergyDue({ ...view, leases: 64 }), true);
});
