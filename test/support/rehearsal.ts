import assert from "node:assert/strict";
import type { TestContext } from "node:test";

import { runScript } from "./script.ts";

interface Outcome {
  readonly node: string;
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

/** Rehearses BASE Sepolia on one of the nodes that simulate it; every check must be good. */
export async function rehearse(context: TestContext, node: "hardhat" | "anvil"): Promise<void> {
  const outcome = await runScript<Outcome>(context, "scripts/rehearse.ts", "--node", node, "--json");
  assert.equal(outcome.node, node);
  assert.ok(outcome.checks.length >= 8);
  assert.deepEqual(
    outcome.checks.filter(({ ok }) => !ok),
    [],
  );
}
