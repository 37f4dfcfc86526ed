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
    controller.abort(new ShutdownRequested(signal));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/** Reason of the abort that {@link shutdownSignal} raises. */
class ShutdownRequested extends Error {
  readonly code = "SHUTDOWN_REQUESTED";

  constructor(signal: NodeJS.Signals) {
    super(`${signal} received`);
    this.name = "ShutdownRequested";
  }
}
