import assert from "node:assert/strict";
import { test } from "node:test";

import { carbonByHour, parseHourly } from "./hourly.ts";

const at = (time: string) => Date.parse(time) / 1000;
const TABLE = `hour,region,gramsPerKwh
2026-11-30T14:00Z,eu,100
2026-11-30T15:00Z,eu,300
2026-11-30T14:00:00Z,se,20.5
`;

test("a table is read, and what is wrong with one is named by its line", () => {
  const table = parseHourly(TABLE);
  assert.deepEqual([table.from, table.until], [at("2026-11-30T14:00Z"), at("2026-11-30T16:00Z")]);
  assert.equal(table.hours.get("se")?.get(at("2026-11-30T14:00Z")), 20.5);
  for (const [text, said] of [
    ["", /first line is ""; write "hour,region/],
    ["hour,region,gramsPerKwh\n", /no hour/],
    [TABLE + "2026-11-30T14:30Z,eu,1\n", /line 5 is "2026-11-30T14:30Z,eu,1"/],
    [TABLE + "2026-11-31T99:00Z,eu,1\n", /line 5/],
    [TABLE + "2026-11-30T16:00Z,eu,-1\n", /line 5/],
    [TABLE + "2026-11-30T15:00Z,eu,7\n", /line 5 says a second time what holds for eu/],
  ] as const) {
    assert.throws(() => parseHourly(text), said);
  }
});

test("energy counts by the hours in which it was used, and by the average where the table has none", () => {
  const table = parseHourly(TABLE);
  const kwh = 3_600_000;
  // A kilowatt-hour from 14:30 to 15:30: half of it at 100, half at 300.
  const [from, until] = [at("2026-11-30T14:30Z"), at("2026-11-30T15:30Z")];
  const part = { from, until, joules: kwh, region: "eu", average: 213 };
  assert.deepEqual(carbonByHour(table, [part], 213, kwh), { grams: 200, share: 1 });
  // An hour later half of it lies beyond the table.
  const later = { ...part, from: from + 3_600, until: until + 3_600 };
  assert.deepEqual(carbonByHour(table, [later], 213, kwh), { grams: 213 / 2 + 150, share: 0.5 });
  // Of a region that it does not know, and of parts that nobody has told: as booked.
  assert.deepEqual(carbonByHour(table, [{ ...part, region: "us" }], 383, kwh), { grams: 383, share: 0 });
  assert.deepEqual(carbonByHour(table, [part], 426, 2 * kwh), { grams: 413, share: 0.5 });
  // All of it renewable; a report of no span.
  assert.deepEqual(carbonByHour(table, [], 0, 0), { grams: 0, share: 1 });
  assert.deepEqual(carbonByHour(table, [{ ...part, from: until }], 213, kwh), { grams: 300, share: 1 });
});
