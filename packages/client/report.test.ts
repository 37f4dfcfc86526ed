import assert from "node:assert/strict";
import { test } from "node:test";

import { getBytes, Wallet } from "ethers";
import fc from "fast-check";

import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { packReports, type Report, REPORT_TYPES, reportDomain, unpackReports } from "./report.ts";

const bits = (n: number) => fc.integer({ min: 0, max: 2 ** n - 1 });
const plain = { noNullPrototype: true } as const;
const reports: fc.Arbitrary<Report> = fc.record(
  {
    nodeId: bits(31).map((n) => 2 * n + 1),
    sequence: bits(31).map((n) => 2 * n + 1),
    load: bits(16),
    latency: bits(16),
    watts: bits(31).map((n) => 2 * n + 1),
    renewable: fc.boolean(),
  },
  plain,
);

const operator = new Wallet(`0x${"17".repeat(32)}`);
const domain = reportDomain(8453, `0x${"ab".repeat(20)}`);

async function sign(report: Report): Promise<string> {
  return operator.signTypedData(domain, REPORT_TYPES, report);
}

test("packing keeps every field, and 81 bytes are all it takes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reports, { maxLength: 4 }), async (batch) => {
      const signed = await Promise.all(batch.map(async (report) => ({ report, signature: await sign(report) })));
      const packed = packReports(signed);
      assert.equal(getBytes(packed).length, 81 * batch.length);
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
    load: 1,
    latency: 1,
    watts: 1,
    renewable: false,
  };
  const pack = (changes: Partial<Report>) => packReports([{ report: { ...report, ...changes }, signature }]);
  assert.equal(getBytes(pack({})).length, 81);
  assert.throws(() => pack({ load: 70_000 }), /The load 70000 of a report is no whole number of 2 bytes/);
  assert.throws(() => pack({ watts: -1 }), RangeError);
  assert.throws(() => pack({ sequence: 1.5 }), RangeError);
  assert.throws(() => unpackReports(pack({}).slice(0, -2)), /ends at byte 80/);
});
