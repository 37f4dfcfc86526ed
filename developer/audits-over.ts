import { openingsOf, readAudits, segmentOf } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { isAuditRunning } from "@verai/client/enums";
import { LogScanner } from "@verai/client/event-logs";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { chanceOf } from "@verai/protocol/audits/chance";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { NO_HEAD } from "@verai/protocol/audits/segments";

/** Blocks in which checkpoints and audits of a lease are looked for, back from the newest: two days. */
const MAX_BLOCKS = 86_400;
/** Epochs that are looked back at. */
const MAX_EPOCHS = 512;

/** An epoch, the times in seconds. */
export interface SeededEpoch {
  readonly from: number;
  readonly to: number;
  /** Undefined as long as there is none, or if it was given up. */
  readonly seed: string | undefined;
}

/** A checkpoint of the lease, which ends a segment. */
export interface PostedSegment {
  readonly sequence: number;
  /** Chain time, seconds. */
  readonly at: number;
  /** Basis points of a unit done since the one before. */
  readonly progress: number;
}

/** The epoch that a time belongs to, if its seed has come. Pure, O(epochs). */
export function decidedBy(epochs: readonly SeededEpoch[], at: number): SeededEpoch | undefined {
  return epochs.find(({ from, to, seed }) => seed !== undefined && from < at && at <= to);
}

/**
 * Numbers of the segments of a lease that a seed has drawn, and whose audit can still be opened. Pure, O(segments · epochs).
 *
 * @param chance Of a segment with so much progress, basis points.
 * @param openable Whether audits of an epoch can still be opened.
 */
export function drawnOf(
  leaseId: number,
  segments: readonly PostedSegment[],
  epochs: readonly SeededEpoch[],
  chance: (segment: PostedSegment) => number,
  openable: (epoch: SeededEpoch) => boolean,
): number[] {
  return segments
    .filter((segment) => {
      const epoch = decidedBy(epochs, segment.at);
      if (epoch?.seed === undefined || !openable(epoch)) return false;
      return isDrawn(auditSalt(epoch.seed, leaseId, segment.sequence), chance(segment));
    })
    .map(({ sequence }) => sequence);
}

/**
 * What a delivered lease of an audited task still waits for: its developer accepts it once a seed has decided on its last segment, and all
 * audits that seeds have drawn were opened and have ended. Undefined: nothing. Who does not want to wait accepts by hand; who waits too long
 * is paid for it by time.
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
  const openable = ({ to }: SeededEpoch) => block.timestamp <= to + parameters.seedTimeout + Number(terms.openTime);
  const epochs = await epochsSince(session, block, newest.at, openable);
  if (!decidedBy(epochs, newest.at)) return "no seed has decided yet which of its segments are audited";
  const filter = openingsOf(await contracts.audits.getAddress(), [lease.id]);
  const logs = await new LogScanner(provider).scan(filter, Math.max(0, block.number - MAX_BLOCKS), block.number);
  const audits = await readAudits(reader, block, logs.map(segmentOf));
  const running = audits.filter(({ status }) => isAuditRunning(status)).map(({ sequence }) => String(sequence));
  if (running.length > 0) return `audits of its segments ${running.join(", ")} run`;
  const oldest = Math.min(...epochs.map(({ from }) => from));
  const segments = await segmentsSince(session, block, lease.id, oldest);
  const provenAt = Number(standing.provenAt);
  const price = BigInt(lease.price);
  const stake = BigInt(lease.count) * BigInt(Math.max(lease.price, parameters.stakePerUnit));
  const bounds = { chance: Number(terms.chance), newChance: Number(terms.newChance), loss: Number(terms.loss) };
  const chance = ({ at, progress }: PostedSegment) =>
    chanceOf(
      {
        ...{ asked: task?.auditChance ?? 0, stake, gain: (BigInt(progress) * price) / 10_000n },
        isNew: provenAt === 0 || at <= provenAt,
      },
      bounds,
    );
  const opened = new Set(audits.map(({ sequence }) => sequence));
  const missing = drawnOf(lease.id, segments, epochs, chance, openable).filter((sequence) => !opened.has(sequence));
  return missing.length === 0
    ? undefined
    : `audits of its segments ${missing.join(", ")} are drawn, and no keeper has opened them yet`;
}

/** Epochs from the newest back to the one that a time belongs to, and all whose audits can still be opened. O(them). */
async function epochsSince(
  { contracts: { auditEpochs, seeds } }: Session,
  block: BlockReference,
  since: number,
  openable: (epoch: SeededEpoch) => boolean,
): Promise<SeededEpoch[]> {
  const count = Number(await answer(auditEpochs.epochCount(blockTag(block))));
  const found: SeededEpoch[] = [];
  for (let id = count; id > 0 && id > count - MAX_EPOCHS; id--) {
    const { from, to, requestId, abandoned } = await answer(auditEpochs.epoch(id, blockTag(block)));
    const seed = abandoned ? NO_HEAD : await answer(seeds.seedOf(requestId, blockTag(block)));
    const epoch = { from: Number(from), to: Number(to), seed: seed === NO_HEAD ? undefined : seed };
    found.push(epoch);
    if (epoch.from < since && !abandoned && !openable(epoch)) break;
  }
  return found;
}

/** Checkpoints of a lease after a time, and the one before them for its progress. O(them), and the blocks back to it. */
async function segmentsSince(
  { contracts: { checkpoints }, provider }: Session,
  block: BlockReference,
  leaseId: number,
  since: number,
): Promise<PostedSegment[]> {
  const { topicHash } = checkpoints.interface.getEvent("CheckpointTraced");
  const lease = `0x${leaseId.toString(16).padStart(64, "0")}`;
  const filter = { address: [await checkpoints.getAddress()], topics: [[topicHash], [lease]] };
  const posted: { readonly sequence: number; readonly at: number; readonly total: number }[] = [];
  await new LogScanner(provider).back(filter, block.number, Math.max(0, block.number - MAX_BLOCKS), async (logs) => {
    for (const log of logs.toReversed()) {
      const { args } = checkpoints.interface.parseLog({ topics: [...log.topics], data: log.data }) ?? {};
      if (!args) continue;
      const at = log.timestamp ?? (await provider.getBlock(log.block))?.timestamp;
      if (at === undefined) throw new Error(`block ${String(log.block)} is gone: a reorganisation; it is read again`);
      posted.push({ sequence: Number(args["sequence"]), at, total: Number(args["progress"]) });
      if (at <= since || posted.at(-1)?.sequence === 1) return true;
    }
    return false;
  });
  const totals = new Map(posted.map(({ sequence, total }) => [sequence, total]));
  return posted
    .filter(({ at }) => at > since)
    .map(({ sequence, at, total }) => ({ sequence, at, progress: total - (totals.get(sequence - 1) ?? 0) }));
}
