import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import type { Report } from "@verai/client/report";
import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { ReportJournal, type Sample } from "./report-journal.ts";
import { planReports } from "./report-plan.ts";

const about = { nodeId: 7, capacity: 4, onChain: 0, latency: 12.4, version: 1 };
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

const close = async (journal: ReportJournal, onChain = 0): Promise<Report> => {
  const report = journal.draft({ ...about, onChain });
  await journal.close({ report, signature: "0x12" }, 1000);
  return report;
};

test("samples add up to a report; fractions stay for the next one", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  await journal.add({ ...sample, leases: [{ leaseId: 9, units: 2, joules: 30.6 }] });
  await journal.add({
    ...sample,
    seconds: 5.5,
    load: 1,
    joules: 50.75,
    leases: [{ leaseId: 3, units: 1, joules: 20.25 }],
  });
  const report = await close(journal);
  assert.deepEqual(report, {
    nodeId: 7,
    sequence: 1,
    period: 10,
    load: Math.round(((2.5 + 5.5) / 10.5) * 10_000),
    latency: 12,
    joules: 150,
    renewableJoules: 50,
    method: 1,
    version: 1,
    idleUnitSeconds: 0,
    shares: [
      { leaseId: 3, joules: 20 },
      { leaseId: 9, joules: 30 },
    ],
  });
  assert.equal(journal.openSeconds, 0.5);
  await journal.add({ ...sample, joules: 0.25 });
  const next = await close(journal);
  assert.equal(next.joules, 1);
  assert.equal(next.sequence, 2);
});

test("a killed agent continues from its journal, and never uses a sequence twice", async (context) => {
  const file = await journalFile(context);
  const first = await ReportJournal.open(file);
  await first.add(sample);
  await close(first);
  await first.add({ ...sample, joules: 7 });
  const second = await ReportJournal.open(file);
  assert.equal(second.pending.length, 1);
  const report = await close(second);
  assert.equal(report.sequence, 2);
  assert.equal(report.joules, 7);
  // The book is lost, or half-written by another program: the chain knows how far it had come.
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 40));
  const third = await ReportJournal.open(file);
  await third.add(sample);
  assert.equal(third.draft({ ...about, onChain: 5 }).sequence, 6);
});

test("of two methods the less trustworthy one is told", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  await journal.add(sample);
  await journal.add({ ...sample, method: "estimated" });
  await journal.add({ ...sample, method: "nvml" });
  assert.equal((await close(journal)).method, 3);
});

test("a period that is measured is called so, also after one that was estimated in part", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  await journal.add({ ...sample, seconds: 5.5, joules: 100.75 });
  await journal.add({ ...sample, method: "estimated", joules: 40.5 });
  assert.equal((await close(journal)).method, 3);
  await journal.add({ ...sample, joules: 100.25 });
  const report = await close(journal);
  assert.deepEqual([report.method, report.joules], [1, 100]);
});

test("idle time is bounded by the work that is named", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  await journal.add({ ...sample, idleUnitSeconds: 10, leases: [{ leaseId: 1, units: 1, joules: 5 }] });
  assert.equal((await close(journal)).idleUnitSeconds, 5);
  await journal.add({ ...sample, idleUnitSeconds: 30, leases: [{ leaseId: 1, units: 9, joules: 5 }] });
  assert.ok((await close(journal)).idleUnitSeconds <= 4 * 5);
});

test("what nobody posts is kept for a while, and given up from the oldest on", async (context) => {
  const journal = await ReportJournal.open(await journalFile(context));
  for (let i = 0; i < 8; i++) {
    await journal.add(sample);
    await close(journal);
  }
  await journal.add(sample);
  const lost = await journal.close({ report: journal.draft(about), signature: "0x12" }, 1);
  assert.deepEqual(
    lost.map(({ signed }) => signed.report.sequence),
    [1],
  );
  await journal.settle(({ sequence }) => sequence <= 7);
  assert.deepEqual(
    journal.pending.map(({ signed }) => signed.report.sequence),
    [8, 9],
  );
});

test("whatever is measured, a report is one that the chain takes, and no energy is lost but for fractions", async (context) => {
  const file = await journalFile(context);
  const share = fc.record({
    leaseId: fc.integer({ min: 1, max: 90 }),
    units: fc.integer({ min: 1, max: 4 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const samples = fc.record({
    seconds: fc.double({ min: 0.01, max: 60, noNaN: true }),
    load: fc.double({ min: 0, max: 1, noNaN: true }),
    joules: fc.double({ min: 0, max: 1e5, noNaN: true }),
    renewable: fc.double({ min: 0, max: 1, noNaN: true }),
    idle: fc.double({ min: 0, max: 240, noNaN: true }),
    shares: fc.uniqueArray(share, { selector: ({ leaseId }) => leaseId, maxLength: 80 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(samples, { minLength: 1, maxLength: 6 }), async (all) => {
      await rm(file, { force: true });
      const journal = await ReportJournal.open(file);
      let [measured, reported] = [0, 0];
      for (const { seconds, load, joules, renewable, idle, shares } of all) {
        const parts = shares.reduce((sum, { part }) => sum + part, 0);
        measured += joules;
        await journal.add({
          seconds,
          load,
          joules,
          renewableJoules: joules * renewable,
          method: "estimated",
          idleUnitSeconds: idle,
          leases: shares.map(({ leaseId, units, part }) => ({
            leaseId,
            units,
            joules: parts > 0 ? (joules * part) / Math.max(1, parts) : 0,
          })),
        });
        const report = await close(journal);
        reported += report.joules;
        const ids = report.shares.map(({ leaseId }) => leaseId);
        assert.deepEqual(
          ids,
          [...new Set(ids)].sort((a, b) => a - b),
        );
        assert.ok(ids.length <= 64 && report.load <= 10_000 && report.renewableJoules <= report.joules);
        assert.ok(report.shares.reduce((sum, each) => sum + each.joules, 0) <= report.joules);
        assert.ok(report.idleUnitSeconds <= 4 * report.period);
      }
      assert.ok(reported <= measured + 1e-6 && measured - reported < 1);
    }),
    seeded(60),
  );
});

test("a report is closed when it is time, sent to keepers, and posted by the node if they do not", () => {
  const view = { openSeconds: 5, interval: 10, pending: [], keepers: true, selfPostAfter: 20 };
  assert.deepEqual(planReports(view), []);
  assert.deepEqual(planReports({ ...view, openSeconds: 10 }), ["close", "send"]);
  assert.deepEqual(planReports({ ...view, pending: [3, 1] }), ["send"]);
  assert.deepEqual(planReports({ ...view, pending: [20, 1] }), ["send", "post"]);
  assert.deepEqual(planReports({ ...view, openSeconds: 12, keepers: false }), ["close", "post"]);
  assert.deepEqual(planReports({ ...view, pending: [1], keepers: false }), ["post"]);
});
