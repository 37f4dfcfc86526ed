import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { linesOf, parseLocal } from "./verify.ts";

const DRMP = join(import.meta.dirname, "..", "drmp.ts");
const EXAMPLE = join(import.meta.dirname, "../../docs/examples/digits.json");

test("the command says what it found, with an exit code that scripts can act on", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "verify-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const spec = JSON.parse(await readFile(EXAMPLE, "utf8")) as Record<string, unknown>;
  const verify = async (name: string, changes: object) => {
    const path = join(root, `${name}.json`);
    await writeFile(path, JSON.stringify({ ...spec, ...changes }));
    const args = ["task", "verify", "--spec", path, "--units", "3", "--json", "--work", join(root, name)];
    const { status, stdout, stderr } = spawnSync(process.execPath, [DRMP, ...args], { encoding: "utf8" });
    return {
      status,
      stderr,
      result: JSON.parse(stdout) as { reproducible?: boolean; finding?: object; error?: { code: string } },
    };
  };
  const small = { args: ["--epochs", "2", "--train", "400", "--test", "100"] };
  const good = await verify("good", { ...small, checkpoint: { intervalSeconds: 60, everySteps: 8 } });
  assert.deepEqual([good.status, good.result.reproducible], [0, true], good.stderr);
  // Told to leave by SIGTERM, the second run also writes a checkpoint wherever it is, even after step 24.
  const said = /first run: step 8, \d+ %\n[^]*second run: step 24, 92 %\n[^]*Reproducible: 3 states and the output/;
  assert.match(good.stderr, said);
  const few = await verify("few", { ...small, checkpoint: { intervalSeconds: 60, everySteps: 100 } });
  assert.deepEqual([few.status, few.result.finding], [1, { kind: "few" }]);
  const without = await verify("without", { checkpoint: { intervalSeconds: 60 } });
  assert.deepEqual([without.status, without.result.error?.code], [1, "SPEC_INVALID"]);
});

test("each finding is a sentence that says where the runs part, or what the program has to do", () => {
  const report = { reproducible: false, compared: 1, drained: false };
  const said = (finding: Parameters<typeof linesOf>[0]["finding"]) =>
    linesOf({ ...report, ...(finding && { finding }) })[0];
  const difference = { path: "weights.bin", kind: "content", offset: 64, one: "3f80", other: "" } as const;
  assert.equal(
    said({ kind: "state", step: 50, difference }),
    "Not reproducible: after step 50 weights.bin differs from byte 64 on: 3f80 and its end.",
  );
  assert.match(
    said({ kind: "state", step: 50, difference: undefined }) ?? "",
    /after step 50 differ. To see where, keep more of them/,
  );
  assert.match(
    said({ kind: "output", difference: { path: "a", kind: "kind", one: "file", other: "nothing" } }) ?? "",
    /output a is file in one run and nothing/,
  );
  assert.match(
    said({ kind: "stop", step: 10, stoppedAt: 12, detail: "exit code 0" }) ?? "",
    /stop at step 10 .* left step 12 \(exit code 0\)/,
  );
  assert.match(
    said({ kind: "skipped", run: "second", step: 12 }) ?? "",
    /second run wrote no checkpoint after step 12/,
  );
});

test("inputs are named by their place", () => {
  assert.deepEqual(
    [...parseLocal("data=./a.csv, code=src")],
    [
      ["data", "./a.csv"],
      ["code", "src"],
    ],
  );
  assert.throws(() => parseLocal("data"), /--local data names no file/);
  assert.throws(() => parseLocal("../x=a"), /has a part/);
});
