/** What tests of executors and trainers share. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { parseSpec, specBytes, type TaskSpec, type TaskSpecInput } from "./spec.ts";
import type { UnitRun } from "./executor.ts";
import type { TrainerProgram } from "./process.ts";

/** A trainer that does what its first argument says. */
export const misbehaving: ReadonlyMap<string, TrainerProgram> = new Map([
  ["misbehaves", { entry: fileURLToPath(new URL("testdata/misbehaves.ts", import.meta.url)), readable: [] }],
]);

/** A valid spec with some fields changed. */
export function testSpec(changes: Partial<TaskSpecInput>): TaskSpec {
  return parseSpec(
    specBytes({
      version: 1,
      name: "test",
      trainer: "misbehaves",
      resources: { cpus: 1, memoryMiB: 256 },
      checkpoint: { intervalSeconds: 1 },
      outputs: ["result.json"],
      timeouts: { unitSeconds: 60, graceSeconds: 1 },
      ...changes,
    }),
  );
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(context: { after(action: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "unit-"));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A run of unit 0 with all its directories below a root. */
export function testUnit(root: string, spec: TaskSpec, changes: Partial<UnitRun> = {}): UnitRun {
  return {
    leaseId: 1,
    leaseStart: 0,
    leaseUnits: 1,
    taskId: 1,
    unitIndex: 0,
    unitCount: 1,
    attempt: 1,
    spec,
    folder: {
      root,
      checkpoint: join(root, "checkpoint"),
      input: join(root, "input"),
      output: join(root, "output"),
      exchange: join(root, "exchange"),
      log: join(root, "unit.log"),
    },
    ...changes,
  };
}

/** Waits until a condition holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 300): Promise<void> {
  for (const end = performance.now() + seconds * 1000; !(await holds()); await sleep(10)) {
    if (performance.now() > end) throw new Error(`Not within ${seconds} s: ${what}`);
  }
}
