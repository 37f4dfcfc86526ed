import type { Checkpoint, Task } from "@verai/client/entities";
import { DrmpError } from "@verai/errors/drmp-error";
import type { Sealing } from "../lease/sealing.ts";
import type { PostedUnit } from "../lease/bundle.ts";
import type { ChainLease } from "../lease/lease-plan.ts";
import type { LeaseFolder } from "../lease/workspace.ts";
import type { Posted, PostedSegments } from "./posted-segments.ts";
import { type ProducerTraces, segmentTrace } from "./producer-traces.ts";

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

/** A checkpoint that is about to be posted. */
export interface TracedPost extends Pick<Posted, "cid" | "digest" | "codec" | "size" | "progress"> {
  readonly task: Task;
  readonly lease: ChainLease;
  readonly folder: LeaseFolder;
  readonly units: readonly PostedUnit[];
  /** The newest checkpoint that the chain has of the lease. */
  readonly newest: Checkpoint | undefined;
}

/**
 * Makes what an audited task's checkpoints are posted with: the trace root, whose states and paths are kept before it is sent, so that
 * an agent that is killed anywhere can open whatever has landed.
 */
export class SegmentPosts {
  readonly #parts: SegmentPostsParts;

  constructor(parts: SegmentPostsParts) {
    this.#parts = parts;
  }

  /**
   * The trace root of the segment that a checkpoint ends, kept durably with its trace. O(trace).
   *
   * @throws UntraceableError
   */
  async root(post: TracedPost, signal: AbortSignal): Promise<string> {
    const { traces, posted, sealing } = this.#parts;
    const { task, lease, folder, units, newest, cid, digest, codec, size, progress } = post;
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
    await traces.save(made.root, { ...made.segment, digest });
    const sequence = (newest?.sequence ?? 0) + 1;
    await posted.add(lease.id, { sequence, cid, digest, codec, size, progress, root: made.root });
    return made.root;
  }
}

function isSame({ sequence, digest }: Posted, newest: Checkpoint): boolean {
  return sequence === newest.sequence && digest === newest.digest;
}
