import assert from "node:assert/strict";
import { test } from "node:test";

import { getBytes, Wallet } from "ethers";
import fc from "fast-check";

import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { packReports, type Report, REPORT_TYPES, reportDomain, unpackReports } from "./report.ts";

const bits = (n: number) => fc.integer({ min: 0, max: 2 ** n - 1 });
const bits40 = fc.integer({ min: 0, max: 2 ** 40 - 1 });
const plain = { noNullPrototype: true } as const;
const reports: fc.Arbitrary<Report> = fc.record(
  {
    nodeId: bits(31).map((n) => 2 * n + 1),
    sequence: bits(31).map((n) => 2 * n + 1),
    period: bits(31),
    load: bits(16),
    latency: bits(16),
    joules: bits40,
    renewableJoules: bits40,
    method: bits(8),
    version: bits(16),
    idleUnitSeconds: bits(31),
    shares: fc.array(fc.record({ leaseId: bits(31), joules: bits40 }, plain), { maxLength: 64 }),
  },
  plain,
);

const operator = new Wallet(`0x${"17".repeat(32)}`);
const domain = reportDomain(8453, `0x${"ab".repeat(20)}`);

async function sign(report: Report): Promise<string> {
  return operator.signTypedData(domain, REPORT_TYPES, report);
}

test("packing keeps every field, and 98 bytes and 9 a share are all it takes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reports, { maxLength: 4 }), async (batch) => {
      const signed = await Promise.all(batch.map(async (report) => ({ report, signature: await sign(report) })));
      const packed = packReports(signed);
      const size = batch.reduce((sum, { shares }) => sum + 98 + 9 * shares.length, 0);
      assert.equal(getBytes(packed).length, size);
      const back = unpackReports(packed);
      assert.deepEqual(
        back.map(({ report }) => report),
        batch,
      );
      assert.equal(packReports(back), packed);
    }),
    seeded(60),
  );
});

test("what does not fit is refused by name", () => {
  const signature = `0x${"00".repeat(31)}01${"00".repeat(31)}01`;
  const report: Report = {
    nodeId: 1,
    sequence: 1,
    period: 60,
    load: 1,
    latency: 1,
    joules: 1,
    renewableJoules: 0,
    method: 1,
    version: 1,
    idleUnitSeconds: 0,
    shares: [],
  };
  const pack = (changes: Partial<Report>) => packReports([{ report: { ...report, ...changes }, signature }]);
  assert.equal(getBytes(pack({})).length, 98);
  assert.throws(() => pack({ load: 70_000 }), /The load 70000 of a report is no whole number of 2 bytes/);
  assert.throws(() => pack({ joules: -1 }), RangeError);
  assert.throws(() => pack({ period: 1.5 }), RangeError);
  assert.throws(() => pack({ shares: Array.from({ length: 65 }, () => ({ leaseId: 1, joules: 0 })) }), /at most 64/);
  assert.throws(() => unpackReports(pack({}).slice(0, -2)), /ends at byte 97/);
});
