import { checkOutputs } from "../outputs.ts";
import type { UnitExit, UnitRun } from "./executor.ts";

/** Exit code of a program that was told to stop and did. */
const DRAINED = 143;

/** What brought a unit's end about, if the executor or a limit did. */
export type Cause = "timeout" | "memory" | "disk" | "kill" | "evicted";

/** A unit's end as its engine shows it. */
export interface RawExit {
  /** Exit code; 128 + its number after a signal. */
  readonly code: number;
  readonly signal?: NodeJS.Signals;
  readonly cause?: Cause | undefined;
  /** It outlived the grace that it got after SIGTERM. */
  readonly graceOver: boolean;
  readonly cpuSeconds: number;
  /** Bound on its disk space, MiB: for the remedy. */
  readonly diskMiB?: number | undefined;
}

/**
 * What a unit's end means by the workload contract, for all engines alike: exit code 0 counts whatever was under way
 * meanwhile, if the outputs are there; 143 is drained, unless the executor had another reason to stop it.
 */
export async function judgeExit({ spec, folder }: Pick<UnitRun, "spec" | "folder">, raw: RawExit): Promise<UnitExit> {
  const { code, signal, cause, cpuSeconds } = raw;
  const how = signal === undefined ? `exit code ${code}` : `ended by ${signal}`;
  const exit = (reason: UnitExit["reason"], detail: string): UnitExit => ({
    reason,
    code,
    ...(signal === undefined ? {} : { signal }),
    cpuSeconds,
    detail,
  });
  if (code === 0) {
    try {
      await checkOutputs(folder.output, spec.outputs);
      return exit("done", how);
    } catch (error) {
      return exit("failed", error instanceof Error ? error.message : String(error));
    }
  }
  switch (cause) {
    case "kill":
      return exit("killed", "killed by the agent");
    case "timeout":
      return exit(
        "timeout",
        `ran longer than ${spec.timeouts.unitSeconds} s: raise timeouts.unitSeconds, or make units smaller`,
      );
    case "memory":
      return exit("failed", `used more than ${spec.resources.memoryMiB} MiB: raise resources.memoryMiB`);
    case "disk":
      return exit(
        "failed",
        `used more than the ${raw.diskMiB ?? 0} MiB of disk that this node gives a unit: keep fewer or smaller ` +
          `checkpoints and outputs`,
      );
    case "evicted":
      return exit("killed", "its place was taken away by the cluster: it goes on from its last checkpoint elsewhere");
    case undefined:
      if (raw.graceOver) return exit("killed", "did not leave within the grace after SIGTERM");
      return exit(code === DRAINED ? "drained" : "failed", how);
  }
}
