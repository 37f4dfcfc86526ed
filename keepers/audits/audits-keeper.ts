import { type OpenedAudit, readAudits, type SegmentId, segmentWords } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import { isAuditRunning } from "@verai/client/enums";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { Payload } from "@verai/client/tx/queue";
import type { Logger } from "@verai/process/logger";
import { isDrawn } from "@verai/protocol/audits/draws";
import { NO_LINK } from "@verai/protocol/audits/segments";
import type { FinalityCheck } from "../finality.ts";
import type { Mirror } from "../mirror.ts";
import type { Sender } from "../sender.ts";
import type { AuditIndex } from "./audit-index.ts";
import { auditSteps, type AuditStep, type AuditView, keyOf } from "./audits-plan.ts";
import type { AuditsMetrics } from "./audits-metrics.ts";
import { readAuditView } from "./audits-view.ts";

/** Steps that one cycle takes at most: the next look shows what is left. */
const STEPS_AT_MOST = 8;

/** What the keeper of audits works with. */
export interface AuditsContext {
  readonly reader: Reader;
  readonly sender: Sender;
  readonly logger: Logger;
  readonly metrics: AuditsMetrics;
  readonly index: AuditIndex;
  readonly mirror: Mirror;
  /** Confirms what cannot be made good again. Left out: what the newest block says counts. */
  readonly finality?: FinalityCheck;
}

/**
 * Keeps audits going: opens epochs while something waits for a seed, opens the audits of drawn segments, moves on those whose step is
 * over, and settles with panels.
 *
 * It keeps no state that matters: each cycle looks at the chain and does what is due. Open to anyone. Nothing is paid for it but what
 * verifiers earn: who runs verifiers, or has work audited, has reason to.
 */
export class AuditsKeeper {
  readonly #context: AuditsContext;
  /** Drawn at a chance that turned out to be higher than the segment's, by segment and epoch. */
  readonly #notDrawn = new Set<string>();

  constructor(context: AuditsContext) {
    this.#context = context;
  }

  /**
   * One look and what follows from it, at most {@link STEPS_AT_MOST} transactions.
   *
   * @returns Whether anything was sent.
   */
  async cycle(): Promise<boolean> {
    const { logger, metrics } = this.#context;
    const view = await this.#view();
    const steps = auditSteps(view).filter((step) => step.kind !== "open" || !this.#notDrawn.has(openingKey(step)));
    metrics.running.set(view.audits.filter(({ status }) => isAuditRunning(status)).length);
    metrics.waiting.set(view.segments.filter(({ at, lease }) => at > view.covered && lease.asked > 0).length);
    const [last] = view.epochs;
    metrics.unanswered.set(last && !last.abandoned && last.seed === undefined ? view.now - last.to : 0);
    let sent = false;
    for (const step of steps.slice(0, STEPS_AT_MOST)) {
      if (!(await this.#isFinal(step))) continue;
      logger.info(step, `${step.kind}: due`);
      if (!(await this.#take(step))) continue;
      metrics.steps.inc({ step: step.kind });
      sent = true;
    }
    return sent;
  }

  /** The steps that are due. Sends nothing. */
  async look(): Promise<AuditStep[]> {
    return auditSteps(await this.#view());
  }

  async #view(): Promise<AuditView> {
    const { reader, index, mirror } = this.#context;
    const { leases } = await mirror.look();
    const block = await index.look();
    const view = await readAuditView(reader, index, leases, block);
    for (const { leaseId, sequence, status, unsettled, successors } of view.audits) {
      const over = status !== "none" && !isAuditRunning(status) && unsettled.length === 0 && successors.length === 0;
      if (over) index.markDone({ leaseId, sequence }, block.number);
    }
    const oldest = Math.min(view.covered, ...view.epochs.map(({ from }) => from));
    index.prune(new Set(leases.keys()), oldest);
    return view;
  }

  /** Sends a step, if it is still due. @returns Whether it went through. */
  async #take(step: AuditStep): Promise<boolean> {
    const { sender } = this.#context;
    const urgent = step.kind === "holdPayment" || step.kind === "close";
    return sender.send(labelOf(step), async () => this.#prepare(step), urgent);
  }

  /** @returns Null if somebody else has taken it meanwhile. */
  async #prepare(step: AuditStep): Promise<Payload | null> {
    const { audits, auditEpochs } = this.#context.reader.contracts;
    if (step.kind === "openEpoch") {
      // Refused if another keeper was faster: the next is too soon then.
      return auditEpochs.openEpoch.populateTransaction(step.leaseId);
    }
    if (step.kind === "open") return this.#open(step);
    const opened = this.#openedOf(step);
    const now = await this.#context.reader.block();
    const [state] = await readAudits(this.#context.reader, now, [step]);
    if (!opened || !state) return null;
    const { leaseId, sequence } = step;
    if (step.kind === "holdPayment") {
      return isAuditRunning(state.status) ? audits.holdPayment.populateTransaction(leaseId, sequence) : null;
    }
    if (step.kind === "close") {
      return isAuditRunning(state.status) && now.timestamp > state.due
        ? audits.close.populateTransaction(segmentWords(opened))
        : null;
    }
    if (step.kind === "revoke") return audits.revokeSuccessor.populateTransaction(segmentWords(opened), step.successor);
    const member = state.panel.members[step.place];
    return member && !member.settled ? audits.collect.populateTransaction(segmentWords(opened), step.place) : null;
  }

  async #open(step: Extract<AuditStep, { kind: "open" }>): Promise<Payload | null> {
    const { reader, index, logger } = this.#context;
    const { audits, auditEpochs } = reader.contracts;
    const { leaseId, sequence, epochId } = step;
    // The links lead to the newest checkpoint: those that were posted since the look count as well.
    const now = await index.look();
    const [state] = await readAudits(reader, now, [step]);
    if (state?.status !== "none") return null;
    const proof = await index.proofOf(step);
    if (!proof) {
      logger.warn(step, "not opened: the endpoint has not all checkpoints of the lease");
      return null;
    }
    const salt = await answer(auditEpochs.saltOf(epochId, leaseId, sequence, blockTag(now)));
    const segment = { leaseId, salt, before: proof.before ?? NO_LINK, end: proof.end };
    const chance = await answer(audits.chanceOf(segment, blockTag(now)));
    if (!isDrawn(salt, Number(chance))) {
      this.#notDrawn.add(openingKey(step));
      return null;
    }
    return audits.open.populateTransaction({ segment, head: proof.head, later: [...proof.later] }, epochId);
  }

  #openedOf(segment: SegmentId): OpenedAudit | undefined {
    return this.#context.index.audits().find((each) => keyOf(each) === keyOf(segment));
  }

  /**
   * Whether what cannot be made good again also is so at a block that is not undone: the end of a step, which may take a node's stake for
   * what it sent in time, and the end of an epoch whose seed may still come.
   */
  async #isFinal(step: AuditStep): Promise<boolean> {
    const { finality, logger } = this.#context;
    if (!finality || (step.kind !== "close" && !(step.kind === "openEpoch" && step.abandons !== undefined)))
      return true;
    const found = await finality.holds(async (at) => {
      return step.kind === "close" ? this.#isOver(step, at) : this.#isUnanswered(step.abandons ?? 0, at);
    });
    if (found.holds) return true;
    logger.info({ ...step, why: found.why }, `${step.kind}: not yet`);
    return false;
  }

  async #isOver(segment: SegmentId, at: BlockReference): Promise<boolean> {
    const { reader } = this.#context;
    const newest = await reader.block();
    const [[then], [now]] = await Promise.all([
      readAudits(reader, at, [segment]),
      readAudits(reader, newest, [segment]),
    ]);
    return then !== undefined && then.status === now?.status && then.due === now.due && at.timestamp > then.due;
  }

  async #isUnanswered(epochId: number, at: BlockReference): Promise<boolean> {
    const { reader } = this.#context;
    const { auditEpochs, seeds } = reader.contracts;
    const [epoch, { seedTimeout }] = await Promise.all([
      answer(auditEpochs.epoch(epochId, blockTag(at))),
      reader.parameters(at),
    ]);
    const seed = BigInt(await answer(seeds.seedOf(epoch.requestId, blockTag(at))));
    return seed === 0n && at.timestamp > Number(epoch.to) + seedTimeout;
  }
}

function openingKey(step: SegmentId & { readonly epochId: number }): string {
  return `${keyOf(step)} ${String(step.epochId)}`;
}

function labelOf(step: AuditStep): string {
  if (step.kind === "openEpoch") return "open an epoch of audits";
  const segment = `checkpoint ${String(step.sequence)} of lease ${String(step.leaseId)}`;
  return {
    open: `open the audit of ${segment}`,
    close: `move on the audit of ${segment}`,
    holdPayment: `hold the payment for the audit of ${segment}`,
    collect: `settle with the panel of ${segment}`,
    revoke: `revoke what went on from ${segment}`,
  }[step.kind];
}
