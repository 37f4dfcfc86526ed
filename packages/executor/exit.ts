import { constants } from "node:os";

import { checkOutputs } from "./outputs.ts";
import type { UnitExit, UnitRun } from "./executor.ts";

/** MiB for a unit's log and /tmp in a cluster, where its spec does not say. */
export const EPHEMERAL_MIB = 256;

/** What shells and containers mean by some exit codes. */
const MEANINGS: Readonly<Record<number, string>> = {
  126: "its command could not be executed",
  127: "its command was not found",
};

/** What an exit code tells beside its number, in brackets; "" if nothing. */
function meaningOf(code: number): string {
  const known = MEANINGS[code];
  if (known !== undefined) return ` (${known})`;
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? "" : ` (${signal})`;
}

/** Exit code of a program that was told to stop and did. */
const DRAINED = 143;

/**
 * What brought a unit's end about, if it was not its program:
 *
 * - `timeout`, `memory`, `disk`, `storage`: a limit; `storage` that of its log and /tmp in a cluster
 * - `kill`: the agent
 * - `evicted`, `unstarted`, `lost`: see the reasons of the same names
 * - `unstartable`: its program or its spec cannot be started anywhere, such as a command that its image does not have
 */
export type Cause =
  | "timeout"
  | "memory"
  | "disk"
  | "storage"
  | "kill"
  | "evicted"
  | "unstarted"
  | "unstartable"
  | "lost";

/** A unit's end as its engine shows it. */
export interface RawExit {
  /** Exit code; 128 + its number after a signal. */
  readonly code: number;
  readonly signal?: NodeJS.Signals;
  readonly cause?: Cause | undefined;
  /** It outlived the grace that it got after SIGTERM. */
  readonly graceOver: boolean;
  readonly cpuSeconds: number;
  /** What the engine says about the cause, in its own words. */
  readonly why?: string | undefined;
}

/**
 * What a unit's end means by the workload contract, for all engines alike: exit code 0 counts whatever was under way
 * meanwhile, if the outputs exist; 143 is drained, unless the executor had another reason to stop it.
 */
export async function judgeExit({ spec, folder }: Pick<UnitRun, "spec" | "folder">, raw: RawExit): Promise<UnitExit> {
  const { code, signal, cause, cpuSeconds } = raw;
  const how = signal === undefined ? `exit code ${code}${meaningOf(code)}` : `ended by ${signal}`;
  const said = raw.why === undefined || raw.why === "" ? "" : ` (${raw.why})`;
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
        `used more disk than this node gives a unit${said}: keep fewer or smaller checkpoints and outputs, in fewer files`,
      );
    case "storage":
      return exit(
        "failed",
        `used more than ${spec.resources.ephemeralMiB ?? EPHEMERAL_MIB} MiB for its log and /tmp${said}: write less, or ` +
          `raise resources.ephemeralMiB`,
      );
    case "evicted":
      return exit("evicted", `its place was taken away${said}: it goes on from its last checkpoint`);
    case "unstarted":
      return exit("unstarted", `nothing of it ran${said}`);
    case "unstartable":
      return exit("failed", `it cannot be started${said}`);
    case "lost":
      return exit("lost", `its machine does not answer, and it may run there still${said}`);
    case undefined:
      if (raw.graceOver) return exit("killed", "did not leave within the grace after SIGTERM");
      return exit(code === DRAINED ? "drained" : "failed", how);
  }
}
