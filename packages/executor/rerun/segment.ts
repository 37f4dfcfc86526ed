import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { listCheckpoints } from "../checkpoints.ts";
import { DONE_STEP, segmentLeaves } from "../trace/segment.ts";
import { linkTree } from "../snapshot.ts";
import { digestOf, doneCid } from "../trace/state.ts";
import type { TraceEntry } from "../trace/trace-file.ts";
import { tracedRun, type TracedRunOptions } from "./traced-run.ts";

/** A part of a unit's work that is done again. */
export interface SegmentOptions extends Omit<TracedRunOptions, "run" | "onEntry"> {
  readonly run: Omit<TracedRunOptions["run"], "stopAt">;
  /**
   * The state before, as it is stored: a directory `unit-<index>` of a posted checkpoint, opened if it was sealed. Undefined: the
   * segment begins from the spec.
   */
  readonly before: string | undefined;
  /** Step at which it ends; {@link DONE_STEP}: where the unit is done. */
  readonly end: number;
  /** Milliseconds that it may take altogether. */
  readonly timeoutMs: number;
}

/**
 * What came of it:
 *
 * - `states`: the states that the segment passes through, its end last. Equal for all who run a reproducible program
 * - `unusable`: the program comes to no such end from there: its state before is none, or it ends otherwise
 * - `failed`: it could not be run to its end here, which says nothing of the segment
 */
export type SegmentOutcome =
  | {
      readonly kind: "states";
      readonly from: number;
      readonly leaves: readonly TraceEntry[];
      readonly cpuSeconds: number;
    }
  | { readonly kind: "unusable" | "failed"; readonly why: string };

/** Ends that are this machine's, or its engine's, and not the program's. */
const OWN_ENDS: ReadonlySet<string> = new Set(["timeout", "killed", "unstarted", "evicted", "lost"]);

/**
 * Runs a segment of a unit again, in the same kind of executor and with the same limits as its node did: from the state before to its
 * end, taking note of each state at a multiple of the spec's `checkpoint.everySteps`. O(work of the segment), bounded by `timeoutMs`.
 *
 * @throws what is this machine's trouble, such as a full disk; the signal's reason. Its folder may be removed then, or used again.
 */
export async function rerunSegment(options: SegmentOptions): Promise<SegmentOutcome> {
  const { run, before, end, timeoutMs, signal } = options;
  const every = run.spec.checkpoint.everySteps;
  if (every === undefined) return { kind: "unusable", why: "its spec has no checkpoint.everySteps" };
  const placed = before === undefined ? { from: 0 } : await place(before, run.folder.checkpoint);
  if (typeof placed === "string") return { kind: "unusable", why: placed };
  const { from } = placed;
  if (end <= from) return { kind: "unusable", why: `it ends at step ${end}, not after its beginning at step ${from}` };
  const limit = AbortSignal.timeout(timeoutMs);
  let result;
  try {
    result = await tracedRun({
      ...options,
      run: end === DONE_STEP ? run : { ...run, stopAt: end },
      signal: AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    return { kind: "failed", why: `it took longer than ${timeoutMs / 1000} s` };
  }
  const { exit, entries } = result;
  if (OWN_ENDS.has(exit.reason)) return { kind: "failed", why: exit.detail };
  const last = end === DONE_STEP ? await doneState(options, exit.reason) : entries.find(({ step }) => step === end);
  if (!last || (end !== DONE_STEP && exit.reason !== "drained")) {
    return {
      kind: "unusable",
      why: `it ended as ${exit.reason} (${exit.detail}), after step ${entries.at(-1)?.step ?? from}`,
    };
  }
  const found = segmentLeaves(entries, { from, every, end: last });
  if ("missing" in found) return { kind: "unusable", why: `it wrote no checkpoint after step ${found.missing}` };
  return { kind: "states", from, leaves: found.leaves, cpuSeconds: exit.cpuSeconds };
}

async function doneState({ run: { folder }, seal }: SegmentOptions, reason: string): Promise<TraceEntry | undefined> {
  if (reason !== "done") return undefined;
  return { step: DONE_STEP, digest: digestOf(await doneCid(folder.output, join(folder.root, "state.tmp"), { seal })) };
}

/** Puts the state before where the program finds it. @returns Its step, or why it is none. */
async function place(before: string, directory: string): Promise<{ from: number } | string> {
  const stored = join(before, "checkpoint");
  const [state, ...more] = await listCheckpoints(stored);
  if (!state) return "the state before has no checkpoint";
  if (more.length > 0 || (await readdir(stored)).length > 1) return "the state before has more than one checkpoint";
  await mkdir(directory, { recursive: true });
  const draft = join(directory, `${state.name}.tmp`);
  await rm(draft, { recursive: true, force: true });
  await linkTree(state.path, draft);
  await rm(join(directory, state.name), { recursive: true, force: true });
  await rename(draft, join(directory, state.name));
  return { from: state.number };
}
