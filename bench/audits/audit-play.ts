import { createHash } from "node:crypto";

import { type AuditStatus, isAuditRunning } from "@verai/client/enums";
import { PANEL_QUESTION } from "@verai/protocol/audits/draws";
import { commitment } from "@verai/protocol/audits/segments";
import { traceAnswer } from "@verai/protocol/audits/trace";
import type { GameNode } from "../market/contracts.ts";
import { againstProducer, honestly, lazily, openingOf, type Said, withProducer } from "./answers.ts";
import type { Answer, AuditContracts, AuditState } from "./contracts.ts";
import type { Posted, Run, Verifier } from "./parties.ts";

/** An audit that goes on. */
export interface Live {
  readonly posted: Posted;
  readonly salt: string;
  readonly openedAt: number;
  rounds: number;
  /** Whether a verifier that did none of the work has committed. */
  lazy: boolean;
}

/** How an audit ended. */
export interface Ended {
  readonly live: Live;
  readonly status: AuditStatus;
  readonly seconds: number;
}

/** What those who play an audit have to know. */
export interface AuditParts {
  readonly audits: AuditContracts;
  readonly keeper: string;
  /** Seconds of a tick: who cannot get a state waits for it as long as there is one left. */
  readonly tickSeconds: number;
  readonly lazy: boolean;
  /** The chain's clock, seconds. */
  readonly now: () => Promise<number>;
  readonly verifier: (nodeId: number) => Verifier | undefined;
  readonly isDelivered: (run: Run) => boolean;
  /** Told who has run the segment again. */
  readonly ran?: (node: GameNode) => void;
  readonly isUp: (party: { readonly downUntil: number }) => boolean;
}

/**
 * Makes the step that an audit is at, as far as those whose turn it is are up; what is late is moved on. Everything is read from the
 * chain and the states, so that it may be called at any time, and again after a reorganisation.
 *
 * @returns How it ended, once it has.
 */
export async function advance(live: Live, parts: AuditParts): Promise<Ended | undefined> {
  const { audits, keeper } = parts;
  const { segment } = live.posted;
  const state = await audits.auditOf(segment);
  const now = await parts.now();
  if (!isAuditRunning(state.status)) return { live, status: state.status, seconds: now - live.openedAt };
  if (parts.isDelivered(live.posted.run)) await audits.holdPayment(keeper, segment);
  if (now > state.due) {
    await audits.close(keeper, segment);
    return undefined;
  }
  if (state.status === "opening") {
    const { producer } = live.posted.run;
    const opening = openingOf(live.posted, live.salt, state.tries - 1);
    if (parts.isUp(producer)) await audits.openTrace(producer.node.operator.address, segment, opening);
  } else if (state.status === "verifying" || state.status === "revealing") {
    await verify(live, state, now, parts);
  } else {
    await vote(live, state, now, parts);
  }
  return undefined;
}

/** Settles with the members of a panel that is over. */
export async function collect({ posted: { segment } }: Live, { audits, keeper }: AuditParts): Promise<void> {
  const { members } = await audits.panelOf(segment);
  for (let place = 0; place < members.length; place++) await audits.collect(keeper, segment, place);
}

async function verify(live: Live, state: AuditState, now: number, parts: AuditParts): Promise<void> {
  const { audits, lazy } = parts;
  const { segment } = live.posted;
  const verifier = parts.verifier(state.verifierId);
  if (!verifier || !parts.isUp(verifier)) return;
  const { operator, nodeId } = verifier.node;
  const question = state.tries - 1;
  const said = lazy ? lazily(live.posted, live.salt, question) : says(verifier, live, question);
  const given = given_(said, segment.leaseId, segment.end.sequence, nodeId, question);
  if (state.status === "revealing") {
    const opened = traceAnswer(openingOf(live.posted, live.salt, question));
    await audits.reveal(operator.address, segment, given, opened);
    return;
  }
  if (waits(live, state, now, parts)) return;
  live.lazy ||= lazy;
  parts.ran?.(verifier.node);
  const shown = lazy ? undefined : shownBy(verifier, live, question, said);
  if (shown && (await audits.confirm(operator.address, segment, shown))) return;
  await audits.commit(operator.address, segment, wordOf(live, nodeId, question, given));
}

async function vote(live: Live, state: AuditState, now: number, parts: AuditParts): Promise<void> {
  const { audits } = parts;
  const { segment } = live.posted;
  const panel = await audits.panelOf(segment);
  live.rounds = Math.max(live.rounds, panel.round + 1);
  if (state.status === "voting" && waits(live, state, now, parts)) return;
  for (let place = panel.first; place < panel.members.length; place++) {
    const member = panel.members[place];
    const verifier = member && parts.verifier(member.nodeId);
    if (!verifier || !parts.isUp(verifier)) continue;
    const { operator, nodeId } = verifier.node;
    const question = PANEL_QUESTION + panel.round;
    const said = says(verifier, live, state.tries - 1, panel.round);
    const given = given_(said, segment.leaseId, segment.end.sequence, nodeId, question);
    if (state.status === "voting") {
      if (!member.committed) {
        parts.ran?.(verifier.node);
        const word = wordOf(live, nodeId, question, given);
        await audits.commitVote(operator.address, segment, place, word);
      }
    } else if (member.committed && !member.revealed) {
      await audits.revealVote(operator.address, segment, place, given);
    }
  }
}

/** Whether the states are not to be had now, and there is time to wait for their node to be back. */
function waits({ posted }: Live, { due }: AuditState, now: number, { isUp, tickSeconds }: AuditParts): boolean {
  return posted.withheld && !isUp(posted.run.producer) && now + tickSeconds <= due;
}

function says(verifier: Verifier, { posted, salt }: Live, question: number, round?: number): Said {
  if (!verifier.colludes) return honestly(posted, salt, question, round);
  return posted.conduct === "honest" ? againstProducer(posted, round) : withProducer(posted, salt, question, round);
}

/**
 * What a verifier shows at once that comes to what was posted: it has run the unit, and the checkpoint says the hashes of the others; a friend of
 * the producer has all from that one. Of states that only their node gives the hashes are missing, so that the long way is played as well.
 */
function shownBy({ colludes }: Verifier, { posted, salt }: Live, question: number, said: Said) {
  const opening = openingOf(posted, salt, question);
  const isSame = said.answer === traceAnswer(opening);
  return isSame && (colludes || !posted.withheld) ? opening : undefined;
}

function given_(said: Said, leaseId: number, sequence: number, nodeId: number, question: number): Answer {
  const secret = createHash("sha256").update([leaseId, sequence, nodeId, question].join()).digest("hex");
  return { ...said, vouched: true, salt: `0x${secret}` };
}

function wordOf({ posted: { segment } }: Live, nodeId: number, question: number, given: Answer): string {
  const { leaseId, end } = segment;
  return commitment({ leaseId, sequence: end.sequence, question, nodeId, ...given }, given.salt);
}
