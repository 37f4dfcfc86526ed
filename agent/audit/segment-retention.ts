import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { NO_HEAD, NO_LINK } from "@verai/protocol/audits/segments";
import { type AuditEpoch, epochOf, epochsBack } from "@verai/client/audit-epochs";
import { readAudits } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Checkpoint } from "@verai/client/entities";
import { isAuditRunning } from "@verai/client/enums";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import type { Posted, PostedSegments } from "./posted-segments.ts";
import { type AuditTimes, keptCheckpoints, neededUntil, type SegmentState } from "./retention.ts";

/** Maximum of verifiers and rounds of an audit, as contracts/audits/Audits.sol has them. */
const [TRIES, ROUNDS] = [4, 24];
/**
 * A segment that would not be drawn with so many times its chance is let go at once when its seed has come: what its chance is taken from
 * may change a little until its audit is opened.
 */
const CHANCE_MARGIN = 2;

/**
 * What is to be remembered of a lease, by what the chain shows: times of posts, those that did not land left out, and whatever no audit
 * can ask for any longer, be it as the beginning of another segment. The newest that landed stays as long as the lease is worked on: its trace is what the next one goes on from. Pure,
 * O(segments).
 *
 * @param newest The newest checkpoint on chain; undefined if there is none.
 * @param isWorkedOn Whether more may be posted: what has not landed may still do so.
 */
export function keptSegments(
  segments: readonly Posted[],
  newest: Checkpoint | undefined,
  isWorkedOn: boolean,
  now: number,
  times: AuditTimes,
): readonly Posted[] {
  const reached = newest?.sequence ?? 0;
  const landed = segments.flatMap((segment): Posted[] => {
    const { sequence, digest, at } = segment;
    if (sequence > reached) return isWorkedOn ? [segment] : [];
    if (sequence === reached && newest) {
      if (digest !== newest.digest) return [];
      return [at === newest.at ? segment : { ...segment, at: newest.at, late: false }];
    }
    // Nobody looked while it was the newest, and another one of this number may have landed: later than it was, so it is kept longer.
    return [at === undefined ? { ...segment, at: newest?.at ?? now, late: true } : segment];
  });
  const asked = new Set(
    landed.filter(({ sequence, at, seededAt, audit, drawn }) => {
      if (at === undefined) return true;
      const ended = audit ?? (drawn === false ? "ended" : undefined);
      return now <= neededUntil(toState({ sequence, at, seededAt, audit: ended }), times);
    }),
  );
  // A segment begins with the state of the one before, whose own audit may be over.
  const begins = new Set([...asked].map(({ sequence }) => sequence - 1));
  return landed.filter(
    (segment) => asked.has(segment) || begins.has(segment.sequence) || (isWorkedOn && segment.sequence === reached),
  );
}

/** CIDs of a lease's checkpoints whose states an audit may ask for. Pure, O(segments). */
export function keptStates(segments: readonly Posted[], now: number, times: AuditTimes): ReadonlySet<string> {
  const states = segments.flatMap(({ sequence, at, seededAt, audit, drawn }) => {
    const ended = audit ?? (drawn === false ? "ended" : undefined);
    return [toState({ sequence, at: at ?? now, seededAt, audit: ended })];
  });
  const kept = keptCheckpoints(states, now, times);
  return new Set(segments.filter(({ sequence }) => kept.has(sequence)).map(({ cid }) => cid));
}

function toState(state: {
  readonly sequence: number;
  readonly at: number;
  readonly seededAt: number | undefined;
  readonly audit: "open" | "ended" | undefined;
}): SegmentState {
  const { sequence, at, seededAt, audit } = state;
  return {
    ...{ sequence, postedAt: at },
    ...(seededAt !== undefined && { seededAt }),
    ...(audit !== undefined && { audit }),
  };
}

/** Keeps what is remembered of this node's posts in line with the chain. O(own posts that an audit can ask for) a round. */
export class SegmentRetention {
  readonly #session: Session;
  readonly #posted: PostedSegments;
  #kept = new Map<number, ReadonlySet<string>>();
  #until = 0;

  constructor(session: Session, posted: PostedSegments) {
    this.#session = session;
    this.#posted = posted;
  }

  /** CIDs of a lease's checkpoints that are kept for audits, as the last round saw them; with what was posted since, all. */
  async keeps(leaseId: number): Promise<ReadonlySet<string>> {
    const known = this.#kept.get(leaseId);
    const segments = await this.#posted.of(leaseId);
    if (!known) return new Set(segments.map(({ cid }) => cid));
    return new Set(segments.filter(({ cid, at }) => at === undefined || known.has(cid)).map(({ cid }) => cid));
  }

  /** Chain time until which segments of this node can be drawn, or are under audit, at most; 0 if there are none. */
  get until(): number {
    return this.#until;
  }

  /** One round. A node that has posted nothing makes no call. */
  async keep(block: BlockReference): Promise<void> {
    const { reader, contracts } = this.#session;
    const leaseIds = await this.#posted.leases();
    if (leaseIds.length === 0) {
      this.#kept.clear();
      this.#until = 0;
      return;
    }
    const [terms, parameters, leases, newest] = await Promise.all([
      answer(contracts.auditEpochs.terms(blockTag(block))),
      reader.parameters(block),
      reader.leasesThatExist(block, leaseIds),
      reader.checkpoints(block, leaseIds),
    ]);
    const tasks = await reader.tasksById(block, [...new Set(leases.map(({ taskId }) => taskId))]);
    const intervals = new Map(tasks.map(({ id, checkpointInterval }) => [id, checkpointInterval]));
    const seedTimeout = parameters.seedTimeout;
    const [step, epoch, opening] = [Number(terms.step), Number(terms.epoch), Number(terms.openTime)];
    const all = (await Promise.all(leaseIds.map((leaseId) => this.#posted.of(leaseId)))).flat();
    const waiting = all.flatMap(({ at, seededAt }) => (at !== undefined && seededAt === undefined ? [at] : []));
    const epochs = await this.#epochs(block, Math.min(Infinity, ...waiting));
    let last = 0;
    const kept = new Map<number, ReadonlySet<string>>();
    for (const leaseId of leaseIds) {
      const lease = leases.find(({ id }) => id === leaseId);
      const window = step + 2 * (intervals.get(lease?.taskId ?? 0) ?? 0);
      const longest = TRIES * (window + 2 * step) + ROUNDS * (window + step);
      const times = { epoch, seedTimeout, opening, longest };
      const isWorkedOn = lease === undefined || lease.status === "active" || lease.status === "moving";
      const decided = await this.#decide(block, leaseId, epochs, seedTimeout);
      await this.#posted.update(leaseId, (segments) =>
        keptSegments(
          segments.map((segment) => decided.get(`${String(segment.sequence)} ${segment.digest}`) ?? segment),
          newest.get(leaseId),
          isWorkedOn,
          block.timestamp,
          times,
        ),
      );
      const now = await this.#posted.of(leaseId);
      kept.set(leaseId, keptStates(now, block.timestamp, times));
      for (const { sequence, at, seededAt, audit, drawn } of now) {
        if (at === undefined || audit === "ended" || drawn === false) continue;
        last = Math.max(last, neededUntil(toState({ sequence, at, seededAt, audit }), times));
      }
    }
    this.#kept = kept;
    this.#until = last;
  }

  /** What the chain has decided about a lease's segments since, by number and digest. */
  async #decide(
    block: BlockReference,
    leaseId: number,
    epochs: readonly AuditEpoch[],
    seedTimeout: number,
  ): Promise<ReadonlyMap<string, Posted>> {
    const { reader } = this.#session;
    const segments = await this.#posted.of(leaseId);
    const decided = new Map<string, Posted>();
    for (const segment of segments) {
      const { at, sequence, digest } = segment;
      if (at === undefined || segment.audit === "ended" || segment.drawn === false) continue;
      let now = segment;
      // Without its time nobody knows its epoch.
      if (segment.seededAt === undefined && segment.late !== true) {
        const epoch = epochOf(epochs, at);
        // A seed that may still be undone decides nothing.
        if (!epoch || block.timestamp <= epoch.to + seedTimeout) continue;
        const drawn = await this.#mayBeDrawn(block, leaseId, segment, segments, epoch.seed);
        now = { ...segment, seededAt: epoch.to + seedTimeout, drawn };
      }
      if (now.drawn !== false) {
        const [audit] = await readAudits(reader, block, [{ leaseId, sequence }]);
        const status = audit?.status ?? "none";
        if (status !== "none") now = { ...now, audit: isAuditRunning(status) ? "open" : "ended" };
      }
      if (now !== segment) decided.set(`${String(sequence)} ${digest}`, now);
    }
    return decided;
  }

  async #mayBeDrawn(
    block: BlockReference,
    leaseId: number,
    segment: Posted,
    segments: readonly Posted[],
    seed: string,
  ): Promise<boolean> {
    const before = segments.find(({ sequence }) => sequence === segment.sequence - 1);
    // Without the one before the chance is not known.
    if (!before && segment.sequence > 1) return true;
    const links = { leaseId, salt: NO_HEAD, before: before ? linkOf(before) : NO_LINK, end: linkOf(segment) };
    const chance = Number(await answer(this.#session.contracts.audits.chanceOf(links, blockTag(block))));
    return isDrawn(auditSalt(seed, leaseId, segment.sequence), Math.min(10_000, CHANCE_MARGIN * chance));
  }

  /** Epochs from the newest back to the one that a time belongs to. O(epochs since). */
  async #epochs(block: BlockReference, since: number): Promise<AuditEpoch[]> {
    const found: AuditEpoch[] = [];
    if (since === Infinity) return found;
    for await (const epoch of epochsBack(this.#session, block)) {
      found.push(epoch);
      if (epoch.from < since && !epoch.abandoned) break;
    }
    return found;
  }
}

function linkOf({ sequence, digest, root, progress, at, codec, size }: Posted) {
  return { sequence, digest, traceRoot: root, progress, at: at ?? 0, codec, size };
}
