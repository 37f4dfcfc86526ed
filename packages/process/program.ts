import { constants } from "node:os";

import { Command, InvalidArgumentError, Option } from "commander";

import { DrmpError, isRetryable } from "@verai/errors/drmp-error";

/** Exit codes of all programs; those above 1 are as in sysexits.h. */
export const EXIT = {
  done: 0,
  /** Something went wrong, or something that was checked does not hold. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 64,
  /** The same command may succeed later, for whatever restarts the process. */
  retry: 75,
} as const;

/**
 * A program's command line: `--help` and `--version` as usual; an unknown option or argument ends it with exit code 64.
 *
 * @param name Shown in the help, such as `keepers`.
 */
export function programOf(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .allowExcessArguments(false)
    .showHelpAfterError("(--help says how it is used)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage));
}

/** `--config <file>`, which must be given. */
export function configOption(): Option {
  return new Option("--config <file>", "configuration file (JSON)").makeOptionMandatory();
}

/** `--json`. */
export function jsonOption(description = "print one JSON object instead of text"): Option {
  return new Option("--json", description).default(false);
}

/** The value of an option that must be a whole number within bounds. */
export function wholeNumber(min = 0, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${String(min)} up` : `from ${String(min)} to ${String(max)}`;
    throw new InvalidArgumentError(`It must be a whole number ${bounds}.`);
  };
}

/**
 * Parses the command line and does what it asks for. What fails is one line on standard error and an exit code, see
 * {@link EXIT}.
 *
 * @param isTransient Whether an error beside the retryable ones may be gone at the next try.
 */
export async function runProgram(program: Command, isTransient = (_error: unknown): boolean => false): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error, isTransient);
  }
}

/** What an error says to people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The exit code of a program that failed with an error. */
export function exitCodeOf(error: unknown, isTransient = (_error: unknown): boolean => false): number {
  return isRetryable(error) || isTransient(error) ? EXIT.retry : EXIT.failed;
}

/**
 * One AbortSignal for a whole process, raised by SIGINT or SIGTERM.
 *
 * A second signal ends the process at once with exit code 130: somebody really wants it to stop.
 */
export function shutdownSignal(onSignal?: (signal: NodeJS.Signals) => void): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    onSignal?.(signal);
    controller.abort(new ShutdownError(signal));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/**
 * As {@link shutdownSignal}, for a program that is not meant to run until it is told to stop: its exit code then is the
 * usual 130 or 143. It has to end by `process.exit()`, without a code.
 *
 * @param say Told that it stops.
 */
export function interruptible(say: (text: string) => void): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      process.exitCode = 128 + constants.signals[name];
      if (controller.signal.aborted) process.exit();
      say(`${name}: stopping`);
      controller.abort(new ShutdownError(name));
    });
  }
  return controller.signal;
}

/** Reason of the abort when a process is told to stop. */
class ShutdownError extends DrmpError {
  override readonly name = "ShutdownError";

  constructor(signal: NodeJS.Signals) {
    super("SHUTDOWN_REQUESTED", `${signal} received`);
  }
}
