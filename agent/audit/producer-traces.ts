import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { checkpointName } from "@verai/executor/checkpoints";
import type { Seal } from "@verai/executor/sealed/seal";
import { segmentLeaves, DONE_STEP } from "@verai/executor/trace/segment";
import { digestOf, doneCid, stateCid } from "@verai/executor/trace/state";
import { readTrace } from "@verai/executor/trace/trace-file";
import { probeAt, unitAt } from "@verai/protocol/audits/draws";
import { openTrace, type ProvedOpening, type TraceLeaf, traceRoot, type UnitTrace } from "@verai/protocol/audits/trace";
import { loadState, saveState, type StateKind, type StateLog } from "@verai/system/state-file";
import type { PostedUnit } from "../lease/bundle.ts";
import { beganAt, tracePath } from "../lease/tracing.ts";
import type { LeaseFolder } from "../lease/workspace.ts";

const leaf = z.object({ step: z.number().int().nonnegative(), digest: z.string().regex(/^0x[0-9a-f]{64}$/) });

const SEGMENT = {
  what: "trace of a posted segment",
  version: 1,
  maxBytes: 256 * 2 ** 20,
  schema: z.object({
    /** sha2-256 digest of the checkpoint that was posted. */
    digest: z.string(),
    units: z.array(z.object({ unit: z.number().int().nonnegative(), leaves: z.array(leaf).min(1) })).min(1),
    /** State of every unit in the posted checkpoint, also of those that had not changed. */
    ends: z.array(leaf.extend({ unit: z.number().int().nonnegative() })),
  }),
} satisfies StateKind<z.ZodType>;

/** A segment that this node posts or has posted. */
export type PostedSegment = Readonly<z.output<(typeof SEGMENT)["schema"]>>;

/** What is to be posted with a checkpoint, or the reason why it cannot be audited. */
export type SegmentTrace =
  | { readonly root: string; readonly segment: Omit<PostedSegment, "digest"> }
  | { readonly incomplete: string };

/**
 * The trace of the segment that a checkpoint ends: for each unit whose state changed, its states at the multiples of `everySteps`
 * since the checkpoint before, and the one that is posted. O(trace).
 *
 * @param before The segment that the checkpoint before ended; undefined for the lease's first.
 */
export async function segmentTrace(
  folder: LeaseFolder,
  posted: readonly PostedUnit[],
  before: PostedSegment | undefined,
  everySteps: number,
  seal?: Seal,
): Promise<SegmentTrace> {
  const units: UnitTrace[] = [];
  const ends: (TraceLeaf & { readonly unit: number })[] = [];
  for (const { unit, step } of posted.toSorted((a, b) => a.unit - b.unit)) {
    const at = await folder.unit(unit);
    const entries = await readTrace(tracePath(at));
    const began = await beganAt(at);
    const scratch = join(at.root, "posted.tmp");
    let digest = entries.find((entry) => entry.step === step)?.digest;
    if (step === DONE_STEP) digest = digestOf(await doneCid(at.output, scratch, { seal }));
    else if (began === undefined) {
      const name = checkpointName(step);
      digest = digestOf(await stateCid({ name, path: join(at.checkpoint, name) }, scratch, { seal }));
    }
    if (digest === undefined) return { incomplete: `unit ${String(unit)} has no digest of step ${String(step)}` };
    const end = { step, digest };
    ends.push({ unit, ...end });
    const was = before?.ends.find((each) => each.unit === unit);
    // Restored, and not run yet under this lease: as it was.
    if (began === undefined) continue;
    const from = was?.step ?? began;
    const known = was?.digest ?? entries.find((entry) => entry.step === from)?.digest;
    if (known === digest) continue;
    const found = segmentLeaves(entries, { from, every: everySteps, end });
    if ("missing" in found) {
      return { incomplete: `unit ${String(unit)} has no digest of step ${String(found.missing)}` };
    }
    units.push({ unit, leaves: found.leaves });
  }
  if (units.length === 0) return { incomplete: "no unit's state has changed" };
  return {
    root: traceRoot(units),
    segment: { units: units.map((each) => ({ ...each, leaves: [...each.leaves] })), ends },
  };
}

/**
 * The traces of what this node has posted, on disk, by their roots: what it opens when an audit asks. They outlive their leases. A trace is saved
 * before it is posted, so that none is missing whenever the process ends.
 */
export class ProducerTraces {
  readonly #directory: string;
  readonly #log: StateLog | undefined;

  constructor(directory: string, log?: StateLog) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Keeps a segment's trace durably. */
  async save(root: string, segment: PostedSegment): Promise<void> {
    await saveState(this.#path(root), SEGMENT, segment);
  }

  /** A segment by its trace root; undefined if it is not, or no longer, here. */
  async find(root: string): Promise<PostedSegment | undefined> {
    return /^0x[0-9a-f]{64}$/.test(root) ? loadState(this.#path(root), SEGMENT, this.#log) : undefined;
  }

  /**
   * Opens a posted segment at the leaf that a question draws.
   *
   * @returns undefined if its trace is not here.
   */
  async open(root: string, salt: string, question: number): Promise<ProvedOpening | undefined> {
    const segment = await this.find(root);
    if (!segment) return undefined;
    const place = unitAt(salt, segment.units.length);
    return openTrace(segment.units, place, probeAt(salt, question, segment.units[place]?.leaves.length ?? 0));
  }

  /** Deletes a trace. */
  async remove(root: string): Promise<void> {
    await rm(this.#path(root), { force: true });
  }

  /**
   * Deletes traces that were saved longer ago than audits can ask for. O(traces).
   *
   * @param now Milliseconds since 1970, as files' times are.
   * @returns how many.
   */
  async prune(seconds: number, now: number): Promise<number> {
    const names = await readdir(this.#directory).catch(() => []);
    let pruned = 0;
    for (const name of names) {
      const path = join(this.#directory, name);
      const { mtimeMs } = await stat(path);
      if (now - mtimeMs <= seconds * 1000) continue;
      await rm(path, { force: true });
      pruned += 1;
    }
    return pruned;
  }

  #path(root: string): string {
    return join(this.#directory, `${root}.json`);
  }
}
