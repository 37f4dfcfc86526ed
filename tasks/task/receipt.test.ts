import assert from "node:assert/strict";
import { test } from "node:test";

import { receiptOf } from "./receipt.ts";

const result = (deliveredAt: number) => ({ codec: 0x55, digest: "0x", size: 1, deliveredAt, bond: 0 });
const task = { id: 7, submittedAt: 1_000, paidUnits: 3 };

test("what was paid, for how many hours, and what changed hands", () => {
  const receipt = receiptOf(
    task,
    [
      { taskId: 7, status: "expired", count: 2, price: 10_000, parent: 0 },
      { taskId: 7, status: "paid", count: 2, price: 12_000, parent: 1, result: result(8_200) },
      { taskId: 7, status: "paid", count: 1, price: 10_000, parent: 0, result: result(4_600) },
      { taskId: 8, status: "paid", count: 9, price: 99_000, parent: 3, result: result(99_000) },
    ],
    { joules: 7_200_000n, carbonMilligrams: 600_000n, unitSeconds: 18_000n },
  );
  const VER = 10n ** 18n;
  assert.equal(receipt.paid, (34n * VER) / 1_000n);
  assert.equal(receipt.perUnit, (34n * VER) / 3_000n);
  assert.deepEqual([receipt.deviceHours, receipt.hours, receipt.handovers], [5, 2, 1]);
  assert.equal(receipt.perDeviceHour, (34n * VER) / 5_000n);
  assert.deepEqual([receipt.carbonGrams, receipt.carbonGramsPerUnit], [600, 200]);
});

test("nothing is made up where nothing is known", () => {
  const energy = { joules: 0n, carbonMilligrams: 0n, unitSeconds: 0n };
  const receipt = receiptOf({ ...task, paidUnits: 0 }, [], energy);
  assert.deepEqual([receipt.paid, receipt.perUnit], [0n, 0n]);
  assert.deepEqual(
    [receipt.perDeviceHour, receipt.hours, receipt.carbonGramsPerUnit],
    [undefined, undefined, undefined],
  );
});
