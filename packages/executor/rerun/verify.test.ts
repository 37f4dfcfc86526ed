import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ProcessExecutor } from "../process.ts";
import type { TaskSpecInput } from "../spec.ts";
import { temporaryDirectory, testSpec } from "../testing.ts";
import { builtInTrainers } from "../trainers/registry.ts";
import { OUTPUTS } from "../trainers/digits/result.ts";
import { verifyUnit, type VerifyReport } from "./verify.ts";

const counts = { entry: fileURLToPath(new URL("../testdata/counts.ts", import.meta.url)), readable: [] };
const executor = new ProcessExecutor({ trainers: new Map([...builtInTrainers, ["counts", counts]]) });

async function verify(
  context: TestContext,
  changes: Partial<TaskSpecInput>,
  keepBytes = Infinity,
): Promise<VerifyReport> {
  const root = await temporaryDirectory(context);
  return verifyUnit({
    executor,
    spec: testSpec({ trainer: "counts", checkpoint: { intervalSeconds: 60, everySteps: 4 }, ...changes }),
    unitIndex: 1,
    unitCount: 2,
    root,
    placeInputs: async (directory) => void (await mkdir(directory, { recursive: true })),
    keepBytes,
    log: { warn: () => undefined },
    signal: AbortSignal.any([]),
  });
}

test("the trainer digits is reproducible, and so is a program of six lines", async (context) => {
  const digits = await verify(context, {
    trainer: "digits",
    args: ["--epochs", "2", "--train", "400", "--test", "100"],
    checkpoint: { intervalSeconds: 60, everySteps: 5 },
    outputs: [...OUTPUTS],
  });
  assert.deepEqual(digits, { reproducible: true, compared: 5, stoppedAt: 13, drained: digits.drained });
  const counts = await verify(context, { args: ["honest"] });
  assert.deepEqual([counts.reproducible, counts.compared, counts.stoppedAt], [true, 5, 10]);
});

const faults: [what: string, kind: string, told: RegExp][] = [
  [
    "clock",
    "state",
    /"step":4,"difference":\{"path":"checkpoint-000000004\/state.json","kind":"content","offset":\d+,/,
  ],
  ["forgetful", "state", /"step":12,.*"offset":7,/],
  ["output", "output", /"path":"result.json","kind":"content","offset":\d+,/],
  ["skips", "skipped", /"run":"first","step":12/],
  ["silent", "few", /few/],
  ["overruns", "stop", /"step":10,"stoppedAt":12/],
  ["fails", "ended", /"run":"first","detail":"exit code 3"/],
];
for (const [what, kind, told] of faults) {
  test(`the fault "${what}" is found, with where the runs part`, async (context) => {
    const report = await verify(context, { args: [what] });
    assert.equal(report.reproducible, false);
    assert.equal(report.finding?.kind, kind, JSON.stringify(report));
    assert.match(JSON.stringify(report.finding), told);
  });
}

test("what was not kept is said to differ, without where", async (context) => {
  const report = await verify(context, { args: ["clock"] }, 0);
  assert.deepEqual(report.finding, { kind: "state", step: 4, difference: undefined });
});

test("without steps, or where the executor does not run it, nothing is run", async (context) => {
  await assert.rejects(verify(context, { checkpoint: { intervalSeconds: 60 } }), { code: "SPEC_INVALID" });
  await assert.rejects(verify(context, { trainer: "unknown" }), { code: "REFUSED" });
});
