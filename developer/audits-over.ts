import { type AuditEpoch, epochOf, epochsBack } from "@verai/client/audit-epochs";
import { openingsOf, readAudits, segmentOf } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { isAuditRunning } from "@verai/client/enums";
import { LogScanner } from "@verai/client/event-logs";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { chanceOf } from "@verai/protocol/audits/chance";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";

/** Blocks in which checkpoints and audits of a lease are looked for, back from the newest: two days. */
const MAX_BLOCKS = 86_400;

/** A checkpoint as its event tells of it. */
export interface PostedCheckpoint {
  readonly sequence: number;
  /** Chain time, seconds. */
  readonly at: number;
  /** Basis points of a unit done since the lease began. */
  readonly total: number;
}

/** A checkpoint of the lease, which ends a segment. */
export interface PostedSegment {
  readonly sequence: number;
  /** Chain time, seconds. */
  readonly at: number;
  /** Basis points of a unit done since the one before. */
  readonly progress: number;
}

/**
 * Segments that ended after a time, the newest first. Pure, O(checkpoints).
 *
 * @param posted What events tell of; an endpoint that lags or loses logs leaves some out.
 * @param newest Number of the newest, as the state has it.
 * @returns Undefined if what was found does not reach from the newest down to that time without a gap: then nothing is known.
 */
export function segmentsOf(
  posted: readonly PostedCheckpoint[],
  newest: number,
  since: number,
): readonly PostedSegment[] | undefined {
  const bySequence = new Map(posted.map((checkpoint) => [checkpoint.sequence, checkpoint]));
  const segments: PostedSegment[] = [];
  for (let sequence = newest; sequence > 0; sequence--) {
    const end = bySequence.get(sequence);
    if (!end) return undefined;
    if (end.at <= since) return segments;
    const before = sequence === 1 ? 0 : bySequence.get(sequence - 1)?.total;
    if (before === undefined) return undefined;
    segments.push({ sequence, at: end.at, progress: end.total - before });
  }
  return segments;
}

/**
 * Segments of a lease that a seed has drawn. Pure, O(segments · epochs).
 *
 * @param chance Of a segment with so much progress, basis points.
 */
export function drawnOf(
  leaseId: number,
  segments: readonly PostedSegment[],
  epochs: readonly AuditEpoch[],
  chance: (segment: PostedSegment) => number,
): { readonly sequence: number; readonly epoch: AuditEpoch }[] {
  return segments.flatMap((segment) => {
    const epoch = epochOf(epochs, segment.at);
    if (!epoch || !isDrawn(auditSalt(epoch.seed, leaseId, segment.sequence), chance(segment))) return [];
    return [{ sequence: segment.sequence, epoch }];
  });
}

/**
 * What a delivered lease of an audited task still waits for: its developer accepts it once a seed has decided on its last segment, and all
 * audits that seeds have drawn were opened and have ended. Which these are is computed from the seeds, and whether they have ended is read
 * from the state: logs, which an endpoint can leave out, only add to them. Undefined: nothing. Who does not want to wait accepts by hand;
 * who waits too long is paid for it by time.
 *
 * O(checkpoints and epochs of the time in which audits can still be opened + its audits).
 */
export async function auditsToWaitFor(
  session: Session,
  block: BlockReference,
  lease: Lease,
): Promise<string | undefined> {
  const { reader, contracts, provider } = session;
  const newest = (await reader.checkpoints(block, [lease.id])).get(lease.id);
  if (!newest) return undefined;
  const [terms, parameters, task, standing] = await Promise.all([
    answer(contracts.auditEpochs.terms(blockTag(block))),
    reader.parameters(block),
    reader.task(block, lease.taskId),
    answer(contracts.audits.standingOf(lease.nodeId, blockTag(block))),
  ]);
  const isOpenable = ({ to }: AuditEpoch) => block.timestamp <= to + parameters.seedTimeout + Number(terms.openTime);
  const epochs: AuditEpoch[] = [];
  for await (const epoch of epochsBack(session, block)) {
    epochs.push(epoch);
    if (epoch.from < newest.at && !epoch.abandoned && !isOpenable(epoch)) break;
  }
  if (!epochOf(epochs, newest.at)) return "no seed has decided yet which of its segments are audited";

  const oldest = Math.min(...epochs.map(({ from }) => from));
  const segments = segmentsOf(await postedSince(session, block, lease.id, oldest), newest.sequence, oldest);
  if (!segments) return "the RPC endpoint leaves out events of its checkpoints";
  const price = BigInt(lease.price);
  const stake = BigInt(lease.count) * BigInt(Math.max(lease.price, parameters.stakePerUnit));
  const bounds = { chance: Number(terms.chance), newChance: Number(terms.newChance), loss: Number(terms.loss) };
  const provenAt = Number(standing.provenAt);
  const drawn = drawnOf(lease.id, segments, epochs, ({ at, progress }) => {
    const gain = (BigInt(progress) * price) / 10_000n;
    return chanceOf({ asked: task?.auditChance ?? 0, stake, gain, isNew: provenAt === 0 || at <= provenAt }, bounds);
  });

  const filter = openingsOf(await contracts.audits.getAddress(), [lease.id]);
  const logs = await new LogScanner(provider).scan(filter, Math.max(0, block.number - MAX_BLOCKS), block.number);
  const told = logs.map(segmentOf).filter(({ leaseId }) => leaseId === lease.id);
  const sequences = new Set([...drawn, ...told].map(({ sequence }) => sequence));
  const audits = await readAudits(
    reader,
    block,
    [...sequences].map((sequence) => ({ leaseId: lease.id, sequence })),
  );
  const running = audits.filter(({ status }) => isAuditRunning(status)).map(({ sequence }) => String(sequence));
  if (running.length > 0) return `audits of its segments ${running.join(", ")} run`;
  const unopened = new Set(audits.filter(({ status }) => status === "none").map(({ sequence }) => sequence));
  const missing = drawn.filter(({ sequence, epoch }) => unopened.has(sequence) && isOpenable(epoch));
  if (missing.length === 0) return undefined;
  const names = missing.map(({ sequence }) => String(sequence)).join(", ");
  return `audits of its segments ${names} are drawn, and no keeper has opened them yet`;
}

/** Checkpoints of a lease back to the newest that was posted before a time, as events tell of them. O(them), and the blocks back to it. */
async function postedSince(
  { contracts: { checkpoints }, provider }: Session,
  block: BlockReference,
  leaseId: number,
  since: number,
): Promise<PostedCheckpoint[]> {
  const { topicHash } = checkpoints.interface.getEvent("CheckpointTraced");
  const lease = `0x${leaseId.toString(16).padStart(64, "0")}`;
  const filter = { address: [await checkpoints.getAddress()], topics: [[topicHash], [lease]] };
  const posted: PostedCheckpoint[] = [];
  await new LogScanner(provider).back(filter, block.number, Math.max(0, block.number - MAX_BLOCKS), async (logs) => {
    for (const log of logs.toReversed()) {
      const { args } = checkpoints.interface.parseLog({ topics: [...log.topics], data: log.data }) ?? {};
      if (!args) continue;
      const at = log.timestamp ?? (await provider.getBlock(log.block))?.timestamp;
      if (at === undefined) throw new Error(`block ${String(log.block)} is gone: a reorganisation; it is read again`);
      const checkpoint = { sequence: Number(args["sequence"]), at, total: Number(args["progress"]) };
      posted.push(checkpoint);
      if (at <= since || checkpoint.sequence === 1) return true;
    }
    return false;
  });
  return posted;
}
