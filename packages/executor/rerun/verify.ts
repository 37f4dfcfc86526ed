import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Checkpoint } from "../checkpoints.ts";
import { listCheckpoints } from "../checkpoints.ts";
import { isSystemError, WorkloadError } from "../errors.ts";
import type { Executor, RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { logTail } from "../log.ts";
import { linkTree, treeBudget } from "../snapshot.ts";
import type { TaskSpec } from "../spec.ts";
import type { TraceLog } from "../trace/local-checkpoints.ts";
import { DONE_STEP, segmentLeaves } from "../trace/segment.ts";
import type { TraceEntry } from "../trace/trace-file.ts";
import { type Difference, firstDifference } from "./difference.ts";
import { type TracedRun, tracedRun } from "./traced-run.ts";

/** Bytes of the log of a run that ended early. */
const LOG_BYTES = 2048;

/** Which of the runs: the one that is left alone, or the one that is interrupted. */
export type Which = "first" | "second";

/**
 * Why a program is not reproducible, or cannot be shown to be:
 *
 * - `ended`: a run did not end well; with the end of its log
 * - `few`: it wrote no local checkpoint that could be compared
 * - `skipped`: it wrote none after a step that is a multiple of `checkpoint.everySteps`
 * - `stop`: it did not stop at exactly the step of DRMP_STOP_AT, with its state written
 * - `state`, `output`: the runs part here. Without a difference, the first run's state was not kept
 */
export type Finding =
  | { readonly kind: "ended"; readonly run: Which; readonly detail: string; readonly log: string }
  | { readonly kind: "few" }
  | { readonly kind: "skipped"; readonly run: Which; readonly step: number }
  | { readonly kind: "stop"; readonly step: number; readonly stoppedAt: number | undefined; readonly detail: string }
  | { readonly kind: "state"; readonly step: number; readonly difference: Difference | undefined }
  | { readonly kind: "output"; readonly difference: Difference };

/** What was found. */
export interface VerifyReport {
  readonly reproducible: boolean;
  /** Local checkpoints that are the same in both runs. */
  readonly compared: number;
  /** Step at which the second run was stopped, to go on elsewhere. */
  readonly stoppedAt?: number;
  /** Whether it was also interrupted by SIGTERM while it ran. */
  readonly drained: boolean;
  readonly finding?: Finding;
}

/** What is verified, and with what. */
export interface VerifyOptions {
  readonly executor: Pick<Executor, "start" | "refusal">;
  readonly spec: TaskSpec;
  readonly unitIndex: number;
  readonly unitCount: number;
  /** An empty directory. */
  readonly root: string;
  /** Puts the spec's inputs into a directory. */
  readonly placeInputs: (directory: string) => Promise<void>;
  /** Bytes of the first run's states that are kept, to say what differs. */
  readonly keepBytes: number;
  readonly log: TraceLog;
  readonly signal: AbortSignal;
  /** Told of each local checkpoint. */
  readonly onCheckpoint?: (run: Which, checkpoint: Checkpoint) => void;
}

/** A state that differs ends the second run. */
class PartedError extends Error {
  readonly finding: Finding;
  constructor(finding: Finding) {
    super("the runs part");
    this.finding = finding;
  }
}

/**
 * Runs a unit twice in the same executor with the same limits, and compares the states at each local checkpoint and the outputs. The first run is left
 * alone; the second is stopped by DRMP_STOP_AT between two checkpoints, goes on in another directory as on another machine, and is told to leave by SIGTERM
 * once more. Takes twice the time of the unit, at most four times its spec's `timeouts.unitSeconds`.
 *
 * @throws WorkloadError `REFUSED` if the executor does not run it, `SPEC_INVALID` without `checkpoint.everySteps`, and as the executor does.
 */
export async function verifyUnit(options: VerifyOptions): Promise<VerifyReport> {
  const { executor, spec } = options;
  const refusal = executor.refusal(spec);
  if (refusal !== undefined) throw new WorkloadError("REFUSED", refusal);
  const every = spec.checkpoint.everySteps;
  if (every === undefined) {
    throw new WorkloadError(
      "SPEC_INVALID",
      "The spec has no checkpoint.everySteps: name the steps from one local checkpoint to the next.",
    );
  }
  const verification = new Verification(options, every);
  const finding = await verification.run();
  const { compared, stoppedAt, drained } = verification;
  const seen = { compared, drained, ...(stoppedAt === undefined ? {} : { stoppedAt }) };
  return finding === undefined ? { reproducible: true, ...seen } : { reproducible: false, ...seen, finding };
}

class Verification {
  stoppedAt: number | undefined;
  drained = false;
  readonly #options: VerifyOptions;
  readonly #every: number;
  readonly #kept: string;
  readonly #digests = new Map<number, string>();
  readonly #same = new Set<number>();

  constructor(options: VerifyOptions, every: number) {
    this.#options = options;
    this.#every = every;
    this.#kept = join(options.root, "kept");
  }

  get compared(): number {
    return this.#same.size;
  }

  async run(): Promise<Finding | undefined> {
    const first = await this.#first();
    if ("kind" in first) return first;
    try {
      return (await this.#second(first.steps)) ?? (await this.#outputs());
    } catch (error) {
      if (error instanceof PartedError) return error.finding;
      throw error;
    }
  }

  /** @returns The steps whose states are compared. */
  async #first(): Promise<Finding | { readonly steps: readonly number[] }> {
    const budget = treeBudget(this.#options.keepBytes);
    let keeping = true;
    const { exit, entries } = await this.#trace("first", "one", 1, {}, async ({ step }, checkpoint) => {
      if (!keeping || step % this.#every !== 0) return;
      keeping = await linkTree(checkpoint.path, join(this.#kept, checkpoint.name), budget).then(
        () => true,
        (error: unknown) => {
          // No longer within what may be kept; or no room for it.
          if (error instanceof WorkloadError || isSystemError(error, "ENOSPC")) return false;
          throw error;
        },
      );
    });
    if (exit.reason !== "done") return this.#ended("first", "one", exit.detail);
    const steps = stepsOf(entries, this.#every);
    if (typeof steps === "number") return { kind: "skipped", run: "first", step: steps };
    if (steps.length === 0) return { kind: "few" };
    for (const { step, digest } of entries) this.#digests.set(step, digest);
    return { steps };
  }

  async #second(steps: readonly number[]): Promise<Finding | undefined> {
    const middle = steps[Math.floor(steps.length / 2)] ?? this.#every;
    // Between two local checkpoints, where there is a step between.
    const stopAt = middle - Math.floor(this.#every / 2);
    const compare = this.#compare.bind(this);
    const begun = await this.#trace("second", "two", 1, { stopAt }, compare);
    const [newest] = await listCheckpoints(this.#folder("two").checkpoint);
    if (begun.exit.reason !== "drained" || newest?.number !== stopAt) {
      return { kind: "stop", step: stopAt, stoppedAt: newest?.number, detail: begun.exit.detail };
    }
    this.stoppedAt = stopAt;
    await linkTree(newest.path, join(this.#folder("three").checkpoint, newest.name));
    let exit: UnitExit | undefined;
    for (let attempt = 2; attempt <= 3 && exit?.reason !== "done"; attempt++) {
      if (exit && exit.reason !== "drained") break;
      const drain = attempt === 2;
      const part = await this.#trace("second", "three", attempt, {}, async (entry, checkpoint, running) => {
        await this.#compare(entry, checkpoint);
        if (!drain || entry.step <= stopAt || this.drained) return;
        this.drained = true;
        void running.drain(this.#options.spec.timeouts.graceSeconds);
      });
      exit = part.exit;
    }
    if (exit?.reason !== "done") return this.#ended("second", "three", exit?.detail ?? "");
    const missing = steps.find((step) => !this.#same.has(step));
    return missing === undefined ? undefined : { kind: "skipped", run: "second", step: missing };
  }

  async #compare({ step, digest }: TraceEntry, checkpoint: Checkpoint): Promise<void> {
    const expected = this.#digests.get(step);
    if (expected === undefined) return;
    if (expected === digest) {
      this.#same.add(step);
      return;
    }
    const difference = await firstDifference(join(this.#kept, checkpoint.name), checkpoint.path, checkpoint.name);
    const isKept = difference?.one !== "nothing";
    throw new PartedError({ kind: "state", step, difference: isKept ? difference : undefined });
  }

  async #ended(run: Which, name: string, detail: string): Promise<Finding> {
    return { kind: "ended", run, detail, log: await logTail(this.#folder(name).log, LOG_BYTES) };
  }

  async #outputs(): Promise<Finding | undefined> {
    const difference = await firstDifference(this.#folder("one").output, this.#folder("three").output);
    return difference && { kind: "output", difference };
  }

  async #trace(
    which: Which,
    name: string,
    attempt: number,
    { stopAt }: { readonly stopAt?: number },
    onEntry: (entry: TraceEntry, checkpoint: Checkpoint, running: RunningUnit) => Promise<void>,
  ): Promise<TracedRun> {
    const { executor, spec, unitIndex, unitCount, placeInputs, log, signal, onCheckpoint } = this.#options;
    const folder = this.#folder(name);
    if (!existsSync(folder.input)) await placeInputs(folder.input);
    const run: UnitRun = {
      ...{ leaseId: attempt, leaseStart: unitIndex, leaseUnits: 1, taskId: 0, unitIndex, unitCount, attempt },
      ...(stopAt === undefined ? {} : { stopAt }),
      spec,
      folder,
    };
    const parted = new AbortController();
    return tracedRun({
      ...{ executor, run, log },
      signal: AbortSignal.any([signal, parted.signal]),
      onEntry: async (entry, checkpoint, running) => {
        onCheckpoint?.(which, checkpoint);
        await onEntry(entry, checkpoint, running).catch((error: unknown) => {
          if (!(error instanceof PartedError)) throw error;
          parted.abort(error);
        });
      },
    });
  }

  #folder(name: string): UnitRun["folder"] {
    const root = join(this.#options.root, name, `unit-${this.#options.unitIndex}`);
    return {
      root,
      checkpoint: join(root, "checkpoint"),
      input: join(root, "input"),
      output: join(root, "output"),
      exchange: join(root, "exchange"),
      log: join(root, "unit.log"),
    };
  }
}

/** Steps of the local checkpoints to compare, or the first that is missing. */
function stepsOf(entries: readonly TraceEntry[], every: number): readonly number[] | number {
  const found = segmentLeaves(entries, { from: 0, every, end: { step: DONE_STEP, digest: "" } });
  if ("missing" in found) return found.missing;
  return found.leaves.slice(0, -1).map(({ step }) => step);
}
