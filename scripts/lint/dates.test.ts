import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const OXLINT = join(ROOT, "node_modules", "oxlint", "bin", "oxlint");

test("the date is asked for only in files that have a reason", async (context) => {
  const folder = await mkdtemp(join(ROOT, "scripts", "lint", ".dates-"));
  context.after(() => rm(folder, { recursive: true }));
  const found = async (expression: string): Promise<number> => {
    await writeFile(join(folder, "part.ts"), `export const value: unknown = ${expression};\n`);
    const { stdout } = spawnSync(process.execPath, [OXLINT, "--format=unix", folder], { cwd: ROOT, encoding: "utf8" });
    return stdout.split("\n").filter((line) => line.includes("no-dates")).length;
  };
  for (const asked of ["Date.now()", 'Date["now"]()', "new Date()", "Date()", "performance.timeOrigin"]) {
    assert.equal(await found(asked), 1, asked);
  }
  for (const other of ["new Date(0)", "performance.now()", 'Date.parse("2026-01-01")']) {
    assert.equal(await found(other), 0, other);
  }
});
