import { type Interface, id, toBeHex, zeroPadValue, ZeroHash } from "ethers";

import type { Link } from "@verai/protocol/audits/segments";
import type { BlockReference } from "./block-reference.ts";
import { AUDIT_STATUSES, type AuditStatus, enumName } from "./enums.ts";
import type { EventLog, LogFilter } from "./event-logs.ts";
import { safe } from "./internal/convert.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

const LINK = "(uint32,bytes32,bytes32,uint40,uint40,uint16,uint64)";
const OPENED = id(`AuditOpened(uint32,uint32,uint32,(uint32,bytes32,${LINK},${LINK}))`);
const DRAWN = id("VerifierDrawn(uint32,uint32,uint32,uint16,uint40)");
const TRACE_OPENED = id("TraceOpened(uint32,uint32,bytes32,uint40)");

/** Which segment: the lease, and the number of the checkpoint that ends it. */
export interface SegmentId {
  readonly leaseId: number;
  readonly sequence: number;
}

/** A link as an audit names it: nobody has checked the size that its node claims, which a number may not hold. */
export interface ClaimedLink extends Omit<Link, "size"> {
  /** Bytes, decimal. */
  readonly size: string;
}

/** A segment under audit, as the event says that opened it. */
export interface OpenedAudit extends SegmentId {
  readonly epochId: number;
  /** What its draws follow from. */
  readonly salt: string;
  /** The checkpoint that it goes on from; sequence 0 for the first of its lease. */
  readonly before: ClaimedLink;
  readonly end: ClaimedLink;
}

/** A member of an audit's panel. */
export interface AuditMember {
  readonly nodeId: number;
  readonly settled: boolean;
  /** 1: counted against the producer, -1: for it, 0: for neither. */
  readonly side: number;
  readonly committed: boolean;
  readonly revealed: boolean;
}

/** An audit. Times in seconds. */
export interface AuditState extends SegmentId {
  readonly status: AuditStatus;
  /** Verifiers that were drawn so far. */
  readonly tries: number;
  /** 0: none yet. */
  readonly verifierId: number;
  readonly epochId: number;
  /** When the step ends. */
  readonly due: number;
  readonly panel: {
    readonly round: number;
    /** First member of the round. */
    readonly first: number;
    /** What the producer opened; all zero before there is a panel. */
    readonly producerAnswer: string;
    readonly members: readonly AuditMember[];
  };
}

/** Audits at a block; those that do not exist have the status `none`. Two views for each. */
export async function readAudits(
  { contracts }: Reader,
  at: BlockReference,
  segments: readonly SegmentId[],
): Promise<AuditState[]> {
  return Promise.all(
    segments.map(async ({ leaseId, sequence }) => {
      const [audit, panel] = await Promise.all([
        answer(contracts.audits.auditOf(leaseId, sequence, blockTag(at))),
        answer(contracts.audits.panelOf(leaseId, sequence, blockTag(at))),
      ]);
      return {
        ...{ leaseId, sequence },
        status: enumName(AUDIT_STATUSES, audit.status),
        tries: safe(audit.tries),
        verifierId: safe(audit.verifierId),
        epochId: safe(audit.epochId),
        due: safe(audit.due),
        panel: {
          round: safe(panel.round),
          first: safe(panel.first),
          producerAnswer: panel.producerAnswer,
          members: panel.members.map(({ nodeId, settled, side, word, group }) => ({
            nodeId: safe(nodeId),
            settled,
            side: Number(side),
            committed: word !== ZeroHash,
            revealed: group !== ZeroHash,
          })),
        },
      };
    }),
  );
}

/** Whether a node verifies a segment at a block. */
export async function verifies(
  reader: Reader,
  at: BlockReference,
  segment: SegmentId,
  nodeId: number,
): Promise<boolean> {
  const [audit] = await readAudits(reader, at, [segment]);
  return audit !== undefined && isAuditor(audit, nodeId);
}

/** Whether a node verifies a segment now, alone or on a panel. */
function isAuditor({ status, verifierId, panel }: AuditState, nodeId: number): boolean {
  if (status === "verifying" || status === "opening" || status === "revealing") return verifierId === nodeId;
  if (status !== "voting" && status !== "counting") return false;
  return panel.members.slice(panel.first).some((member) => member.nodeId === nodeId);
}

/** Logs of audits that name a node as verifier. */
export function drawsOf(audits: string, nodeId: number): LogFilter {
  return { address: [audits], topics: [[DRAWN], null, null, [word(nodeId)]] };
}

/** Logs of audits that were opened of these leases' segments; `sequence`: of this one alone. */
export function openingsOf(audits: string, leaseIds: readonly number[], sequence?: number): LogFilter {
  const segment = sequence === undefined ? null : [word(sequence)];
  return { address: [audits], topics: [[OPENED], leaseIds.map(word), segment] };
}

/** Logs of what the producer of a segment opened. */
export function tracesOf(audits: string, { leaseId, sequence }: SegmentId): LogFilter {
  return { address: [audits], topics: [[TRACE_OPENED], [word(leaseId)], [word(sequence)]] };
}

/** What a log of an audit's opening says; undefined if it is none. */
export function toOpened(contract: { readonly interface: Interface }, log: EventLog): OpenedAudit | undefined {
  if (log.topics[0] !== OPENED) return undefined;
  const parsed = contract.interface.parseLog({ topics: [...log.topics], data: log.data });
  if (!parsed) return undefined;
  const { leaseId, sequence, epochId, segment } = parsed.args as unknown as {
    leaseId: bigint;
    sequence: bigint;
    epochId: bigint;
    segment: { salt: string; before: LinkValue; end: LinkValue };
  };
  return {
    leaseId: safe(leaseId),
    sequence: safe(sequence),
    epochId: safe(epochId),
    salt: segment.salt,
    before: toLink(segment.before),
    end: toLink(segment.end),
  };
}

/** A segment under audit as the contracts take it. */
export function segmentWords({ leaseId, salt, before, end }: Pick<OpenedAudit, "leaseId" | "salt" | "before" | "end">) {
  return { leaseId, salt, before, end };
}

/** Segment that a log of audits is about. */
export function segmentOf({ topics }: EventLog): SegmentId {
  return { leaseId: Number(topics[1]), sequence: Number(topics[2]) };
}

/** The answer that a producer opened. */
export function toOpenedAnswer({ data }: EventLog): string {
  return data.slice(0, 66);
}

/** A link in the order of its members: one of them, `at`, is also a method of every array. */
type LinkValue = readonly [bigint, string, string, bigint, bigint, bigint, bigint];

function toLink([sequence, digest, traceRoot, progress, at, codec, size]: LinkValue): ClaimedLink {
  return {
    ...{ digest, traceRoot },
    sequence: safe(sequence),
    progress: safe(progress),
    at: safe(at),
    codec: safe(codec),
    size: String(size),
  };
}

function word(value: number): string {
  return zeroPadValue(toBeHex(value), 32);
}
