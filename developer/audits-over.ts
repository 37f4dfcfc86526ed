import { openingsOf, readAudits, segmentOf } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { LogScanner } from "@verai/client/event-logs";
import type { Contracts } from "@verai/client/deployment";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";

/** Blocks in which audits of a lease are looked for, back from the newest: two days. */
const MAX_BLOCKS = 86_400;
/** Epochs that are looked back at. */
const MAX_EPOCHS = 512;
const NO_SEED = `0x${"0".repeat(64)}`;
/** Audits that have begun and not ended. */
const RUNNING = ["verifying", "opening", "revealing", "voting", "counting"];

/** An epoch, as far as a time belongs to it. Times in seconds. */
export interface EpochTimes {
  readonly from: number;
  readonly to: number;
  readonly isSeeded: boolean;
}

/**
 * Whether a seed has decided on what was posted at a time, and keepers have had time to open what it drew. Pure, O(epochs).
 *
 * @param now Chain time, seconds.
 * @param wait Time for opening audits, seconds.
 */
export function isDecided(epochs: readonly EpochTimes[], at: number, now: number, wait: number): boolean {
  return epochs.some(({ from, to, isSeeded }) => isSeeded && from < at && at <= to && now > to + wait);
}

/**
 * Whether a seed may have drawn one of the first segments of a lease, whichever of them were posted in its epoch. Pure, O(segments).
 *
 * @param sequences How many segments the lease has.
 * @param chance No segment's is higher, basis points.
 */
export function mayBeDrawn(seed: string, leaseId: number, sequences: number, chance: number): boolean {
  for (let sequence = 1; sequence <= sequences; sequence++) {
    if (isDrawn(auditSalt(seed, leaseId, sequence), chance)) return true;
  }
  return false;
}

/**
 * What a delivered lease of an audited task still waits for: its developer accepts it once a seed has decided on its last segment and no
 * audit of it runs. Undefined: nothing. Who does not want to wait accepts by hand; who waits too long is paid for it by time.
 *
 * O(epochs since its last checkpoint + its audits).
 */
export async function auditsToWaitFor(
  { reader, contracts, provider }: Session,
  block: BlockReference,
  lease: Lease,
): Promise<string | undefined> {
  const newest = (await reader.checkpoints(block, [lease.id])).get(lease.id);
  if (!newest) return undefined;
  const [{ epoch, step }, count] = await Promise.all([
    answer(contracts.auditEpochs.terms(blockTag(block))),
    answer(contracts.auditEpochs.epochCount(blockTag(block))),
  ]);
  const epochs: EpochTimes[] = [];
  let newestSeed = NO_SEED;
  for (let id = Number(count); id > 0 && id > Number(count) - MAX_EPOCHS; id--) {
    const { from, to, requestId, abandoned } = await answer(contracts.auditEpochs.epoch(id, blockTag(block)));
    const seed = abandoned ? NO_SEED : await answer(contracts.seeds.seedOf(requestId, blockTag(block)));
    epochs.push({ from: Number(from), to: Number(to), isSeeded: seed !== NO_SEED });
    newestSeed = seed;
    if (Number(from) < newest.at && !abandoned) break;
  }
  // What no seed has drawn nobody opens; what earlier seeds have drawn was opened meanwhile.
  const drawn = mayBeDrawn(newestSeed, lease.id, newest.sequence, await highestChance(reader, contracts, block, lease));
  const wait = drawn ? Math.min(2 * Number(epoch), Number(step)) : 0;
  if (!isDecided(epochs, newest.at, block.timestamp, wait))
    return "no seed has decided yet which of its segments are audited";
  const filter = openingsOf(await contracts.audits.getAddress(), [lease.id]);
  const logs = await new LogScanner(provider).scan(filter, Math.max(0, block.number - MAX_BLOCKS), block.number);
  const audits = await readAudits(reader, block, logs.map(segmentOf));
  const running = audits.filter(({ status }) => RUNNING.includes(status)).map(({ sequence }) => String(sequence));
  return running.length === 0 ? undefined : `audits of its segments ${running.join(", ")} run`;
}

/** The chance of a segment that claims all of its lease's work, while its node is new: no segment of the lease has a higher one. Basis points. */
async function highestChance(
  reader: Reader,
  contracts: Contracts,
  block: BlockReference,
  { taskId, count, price }: Lease,
): Promise<number> {
  const [task, { stakePerUnit }] = await Promise.all([reader.task(block, taskId), reader.parameters(block)]);
  const stake = count * Math.max(price, stakePerUnit);
  const { auditEpochs } = contracts;
  return Number(
    await answer(auditEpochs.chanceOf(task?.auditChance ?? 0, count * price, stake, true, blockTag(block))),
  );
}
