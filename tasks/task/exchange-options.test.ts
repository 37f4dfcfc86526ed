import assert from "node:assert/strict";
import { test } from "node:test";

import { exchangeOf } from "./exchange-options.ts";
import { EXCHANGE_DEFAULTS } from "./exchange-defaults.ts";

const options = { units: 4, ...EXCHANGE_DEFAULTS };

test("units that train one model exchange as their options say; those that do not, exchange nothing", () => {
  assert.equal(exchangeOf(options), undefined);
  assert.deepEqual(exchangeOf({ ...options, exchange: 64, quorum: 4, grace: "2m" }), {
    fileMiB: 64,
    quorum: 4,
    graceSeconds: 120,
  });
});

test("options that could not do what they ask for are refused, with value, bound and remedy", () => {
  const refused: [object, RegExp][] = [
    [{ exchange: -1 }, /--exchange is -1.* 0 to 65536 MiB: name/],
    [{ exchange: NaN }, /--exchange is NaN/],
    [{ exchange: 65_537 }, /--exchange is 65537/],
    [{ quorum: 2 }, /^--quorum 2 without --exchange: .*leave it out/],
    [{ quorum: 2, grace: "5s" }, /^--quorum 2 and --grace 5s without --exchange: .*leave them out/],
    [{ exchange: 1, quorum: 5 }, /--quorum is 5, but a round has 1 to 4 units.*raise --units/],
    [{ exchange: 1, quorum: 0 }, /--quorum is 0/],
  ];
  for (const [changes, message] of refused)
    assert.throws(() => exchangeOf({ ...options, ...changes }), { code: "OPTION_INVALID", message });
  assert.throws(() => exchangeOf({ ...options, exchange: 1, grace: "soon" }), /"soon" is no time span/);
});
