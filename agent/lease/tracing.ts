import { join } from "node:path";

import type { UnitFolder } from "@verai/executor/executor";
import type { Seal } from "@verai/executor/sealed/seal";
import { treeBudget } from "@verai/executor/snapshot";
import { LocalCheckpoints, type TraceLog } from "@verai/executor/trace/local-checkpoints";
import { TraceFile } from "@verai/executor/trace/trace-file";

/** Where the digests of a unit's local checkpoints are kept. */
export function tracePath({ root }: Pick<UnitFolder, "root">): string {
  return join(root, "trace");
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
  return LocalCheckpoints.start({
    directory: unit.checkpoint,
    scratch: join(unit.root, "state.tmp"),
    trace: await TraceFile.open(tracePath(unit)),
    budget: treeBudget(maxBytes),
    seal,
    log,
  });
}
