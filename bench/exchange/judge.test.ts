import assert from "node:assert/strict";
import { test } from "node:test";

import { allReduceBytes, faultsOf, pace } from "./judge.ts";

const member = (unit: number) => ({ unit, sha256: "" });
const record = (round: number, units: number[]) => ({ round, before: "", members: units.map(member) });

test("pace counts the steps of members alone, from the first record to the last", () => {
  const records = [
    { record: record(1, [0, 1, 2, 3]), at: 1_000 },
    { record: record(2, [0, 1, 3]), at: 3_000 },
    { record: record(3, [0, 1, 2, 3]), at: 5_000 },
  ];
  assert.equal(pace({ records }, 100), 175);
  assert.ok(Number.isNaN(pace({ records: records.slice(0, 1) }, 100)));
});

test("a ring all-reduce sends every parameter twice, less a worker's own part", () => {
  assert.equal(allReduceBytes(10, 4, 3), 3 * 2 * 3 * 40);
});

test("each missed goal is said", () => {
  const good = { goodput: 0.88, bytes: 1 / 50, lost: 0.005, equal: true, replayed: true };
  assert.deepEqual(faultsOf(good), []);
  assert.match(faultsOf({ ...good, goodput: 0.87 }).join(), /Goodput is 87\.0 %, below 88\.0 %/);
  assert.match(faultsOf({ ...good, goodput: NaN }).join(), /Goodput/);
  assert.match(faultsOf({ ...good, bytes: 1 / 49 }).join(), /1\/49\.0 of/);
  assert.match(faultsOf({ ...good, lost: 0.006 }).join(), /0\.60 points lower/);
  assert.match(faultsOf({ ...good, equal: false }).join(), /differ/);
  assert.match(faultsOf({ ...good, replayed: false }).join(), /other weights/);
});
