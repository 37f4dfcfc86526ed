import { type AuditStatus, isAuditRunning } from "@verai/client/enums";
import { PANEL_QUESTION } from "@verai/protocol/audits/draws";

/** A node's place on a panel. */
export interface PanelMember {
  readonly nodeId: number;
  readonly settled: boolean;
  /** 1: counted against the producer, -1: for it, 0: for neither. */
  readonly side: number;
  readonly committed: boolean;
  readonly revealed: boolean;
}

/** An audit, as the chain has it. Times in seconds. */
export interface AuditView {
  readonly status: AuditStatus;
  /** Verifiers that were drawn so far. */
  readonly tries: number;
  readonly verifierId: number;
  /** When the step ends. */
  readonly due: number;
  readonly panel: {
    readonly round: number;
    /** First member of the round. */
    readonly first: number;
    readonly members: readonly PanelMember[];
  };
}

/** What is on this machine of an audit. */
export interface LocalAudit {
  readonly nodeId: number;
  /** Whether the segment is this node's. */
  readonly isProducer: boolean;
  /**
   * What came of the examination: an answer to commit to; the very trace that was posted, which can be shown at once; or, once it is over,
   * nothing to answer.
   */
  readonly examined: "no" | "answer" | "trace" | "nothing";
  /** Questions that were answered: what hides the answers is kept. */
  readonly answered: readonly number[];
}

/** What the agent should do about one audit. */
export type AuditStep =
  | { readonly kind: "examine" }
  | { readonly kind: "confirm"; readonly question: number }
  | { readonly kind: "commit"; readonly question: number }
  | { readonly kind: "open"; readonly question: number }
  | { readonly kind: "reveal"; readonly question: number }
  | { readonly kind: "vote"; readonly question: number; readonly place: number }
  | { readonly kind: "reveal vote"; readonly question: number; readonly place: number }
  | { readonly kind: "collect"; readonly place: number }
  | { readonly kind: "forget" };

/**
 * What to do about one audit, from what the chain says and what is on this machine. Pure and level-triggered: an agent that was
 * killed anywhere comes to the same step again, and a step that has taken effect is not planned again. Undefined: wait.
 *
 * - The drawn verifier examines the segment. If it finds the trace that was posted it opens it, and the audit is over; else it commits, and
 *   reveals once the producer has opened its trace.
 * - The producer opens the leaves that the verifier's question asks for.
 * - A member of a panel examines, commits in its round, and reveals when all have committed. One that has lost what hid its
 *   answer commits again as long as its round takes votes.
 * - What is over is collected where it pays, and forgotten.
 *
 * O(members of the panel).
 *
 * @param now Chain time, seconds.
 */
export function planAudit(audit: AuditView, local: LocalAudit, now: number): AuditStep | undefined {
  const { status, tries, verifierId, due, panel } = audit;
  const { nodeId, isProducer, answered } = local;
  const question = tries - 1;
  const isVerifier = verifierId === nodeId;
  if (!isAuditRunning(status))
    return status === "none" ? undefined : (collectable(audit, nodeId) ?? { kind: "forget" });
  // What comes late reverts; anyone moves the audit on.
  if (now > due) return undefined;
  switch (status) {
    case "verifying":
      if (!isVerifier) return undefined;
      return examineThen(local, { kind: local.examined === "trace" ? "confirm" : "commit", question });
    case "opening":
      return isProducer ? { kind: "open", question } : undefined;
    case "revealing":
      return isVerifier && answered.includes(question) ? { kind: "reveal", question } : undefined;
    default: {
      const asked = PANEL_QUESTION + panel.round;
      const place = panel.members.findIndex((member, i) => i >= panel.first && member.nodeId === nodeId);
      const member = panel.members[place];
      if (!member) return undefined;
      const isMine = member.committed && answered.includes(asked);
      if (status === "voting") return isMine ? undefined : examineThen(local, { kind: "vote", question: asked, place });
      return isMine && !member.revealed ? { kind: "reveal vote", question: asked, place } : undefined;
    }
  }
}

function examineThen({ examined }: LocalAudit, step: AuditStep): AuditStep | undefined {
  if (examined === "nothing") return undefined;
  return examined === "no" ? { kind: "examine" } : step;
}

/** A place of this node on the panel that is paid. */
function collectable({ status, panel }: AuditView, nodeId: number): AuditStep | undefined {
  const isDecided = status !== "undecided" && status !== "unverified";
  const right = status === "passed" ? -1 : 1;
  const place = panel.members.findIndex(
    (member) => member.nodeId === nodeId && !member.settled && (isDecided ? member.side === right : member.revealed),
  );
  return place < 0 ? undefined : { kind: "collect", place };
}
