import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test, type TestContext } from "node:test";

import { ROOT } from "../../scripts/demo/processes.ts";

interface Outcome {
  readonly node: string;
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

for (const [node, least] of [
  ["hardhat", 7],
  ["anvil", 7],
] as const) {
  test(`BASE Sepolia, rehearsed on ${node}`, { timeout: 900_000 }, async (context) => {
    if (node === "anvil" && `${process.platform}-${process.arch}` !== "linux-x64") {
      context.skip("anvil is locked for Linux x64 only");
      return;
    }
    const outcome = await rehearse(context, node);
    assert.equal(outcome.node, node);
    assert.ok(outcome.checks.length >= least);
    assert.deepEqual(
      outcome.checks.filter(({ ok }) => !ok),
      [],
    );
  });
}

async function rehearse(context: TestContext, node: string): Promise<Outcome> {
  const child = spawn(process.execPath, ["scripts/rehearse.ts", "--node", node, "--json"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  context.after(() => child.kill("SIGTERM"));
  let [out, said] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, `${out}\n${said}`);
  return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as Outcome;
}
