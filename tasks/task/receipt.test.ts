import assert from "node:assert/strict";
import { test } from "node:test";

import { receiptOf } from "./receipt.ts";

const result = (deliveredAt: number) => ({ codec: 0x55, digest: "0x", size: 1, deliveredAt, bond: 0 });
const NAMES = new Map([
  [1, "cpu/eu"],
  [2, "gpu-80g-x8/eu"],
  [3, "tpu/eu"],
]);
const task = { id: 7, submittedAt: 1_000, paidUnits: 3 };

test("what was paid, for how many hours, and what changed hands", () => {
  const receipt = receiptOf(
    task,
    [
      { taskId: 7, status: "expired", count: 2, price: 10_000, parent: 0, classId: 1 },
      { taskId: 7, status: "paid", count: 2, price: 12_000, parent: 1, classId: 1, result: result(8_200) },
      { taskId: 7, status: "paid", count: 1, price: 10_000, parent: 0, classId: 1, result: result(4_600) },
      { taskId: 8, status: "paid", count: 9, price: 99_000, parent: 3, classId: 2, result: result(99_000) },
    ],
    { joules: 7_200_000n, carbonMilligrams: 600_000n, unitSeconds: 18_000n },
    NAMES,
    { cpu: 35.04 },
  );
  const VER = 10n ** 18n;
  assert.equal(receipt.paid, (34n * VER) / 1_000n);
  assert.equal(receipt.perUnit, (34n * VER) / 3_000n);
  assert.deepEqual([receipt.deviceHours, receipt.hours, receipt.handovers], [5, 2, 1]);
  assert.equal(receipt.perDeviceHour, (34n * VER) / 5_000n);
  // 35.04 kg over 35,040 hours: a gram for each of the five.
  assert.deepEqual([receipt.carbonGrams, receipt.embodiedGrams, receipt.carbonGramsPerUnit], [600, 5, 605 / 3]);
});

test("a unit of eight GPUs takes eight device-hours an hour, and what is not known of a device is said", () => {
  const energy = { joules: 1n, carbonMilligrams: 1_000n, unitSeconds: 7_200n };
  const paid = (classId: number) => ({
    taskId: 7,
    status: "paid" as const,
    count: 1,
    price: 16_000,
    parent: 0,
    classId,
  });
  const eight = receiptOf({ ...task, paidUnits: 1 }, [paid(2)], energy, NAMES);
  assert.equal(eight.deviceHours, 16);
  assert.equal(eight.perDeviceHour, 10n ** 15n);
  assert.match(eight.embodied[0]?.source ?? "", /Teads/);
  assert.ok((eight.embodiedGrams ?? 0) > 200);
  const mixed = receiptOf({ ...task, paidUnits: 2 }, [paid(2), paid(1)], energy, NAMES);
  assert.equal(mixed.deviceHours, 9);
  const unknown = receiptOf({ ...task, paidUnits: 1 }, [paid(3)], energy, NAMES);
  assert.deepEqual(
    [unknown.embodiedGrams, unknown.carbonGramsPerUnit, unknown.embodiedUnknown],
    [undefined, undefined, ["tpu"]],
  );
});

test("nothing is made up where nothing is known", () => {
  const energy = { joules: 0n, carbonMilligrams: 0n, unitSeconds: 0n };
  const receipt = receiptOf({ ...task, paidUnits: 0 }, [], energy, NAMES);
  assert.deepEqual([receipt.paid, receipt.perUnit], [0n, 0n]);
  assert.deepEqual(
    [receipt.perDeviceHour, receipt.hours, receipt.carbonGramsPerUnit],
    [undefined, undefined, undefined],
  );
});
