import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Checkpoint } from "../checkpoints.ts";
import { makeDirectories } from "../inside.ts";
import type { Executor, RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { treeBudget } from "../snapshot.ts";
import { LocalCheckpoints, type TraceLog } from "../trace/local-checkpoints.ts";
import type { StateOptions } from "../trace/state.ts";
import { type TraceEntry, TraceFile } from "../trace/trace-file.ts";

/** How a unit is run again. */
export interface TracedRunOptions extends Pick<StateOptions, "seal"> {
  readonly executor: Pick<Executor, "start">;
  /** Its folder has the checkpoint that it goes on from, if any, and its inputs. */
  readonly run: UnitRun;
  readonly log: TraceLog;
  /** Bound on the bytes of one state. */
  readonly maxBytes?: number;
  /** Ends it early: killed. */
  readonly signal: AbortSignal;
  /** Told of each state while the program runs; it is waited for. */
  readonly onEntry?: (entry: TraceEntry, checkpoint: Checkpoint, running: RunningUnit) => Promise<void> | void;
}

/** What a unit did. */
export interface TracedRun {
  readonly exit: UnitExit;
  /** Its states, by growing step; that which it went on from is among them. */
  readonly entries: readonly TraceEntry[];
}

/**
 * Runs a unit in an executor, with the limits of its spec, and keeps the digest of each of its local checkpoints. The program's time is bounded
 * by the spec's `timeouts.unitSeconds`, and by the signal.
 *
 * @throws WorkloadError as {@link Executor.start} does; the signal's reason if it ended the run.
 */
export async function tracedRun(options: TracedRunOptions): Promise<TracedRun> {
  const { executor, run, log, seal, signal, maxBytes, onEntry } = options;
  const { folder } = run;
  await mkdir(folder.root, { recursive: true });
  await makeDirectories(folder, run.spec);
  const trace = await TraceFile.open(join(folder.root, "trace"));
  let running: RunningUnit | undefined;
  const local = await LocalCheckpoints.start({
    directory: folder.checkpoint,
    scratch: join(folder.root, "state.tmp"),
    trace,
    seal,
    log,
    budget: treeBudget(maxBytes),
    onEntry: async (entry, checkpoint) => {
      if (running) await onEntry?.(entry, checkpoint, running);
    },
  });
  try {
    signal.throwIfAborted();
    const started = (running = await executor.start(run));
    const end = () => void started.kill();
    signal.addEventListener("abort", end, { once: true });
    // Raised while it was being started.
    if (signal.aborted) end();
    const exit = await started.exited;
    signal.removeEventListener("abort", end);
    await local.stop();
    signal.throwIfAborted();
    return { exit, entries: trace.entries };
  } finally {
    await local.stop();
  }
}
