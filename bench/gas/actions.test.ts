import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { actionCosts } from "./actions.ts";

const PRICES = { baseFee: 10n ** 9n, blobBaseFee: 62_500_000n, baseFeeScalar: 2269n, blobBaseFeeScalar: 1_055_762n };

test("each action costs its snapshot's gas and the L1 fee of its bytes", async () => {
  const costs = await actionCosts(5_000_000n, PRICES);
  for (const { name, gas, bytes, l1Fee, total } of costs) {
    assert.ok(gas > 21_000 && gas < 2 ** 24, name);
    assert.ok(bytes > 100, name);
    assert.equal(total, BigInt(gas) * 5_000_000n + l1Fee);
  }
  const feeOf = (name: string) => costs.find((each) => each.name === name)?.l1Fee ?? 0n;
  assert.ok(feeOf("100 reports in a batch") > 50n * feeOf("drain"), "bytes that do not compress are paid for");
  assert.ok(feeOf("checkpoint with 3 receipts") > feeOf("checkpoint with 1 receipt"));
});

test("the documented gas of each action is that of the committed snapshots", async () => {
  const text = readFileSync(new URL("../../docs/reference/benchmarks.md", import.meta.url), "utf8");
  const stale = (await actionCosts(5_000_000n, PRICES))
    .filter(({ name, gas }) => !text.includes(`| ${name} | ${gas.toLocaleString("en")} |`))
    .map(({ name }) => name);
  assert.deepEqual(stale, [], "npm run bench:gas -- --write");
});
