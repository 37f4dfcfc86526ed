import { join } from "node:path";

import { z } from "zod";

import { newestCheckpoint } from "@verai/executor/checkpoints";
import type { UnitFolder } from "@verai/executor/executor";
import type { Seal } from "@verai/executor/sealed/seal";
import { treeBudget } from "@verai/executor/snapshot";
import { LocalCheckpoints, type TraceLog } from "@verai/executor/trace/local-checkpoints";
import { TraceFile } from "@verai/executor/trace/trace-file";
import { loadState, saveState, type StateKind } from "@verai/system/state-file";

/** Where the digests of a unit's local checkpoints are kept. */
export function tracePath({ root }: Pick<UnitFolder, "root">): string {
  return join(root, "trace");
}

const BEGAN = {
  what: "beginning of a unit's trace",
  version: 1,
  schema: z.object({ step: z.number().int().nonnegative() }),
} satisfies StateKind<z.ZodType>;

/** Step at which a unit began under its lease: 0, or where it was restored. Undefined: it was not run under it yet. */
export async function beganAt({ root }: Pick<UnitFolder, "root">): Promise<number | undefined> {
  return (await loadState(join(root, "began.json"), BEGAN))?.step;
}

/** How a unit's states are taken note of. */
export interface TracingOptions {
  /** Of a confidential task. */
  readonly seal: Seal | undefined;
  /** Bound on the bytes of one state. */
  readonly maxBytes: number;
  readonly log: TraceLog;
}

/** Begins to take note of a unit's local checkpoints. Goes on where an earlier life of the agent ended. */
export async function traceUnit(unit: UnitFolder, { seal, maxBytes, log }: TracingOptions): Promise<LocalCheckpoints> {
  if ((await beganAt(unit)) === undefined) {
    const step = (await newestCheckpoint(unit.checkpoint))?.number ?? 0;
    await saveState(join(unit.root, "began.json"), BEGAN, { step });
  }
  return LocalCheckpoints.start({
    directory: unit.checkpoint,
    scratch: join(unit.root, "state.tmp"),
    trace: await TraceFile.open(tracePath(unit)),
    budget: treeBudget(maxBytes),
    seal,
    log,
  });
}
