import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { seeded } from "../allocation/testing/rounds.ts";
import { askToTick, tickToPrice } from "./ticks.ts";
import { MAX_PRICE, TICKS } from "./units.ts";
import { formatPrice, formatVer, microToWei, MoneyError, parsePrice, parseVer, weiToMicro } from "./ver.ts";

const refused = (message: RegExp) => (error: unknown) => error instanceof MoneyError && message.test(error.message);

test("amounts are read and written exactly", () => {
  assert.equal(parseVer("12.5"), 12_500_000_000_000_000_000n);
  assert.equal(parseVer(" 0.000000000000000001 VER "), 1n);
  assert.equal(formatVer(1_500_000_000_000_000_000n), "1.5");
  assert.equal(formatVer(-1n), "-0.000000000000000001");
  assert.equal(formatVer(0n), "0");
  assert.equal(formatVer(100n * 10n ** 18n), "100");
  assert.equal(formatPrice(2000), "0.002");
  assert.equal(parsePrice("0.002"), 2000);
});

test("money makes the round trip", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), (wei) => {
      assert.equal(parseVer(formatVer(wei)), wei);
    }),
    seeded(500),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_PRICE }), (micro) => {
      assert.equal(weiToMicro(microToWei(micro)), micro);
      assert.equal(parsePrice(formatPrice(micro)), micro);
    }),
    seeded(500),
  );
});

test("what is no amount is refused with the remedy", () => {
  for (const text of ["", "1,5", "-1", "1e3", ".5", "1.", "NaN", "0x10", "1 ETH"]) {
    assert.throws(() => parseVer(text), refused(/decimal point, such as 12\.5/), text);
  }
  assert.throws(() => parseVer("0.0000000000000000001"), refused(/19 decimals: a VER has 18/));
  assert.throws(() => parsePrice("0.0000015"), refused(/nearest are 0\.000001 VER and 0\.000002 VER/));
  assert.throws(() => weiToMicro(-1n), refused(/negative/));
  assert.throws(() => weiToMicro(microToWei(MAX_PRICE + 1)), refused(/highest is 1099511\.627775 VER/));
  assert.throws(() => microToWei(0.5), refused(/whole number/));
  assert.throws(() => microToWei(NaN), refused(/NaN is not a whole number/));
});

test("asks become ticks and back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: TICKS - 1 }),
      fc.integer({ min: 1, max: Math.floor(MAX_PRICE / (TICKS - 1)) }),
      (tick, tickSize) => {
        assert.equal(askToTick(microToWei(tickToPrice(tick, tickSize)), tickSize), tick);
      },
    ),
    seeded(500),
  );
});

test("an ask beside a tick is refused with the nearest ones", () => {
  assert.throws(
    () => askToTick(parseVer("0.0105"), 1000),
    refused(/0\.0105 VER is not on a tick of 0\.001 VER: the nearest are 0\.01 VER and 0\.011 VER/),
  );
  assert.throws(() => askToTick(parseVer("0.010000000000000001"), 1000), refused(/0\.01 VER and 0\.011 VER/));
  assert.throws(() => askToTick(parseVer("4.096"), 1000), refused(/highest is 4\.095 VER/));
  assert.equal(askToTick(parseVer("4.095"), 1000), 4095);
  assert.throws(() => askToTick(-1n, 1000), refused(/negative/));
  assert.throws(() => askToTick(0n, 0), refused(/tick of 0 micro-VER is impossible/));
  assert.throws(() => tickToPrice(TICKS, 1), refused(/ticks are 0 to 4095/));
});
