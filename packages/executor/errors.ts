import { DrmpError } from "@verai/errors/drmp-error";

/**
 * What can go wrong around a workload, as a stable code:
 *
 * - `SPEC_INVALID`: the task spec is no JSON, too large, or breaks a rule; the message lists every finding
 * - `ENVIRONMENT_INVALID`: a program was started without the `DRMP_*` variables of the workload contract
 * - `CHECKPOINT_INVALID`: a checkpoint cannot be written as asked
 * - `OUTPUT_INVALID`: a workload ended well, but left not what its spec promises
 * - `EXCHANGE_INVALID`: what units exchange is not as agreed, or cannot be had
 * - `SEAL_BROKEN`: sealed content was changed, or its key is another one
 * - `REFUSED`: this executor does not run such a spec
 * - `ALREADY_RUNNING`: the unit is already being run by this executor
 * - `LEFTOVER_ALIVE`: a process of an earlier run of the unit cannot be ended
 * - `START_FAILED`: the operating system or the engine would not start the workload
 * - `ENGINE_UNAVAILABLE`: the container engine or the cluster does not answer, or is not fit for strangers' programs
 * - `IMAGE_UNAVAILABLE`: an image cannot be had, or is larger than this node takes
 */
export type WorkloadErrorCode =
  | "SPEC_INVALID"
  | "ENVIRONMENT_INVALID"
  | "CHECKPOINT_INVALID"
  | "OUTPUT_INVALID"
  | "EXCHANGE_INVALID"
  | "SEAL_BROKEN"
  | "REFUSED"
  | "ALREADY_RUNNING"
  | "LEFTOVER_ALIVE"
  | "START_FAILED"
  | "ENGINE_UNAVAILABLE"
  | "IMAGE_UNAVAILABLE";

/** An error around a workload. The message names the offending value and the remedy. */
export class WorkloadError extends DrmpError {
  override readonly name = "WorkloadError";
  declare readonly code: WorkloadErrorCode;

  constructor(code: WorkloadErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Whether the error is a system error with this code, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
