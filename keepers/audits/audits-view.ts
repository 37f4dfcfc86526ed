import { type AuditEpoch, epochsBack } from "@verai/client/audit-epochs";
import { type OpenedAudit, readAudits, segmentWords } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { isAuditRunning } from "@verai/client/enums";
import { explain } from "@verai/client/error-messages";
import { ContractRefusalError } from "@verai/client/errors";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { AuditIndex } from "./audit-index.ts";
import { type AuditTerms, type AuditView, isConviction, keyOf, type KnownAudit } from "./audits-plan.ts";

/** Reads what the keeper of audits decides by. O(audits that run + segments that an open epoch decides on + epochs). */
export async function readAuditView(
  reader: Reader,
  index: AuditIndex,
  live: ReadonlyMap<number, Lease>,
  block: BlockReference,
): Promise<AuditView> {
  const { contracts } = reader;
  const [{ seedTimeout, stakePerUnit }, found] = await Promise.all([
    reader.parameters(block),
    answer(contracts.auditEpochs.terms(blockTag(block))),
  ]);
  const terms: AuditTerms = {
    ...{ epoch: Number(found.epoch), openTime: Number(found.openTime), step: Number(found.step) },
    ...{ chance: Number(found.chance), newChance: Number(found.newChance), loss: Number(found.loss) },
  };
  const epochs = await readEpochs(reader, block, block.timestamp - seedTimeout - terms.openTime);
  const last = epochs[0];
  const covered = last ? (last.seed === undefined || last.abandoned ? last.from : last.to) : 0;
  const segments = index.since(Math.min(covered, ...epochs.map(({ from }) => from)));
  return {
    now: block.timestamp,
    ...{ terms, seedTimeout, stakePerUnit, covered, epochs, segments },
    opened: new Set(segments.filter((segment) => index.isOpened(segment)).map(keyOf)),
    audits: await readKnown(reader, index, live, block),
  };
}

/** The newest epoch, and those before it that ended after a time; the newest first. O(them). */
async function readEpochs(reader: Reader, at: BlockReference, since: number): Promise<AuditEpoch[]> {
  const epochs: AuditEpoch[] = [];
  for await (const epoch of epochsBack(reader, at)) {
    if (epochs.length > 0 && epoch.to < since) break;
    epochs.push(epoch);
  }
  return epochs;
}

async function readKnown(
  reader: Reader,
  index: AuditIndex,
  live: ReadonlyMap<number, Lease>,
  at: BlockReference,
): Promise<KnownAudit[]> {
  const opened = index.audits();
  const states = await readAudits(reader, at, opened);
  return Promise.all(
    states.map(async ({ leaseId, sequence, status, due, panel }, i) => {
      const audit = opened[i];
      const lease = live.get(leaseId);
      return {
        ...{ leaseId, sequence, status, due },
        unsettled: isAuditRunning(status)
          ? []
          : panel.members.flatMap(({ settled }, place) => (settled ? [] : [place])),
        paidFrom: lease?.status === "delivered" ? lease.due : undefined,
        successors: audit && isConviction(status) ? await successorsOf(reader, at, audit, live) : [],
      };
    }),
  );
}

/**
 * Live leases that went on from the work of a lease that was convicted, and were granted before that: those granted later go on from the
 * state before, which the contract tells apart. O(live leases of its task x line).
 */
async function successorsOf(
  reader: Reader,
  at: BlockReference,
  opened: OpenedAudit,
  live: ReadonlyMap<number, Lease>,
): Promise<number[]> {
  const [convicted] = await reader.leasesById(at, [opened.leaseId]);
  const found: number[] = [];
  for (const lease of live.values()) {
    if (lease.taskId !== convicted?.taskId || lease.id <= opened.leaseId) continue;
    let parent = lease.parent;
    while (parent > opened.leaseId) parent = (await reader.leasesById(at, [parent]))[0]?.parent ?? 0;
    if (parent === opened.leaseId && (await isVoid(reader, at, opened, lease.id))) found.push(lease.id);
  }
  return found;
}

async function isVoid(reader: Reader, at: BlockReference, opened: OpenedAudit, leaseId: number): Promise<boolean> {
  try {
    await reader.contracts.audits.revokeSuccessor.staticCall(segmentWords(opened), leaseId, blockTag(at));
    return true;
  } catch (cause) {
    const error = explain(cause);
    if (error instanceof ContractRefusalError) return false;
    throw error;
  }
}
