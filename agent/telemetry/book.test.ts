import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import type { Report } from "@verai/client/report";
import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { ReportBook, type Sample } from "./book.ts";
import { planReports } from "./plan.ts";

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

async function bookFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "drmp-book-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "reports", "book.json");
}

const close = async (book: ReportBook, onChain = 0): Promise<Report> => {
  const report = book.draft({ ...about, onChain });
  await book.close({ report, signature: "0x12" }, 1000);
  return report;
};

test("samples add up to a report; fractions stay for the next one", async (context) => {
  const book = await ReportBook.open(await bookFile(context));
  await book.add({ ...sample, leases: [{ leaseId: 9, units: 2, joules: 30.6 }] });
  await book.add({
    ...sample,
    seconds: 5.5,
    load: 1,
    joules: 50.75,
    leases: [{ leaseId: 3, units: 1, joules: 20.25 }],
  });
  const report = await close(book);
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
  assert.equal(book.openSeconds, 0.5);
  await book.add({ ...sample, joules: 0.25 });
  const next = await close(book);
  assert.equal(next.joules, 1);
  assert.equal(next.sequence, 2);
});

test("a killed agent goes on where its book is, and never uses a sequence twice", async (context) => {
  const file = await bookFile(context);
  const first = await ReportBook.open(file);
  await first.add(sample);
  await close(first);
  await first.add({ ...sample, joules: 7 });
  const second = await ReportBook.open(file);
  assert.equal(second.pending.length, 1);
  const report = await close(second);
  assert.equal(report.sequence, 2);
  assert.equal(report.joules, 7);
  // The book is lost, or half-written by another program: the chain knows how far it had come.
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 40));
  const third = await ReportBook.open(file);
  await third.add(sample);
  assert.equal(third.draft({ ...about, onChain: 5 }).sequence, 6);
});

test("of two methods the less trustworthy one is told", async (context) => {
  const book = await ReportBook.open(await bookFile(context));
  await book.add(sample);
  await book.add({ ...sample, method: "estimated" });
  await book.add({ ...sample, method: "nvml" });
  assert.equal((await close(book)).method, 3);
});

test("a period that is measured is called so, also after one that was estimated in part", async (context) => {
  const book = await ReportBook.open(await bookFile(context));
  await book.add({ ...sample, seconds: 5.5, joules: 100.75 });
  await book.add({ ...sample, method: "estimated", joules: 40.5 });
  assert.equal((await close(book)).method, 3);
  await book.add({ ...sample, joules: 100.25 });
  const report = await close(book);
  assert.deepEqual([report.method, report.joules], [1, 100]);
});

test("idle time is bounded by the work that is named", async (context) => {
  const book = await ReportBook.open(await bookFile(context));
  await book.add({ ...sample, idleUnitSeconds: 10, leases: [{ leaseId: 1, units: 1, joules: 5 }] });
  assert.equal((await close(book)).idleUnitSeconds, 5);
  await book.add({ ...sample, idleUnitSeconds: 30, leases: [{ leaseId: 1, units: 9, joules: 5 }] });
  assert.ok((await close(book)).idleUnitSeconds <= 4 * 5);
});

test("what nobody posts is kept for a while, and given up from the oldest on", async (context) => {
  const book = await ReportBook.open(await bookFile(context));
  for (let i = 0; i < 8; i++) {
    await book.add(sample);
    await close(book);
  }
  await book.add(sample);
  const lost = await book.close({ report: book.draft(about), signature: "0x12" }, 1);
  assert.deepEqual(
    lost.map(({ signed }) => signed.report.sequence),
    [1],
  );
  await book.settle(({ sequence }) => sequence <= 7);
  assert.deepEqual(
    book.pending.map(({ signed }) => signed.report.sequence),
    [8, 9],
  );
});

test("whatever is measured, a report is one that the chain takes, and no energy is lost but for fractions", async (context) => {
  const file = await bookFile(context);
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
      const book = await ReportBook.open(file);
      let [measured, reported] = [0, 0];
      for (const { seconds, load, joules, renewable, idle, shares } of all) {
        const parts = shares.reduce((sum, { part }) => sum + part, 0);
        measured += joules;
        await book.add({
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
        const report = await close(book);
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
