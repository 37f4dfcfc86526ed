import { toBeHex, zeroPadValue } from "ethers";

import { END_REASONS, type EndReason, enumName } from "./enums.ts";
import { type EventLog, LogScanner } from "./event-logs.ts";
import type { Session } from "./session.ts";

/** How a lease ended: `paid`, or why else. */
export interface LeaseEnd {
  readonly leaseId: number;
  readonly taskId: number;
  readonly nodeId: number;
  readonly reason: EndReason | "paid";
  /** Block of the event. */
  readonly block: number;
}

/** Ends that are its node's fault: what counts against it. */
const FAULTS: ReadonlySet<EndReason | "paid"> = new Set<EndReason>([
  ...(["noHeadway", "overdue", "silent", "programFailed", "rejected"] as const),
  ...(["fraud", "mismatch", "unavailable", "refused"] as const),
]);

/** Ends that say nothing of its node: units moved, the task could not be run by anybody in time, or work before was wrong. */
const NEUTRAL: ReadonlySet<EndReason | "paid"> = new Set(["moved", "deadlinePassed", "specUnusable", "revoked"]);

/** What a node's leases say of it. */
export interface Reliability {
  /** Leases that have ended and say something of the node. */
  readonly ended: number;
  /** Of them, those that were paid. */
  readonly paid: number;
  /** Of them, those that it gave back for reasons of its own: it left, or its owner came back. */
  readonly givenBack: number;
  /** Of them, those that failed by its fault. */
  readonly failed: number;
  /** Share of leases that ended well, 0 to 1; undefined while none has ended. */
  readonly share: number | undefined;
  /** Blocks of work that were lost with those that did not end well: from the last checkpoint to the end, on average. */
  readonly meanLost: number | undefined;
}

const WORDS: Readonly<Record<EndReason | "paid", string>> = {
  none: "it has not ended",
  paid: "paid",
  givenBack: "given back",
  draining: "given back: its node leaves",
  ownerBack: "given back: the machine's owner needs it",
  specUnusable: "given back: its spec cannot be had or run there",
  programFailed: "given back: its program failed",
  noHeadway: "no headway",
  tooSlow: "given back: it would not have ended by the deadline",
  deadlinePassed: "its task's deadline passed",
  moved: "moved to another node",
  overdue: "overdue: no checkpoint came in time",
  silent: "its node fell silent",
  rejected: "the arbiter refused its result",
  fraud: "an audit found its work wrong",
  mismatch: "an audit found other work than it posted",
  unavailable: "an audit could not get its states",
  refused: "its node did not open what an audit asked for",
  revoked: "it went on from work that an audit found wrong",
};

/** Why a lease ended, for people. */
export function endText(reason: EndReason | "paid"): string {
  return WORDS[reason];
}

/**
 * How the leases of a task, or of a node, ended, from events alone; oldest first. O(blocks / range) requests. Results that the arbiter
 * refused are found by lease, in a second pass.
 *
 * @param whose Id of the task or the node.
 * @param since First block that is looked at.
 */
export async function readLeaseEnds(
  session: Pick<Session, "provider" | "contracts">,
  whose: { readonly taskId: number } | { readonly nodeId: number },
  since: number,
  newest: number,
): Promise<LeaseEnd[]> {
  const { leases } = session.contracts;
  const scanner = new LogScanner(session.provider);
  const address = [await leases.getAddress()];
  const topic = (name: string) => leases.interface.getEvent(name as "LeasePaid").topicHash;
  const word = (id: number) => zeroPadValue(toBeHex(id), 32);
  const [task, node] = "taskId" in whose ? [[word(whose.taskId)], null] : [null, [word(whose.nodeId)]];
  const names = ["LeaseGranted", "LeasePaid", "LeaseReleased", "LeaseExpired", "LeaseRevoked"];
  const logs = await scanner.scan({ address, topics: [names.map(topic), null, task, node] }, since, newest);
  const granted = new Map<number, Omit<LeaseEnd, "reason" | "block">>();
  const ends: LeaseEnd[] = [];
  for (const log of logs) {
    const event = parsed(leases.interface, log);
    const [leaseId, taskId, nodeId] = [event.args.leaseId, event.args.taskId, event.args.nodeId].map(Number);
    const lease = { leaseId: leaseId ?? 0, taskId: taskId ?? 0, nodeId: nodeId ?? 0 };
    if (event.name === "LeaseGranted") granted.set(lease.leaseId, lease);
    else if (event.name === "LeasePaid") ends.push({ ...lease, reason: "paid", block: log.block });
    else ends.push({ ...lease, reason: enumName(END_REASONS, Number(event.args.reason)), block: log.block });
  }
  const ruled = await scanner.scan({ address, topics: [[topic("DisputeRuled")]] }, since, newest);
  for (const log of ruled) {
    const { args } = parsed(leases.interface, log);
    const lease = granted.get(Number(args.leaseId));
    if (lease && args.forNode === false) ends.push({ ...lease, reason: "rejected", block: log.block });
  }
  return ends.sort((a, b) => a.block - b.block);
}

/**
 * What the ends of a node's leases say of it. Leases that moved, and those that nobody could run, say nothing. Pure; O(n).
 *
 * @param lastCheckpoint Block of a lease's last checkpoint, or of its grant; undefined where it is not known.
 */
export function reliabilityOf(
  ends: readonly LeaseEnd[],
  lastCheckpoint: (leaseId: number) => number | undefined = () => undefined,
): Reliability {
  const telling = ends.filter(({ reason }) => !NEUTRAL.has(reason));
  const paid = telling.filter(({ reason }) => reason === "paid").length;
  const failed = telling.filter(({ reason }) => FAULTS.has(reason)).length;
  const lost = telling.flatMap(({ reason, leaseId, block }) => {
    const from = reason === "paid" ? undefined : lastCheckpoint(leaseId);
    return from === undefined ? [] : [Math.max(0, block - from)];
  });
  return {
    ended: telling.length,
    paid,
    givenBack: telling.length - paid - failed,
    failed,
    share: telling.length === 0 ? undefined : paid / telling.length,
    meanLost: lost.length === 0 ? undefined : lost.reduce((sum, blocks) => sum + blocks, 0) / lost.length,
  };
}

function parsed(events: Session["contracts"]["leases"]["interface"], { topics, data }: EventLog) {
  const event = events.parseLog({ topics, data });
  if (!event) throw new RangeError(`The lease registry sent an event that this version does not know: ${topics[0]}.`);
  return event;
}
