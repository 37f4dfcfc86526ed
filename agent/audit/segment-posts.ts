import type { Checkpoint, Task } from "@verai/client/entities";
import { DrmpError } from "@verai/errors/drmp-error";
import type { Sealing } from "../lease/sealing.ts";
import type { PostedUnit } from "../lease/bundle.ts";
import type { ChainLease } from "../lease/lease-plan.ts";
import type { LeaseFolder } from "../lease/workspace.ts";
import type { Posted, PostedSegments } from "./posted-segments.ts";
import { type PostedSegment, type ProducerTraces, segmentTrace } from "./producer-traces.ts";

/** Whether a task's segments are audited: then each checkpoint has a trace root. */
export function isAudited(task: Task): boolean {
  return task.auditChance > 0;
}

/** Time for a spec that has been here before, milliseconds. */
const SPEC_MS = 60_000;

/** A checkpoint of an audited task that cannot be posted, as nobody could open its trace. */
class UntraceableError extends DrmpError {
  override readonly name = "UntraceableError";

  constructor(leaseId: number, why: string) {
    super(
      "CHECKPOINT_UNTRACEABLE",
      `The checkpoint of lease ${String(leaseId)} is not posted, as an audit could not be answered: ${why}. If it stays so, the lease is given back.`,
      { retryable: true },
    );
  }
}

/** What the traces of posts are made with. */
export interface SegmentPostsParts {
  readonly traces: ProducerTraces;
  readonly posted: PostedSegments;
  readonly sealing: Pick<Sealing, "spec" | "seal">;
}

/** A checkpoint that is put together. */
export interface TracedWork {
  readonly task: Task;
  readonly lease: ChainLease;
  readonly folder: LeaseFolder;
  readonly units: readonly PostedUnit[];
  /** The newest checkpoint that the chain has of the lease. */
  readonly newest: Checkpoint | undefined;
}

/** The trace of a checkpoint that is put together. */
export interface MadeTrace {
  readonly root: string;
  readonly segment: Omit<PostedSegment, "digest">;
}

/** Where a checkpoint was stored. */
type Stored = Pick<Posted, "cid" | "digest" | "codec" | "size" | "progress">;

/**
 * Makes what an audited task's checkpoints are posted with: the trace, which is kept before its root is sent, so that
 * an agent that is killed anywhere can open whatever has landed.
 */
export class SegmentPosts {
  readonly #parts: SegmentPostsParts;

  constructor(parts: SegmentPostsParts) {
    this.#parts = parts;
  }

  /**
   * The trace of the segment that a checkpoint ends. O(trace).
   *
   * @throws UntraceableError
   */
  async trace({ task, lease, folder, units, newest }: TracedWork, signal: AbortSignal): Promise<MadeTrace> {
    const { traces, posted, sealing } = this.#parts;
    const spec = await sealing.spec(task, lease, SPEC_MS, signal, { taskId: task.id, lease: lease.id });
    const every = spec.checkpoint.everySteps;
    if (every === undefined) throw new UntraceableError(lease.id, "its spec has no checkpoint.everySteps");
    const seal = await sealing.seal(task, lease, signal);
    // When it landed says which epoch it belongs to, and only the newest checkpoint tells.
    await posted.update(lease.id, (segments) =>
      segments.map((each) =>
        newest && isSame(each, newest) && each.at === undefined ? { ...each, at: newest.at } : each,
      ),
    );
    const last = newest && (await posted.of(lease.id)).find((each) => isSame(each, newest));
    const before = last && (await traces.find(last.root));
    if (newest && !before) throw new UntraceableError(lease.id, "the trace of the one before is no longer here");
    const made = await segmentTrace(folder, units, before, every, seal);
    if ("incomplete" in made) throw new UntraceableError(lease.id, made.incomplete);
    return made;
  }

  /** Keeps a trace durably, with the checkpoint that is about to be posted. @returns its root */
  async keep({ root, segment }: MadeTrace, { lease, newest }: TracedWork, stored: Stored): Promise<string> {
    const { traces, posted } = this.#parts;
    await traces.save(root, { ...segment, digest: stored.digest });
    await posted.add(lease.id, { sequence: (newest?.sequence ?? 0) + 1, ...stored, root });
    return root;
  }
}

function isSame({ sequence, digest }: Posted, newest: Checkpoint): boolean {
  return sequence === newest.sequence && digest === newest.digest;
}
