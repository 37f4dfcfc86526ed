import { DrmpError, type DrmpErrorOptions } from "@verai/errors/drmp-error";

/**
 * Why a command cannot do what it was asked for, as a stable code:
 *
 * - `OPTION_MISSING`: an option that the command needs was left out
 * - `OPTION_INVALID`: an option's value cannot be used, or not with another one
 * - `NOT_FOUND`: the chain has no node, task, lease, round or class of the id or name that was given
 * - `NOT_YET`: there is nothing to show yet; the same command may have more to say later
 * - `FILE_UNUSABLE`: a file cannot be read or written, is there already, or does not hold what it should
 * - `NETWORK_UNUSABLE`: the network that was named cannot do this
 * - `ACCOUNT_MISSING`: the network has no such account, or none at all
 * - `VARIABLE_MISSING`: an environment variable is not set
 * - `CONFIRMATION_MISSING`: nobody is there to say yes
 * - `UNEXPECTED`: a mistake in this program
 */
export type CommandErrorCode =
  | "OPTION_MISSING"
  | "OPTION_INVALID"
  | "NOT_FOUND"
  | "NOT_YET"
  | "FILE_UNUSABLE"
  | "NETWORK_UNUSABLE"
  | "ACCOUNT_MISSING"
  | "VARIABLE_MISSING"
  | "CONFIRMATION_MISSING"
  | "UNEXPECTED";

/** An error of a command. The message names the value and the remedy. */
export class CommandError extends DrmpError {
  override readonly name = "CommandError";
  declare readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options: Pick<DrmpErrorOptions, "cause"> = {}) {
    super(code, message, { ...options, retryable: code === "NOT_YET" });
  }
}
