import { constants } from "node:os";

/**
 * Lets a program tidy up when it is told to end (SIGINT, SIGTERM): sets the exit code to the usual 130 or 143 and raises
 * the signal that is returned. Who is told a second time ends at once; so do the processes that it started.
 *
 * The program then has to end by `process.exit()`, without a code.
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
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return controller.signal;
}
