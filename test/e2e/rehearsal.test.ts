import assert from "node:assert/strict";
import { test } from "node:test";

import { runScript } from "../support/script.ts";

interface Outcome {
  readonly node: string;
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

for (const [node, least] of [
  ["hardhat", 8],
  ["anvil", 8],
] as const) {
  test(`BASE Sepolia, rehearsed on ${node}`, { timeout: 900_000 }, async (context) => {
    if (node === "anvil" && `${process.platform}-${process.arch}` !== "linux-x64") {
      context.skip("anvil is locked for Linux x64 only");
      return;
    }
    const outcome = await runScript<Outcome>(context, "scripts/rehearse.ts", "--node", node, "--json");
    assert.equal(outcome.node, node);
    assert.ok(outcome.checks.length >= least);
    assert.deepEqual(
      outcome.checks.filter(({ ok }) => !ok),
      [],
    );
  });
}
