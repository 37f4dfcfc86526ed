import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { CODEC_DAG_PB, CODEC_RAW } from "../checkpoints/cid.ts";
import * as units from "./units.ts";

/** What only the contracts decide by: bounds of their own loops. */
const OF_CONTRACTS = ["MAX_LINE", "MAX_MOVED_LINE", "MAX_REPLICAS", "UPKEEP_STEP_GAS"];

test("the constants equal those of Units.sol", () => {
  const source = readFileSync(new URL("../../../contracts/types/Units.sol", import.meta.url), "utf8");
  const inSolidity = new Map<string, bigint>();
  for (const [, name = "", text = ""] of source.matchAll(/constant (\w+) = ([^;]+);/g))
    inSolidity.set(name, value(text));
  for (const name of OF_CONTRACTS) assert.ok(inSolidity.delete(name), `${name} is no constant of Units.sol`);
  const { PRICE_UNIT, MAX_PRICE, DITHER, TICKS, BASIS } = units;
  const {
    MAX_UNITS,
    MAX_CLASSES,
    MAX_TASK_CLASSES,
    MAX_ROUND_CLASSES,
    MAX_UNIT_POWER,
    MAX_UNIT_TIME,
    MAX_AUDIT_CHANCE,
  } = units;
  const here = {
    ...{ PRICE_UNIT, MAX_PRICE, DITHER, TICKS, BASIS },
    ...{ MAX_UNITS, MAX_CLASSES, MAX_TASK_CLASSES, MAX_ROUND_CLASSES, MAX_UNIT_POWER, MAX_UNIT_TIME, MAX_AUDIT_CHANCE },
    ...{ CODEC_RAW, CODEC_DAG_PB },
  };
  const byName = (a: readonly [string, bigint], b: readonly [string, bigint]): number => (a[0] < b[0] ? -1 : 1);
  const expected = Object.entries(here).map(([name, each]) => [name, BigInt(each)] as const);
  assert.deepEqual([...inSolidity].sort(byName), expected.sort(byName));
});

test("scaled prices are exact in a double", () => {
  assert.ok(Number.isSafeInteger((2 * units.MAX_PRICE + 1) * units.DITHER));
});

/** Value of one of the few forms of expression in Units.sol. */
function value(text: string): bigint {
  const max = /^type\(uint(\d+)\)\.max$/.exec(text);
  if (max) return 2n ** BigInt(max[1] ?? "") - 1n;
  const shift = /^(\d+) << (\d+)$/.exec(text);
  if (shift) return BigInt(shift[1] ?? "") << BigInt(shift[2] ?? "");
  const power = /^(\d+)e(\d+)$/.exec(text);
  if (power) return BigInt(power[1] ?? "") * 10n ** BigInt(power[2] ?? "");
  return BigInt(text.replaceAll("_", ""));
}
