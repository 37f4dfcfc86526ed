import assert from "node:assert/strict";
import { test } from "node:test";

import { rateOf } from "./quote.ts";

const VER = 10n ** 18n;
const of = (name: string, units: number) => ({ name, units, listed: units });

test("a device-hour's price follows from what units of the leased classes took", () => {
  const quote = {
    cost: 12n * VER,
    leasedUnits: 4,
    classes: [of("cpu/eu", 3), of("gpu-80g-x8/eu", 1), of("cpu/us", 0)],
  };
  const measured = new Map([
    ["cpu/eu", { hours: 2, units: 10, tasks: 2 }],
    ["gpu-80g-x8/eu", { hours: 6, units: 1, tasks: 1 }],
  ]);
  // Three units of two hours, and one of six with eight devices: 54 device-hours.
  const rate = rateOf(quote, measured);
  assert.deepEqual([rate?.hours, rate?.longest, rate?.units], [3, 6, 11]);
  assert.equal(rate?.perDeviceHour, (12n * VER) / 54n);
});

test("no price is made up for a class of which nothing was reported, nor for nothing", () => {
  const measured = new Map([["cpu/eu", { hours: 2, units: 10, tasks: 2 }]]);
  const quote = { cost: VER, leasedUnits: 2, classes: [of("cpu/eu", 1), of("cpu/us", 1)] };
  assert.equal(rateOf(quote, measured), undefined);
  assert.equal(rateOf({ cost: 0n, leasedUnits: 0, classes: [of("cpu/eu", 0)] }, measured), undefined);
});
