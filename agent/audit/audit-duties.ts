import type { TransactionReceipt } from "ethers";

import {
  drawsOf,
  type OpenedAudit,
  openingsOf,
  readAudits,
  type SegmentId,
  segmentOf,
  segmentWords,
  toOpened,
  toOpenedAnswer,
  tracesOf,
} from "@verai/client/audit-reads";
import type { AuditState } from "@verai/client/audit-reads";
import type { BlockReference } from "@verai/client/block-reference";
import { isAuditRunning } from "@verai/client/enums";
import { LogScanner } from "@verai/client/event-logs";
import { answer, blockTag } from "@verai/client/readers";
import type { Payload, TransactionRequest } from "@verai/client/tx/queue";
import type { Session } from "@verai/client/session";
import { commitment, NO_HEAD } from "@verai/protocol/audits/segments";
import type { ProvedOpening } from "@verai/protocol/audits/trace";
import type { Logger } from "@verai/process/logger";
import { answerTo, freshLeaf, openingTo } from "./answer.ts";
import { answerIn, type AuditBook, type Duty, type Examined, type GivenAnswer, nameOf } from "./audit-book.ts";
import type { AuditMetrics } from "./audit-metrics.ts";
import { type AuditStep, type LocalAudit, planAudit } from "./audit-plan.ts";
import { planEnlistment } from "./enlistment.ts";
import type { Examiner } from "./examiner.ts";
import type { PostedSegments } from "./posted-segments.ts";
import type { ProducerTraces } from "./producer-traces.ts";
import type { SegmentRetention } from "./segment-retention.ts";

/** Blocks before the newest that was looked at which are looked at again, and blocks that a first look goes back. */
const [OVERLAP, FIRST_LOOK] = [32, 86_400];
/** Leases that one request for events names. */
const LEASES_AT_ONCE = 200;
/** Share of the time for an answer that is left for sending it, and the least of it, seconds. */
const [SENDING_SHARE, SENDING_SECONDS] = [0.15, 6];
/** A state that is not to be had is asked for again until this share of the time is left. */
const LAST_SHARE = 0.35;
/** Pause before that, and after an examination that could not be made, milliseconds. */
const PAUSE_MS = 10_000;
/** Audits that the chain does not show for so long are forgotten, seconds: they were undone. */
const LOST_SECONDS = 3600;
/**
 * Gas of counting a round, ending the audit, or drawing the next round. A vote that is simulated before another one has landed, and
 * mined after it, may be the last of its round, which does that.
 */
const COUNT_GAS = 3_000_000n;
/** Longer than any audit, and than what it pays waits for its members, seconds. */
const MAX_SECONDS = 14 * 86_400;
/** Between two rounds of letting states go, and between two looks at the enlistment and at how long steps take, milliseconds. */
const [ROUND_MS, ENLISTMENT_MS] = [15_000, 60_000];
/** New audits are looked for so many times in the time that a step of an audit has: on BASE every 15 seconds. */
const LOOKS_A_STEP = 60;

/** What a node takes part in audits with. */
export interface AuditParts {
  readonly session: Session;
  readonly nodeId: number;
  readonly book: AuditBook;
  readonly posted: PostedSegments;
  readonly traces: ProducerTraces;
  readonly retention: SegmentRetention;
  readonly examiner: Pick<Examiner, "examine" | "tidy">;
  /** Whether the node's owner wants it to verify. */
  readonly verify: boolean;
  /** Segments that are examined at the same time. */
  readonly atOnce: number;
  /** Sends a transaction of the operator; null if nothing needed to be done. */
  readonly send: (label: string, prepare: TransactionRequest["prepare"]) => Promise<TransactionReceipt | null>;
  readonly metrics: AuditMetrics;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** What a node has to do with audits, for `/health`. */
export interface AuditSummary {
  readonly verifies: boolean;
  readonly open: readonly {
    readonly lease: number;
    readonly segment: number;
    readonly part: "producer" | "verifier";
    readonly status: string;
  }[];
  /** Chain time until which this node's own segments can be asked for, at most; 0: none can. */
  readonly answersUntil: number;
}

/**
 * A node's part in audits: it notices by the chain's events that name it, or its leases, that it was drawn or is audited, and does what is
 * missing until the audit is over. Work in a cycle follows its own audits, whatever the network's size.
 *
 * Level-triggered: each step is planned from the chain and the disk. What an answer is hidden by is durable before it is committed to.
 */
export class AuditDuties {
  readonly #parts: AuditParts;
  readonly #scanner: LogScanner;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<void>>();
  /** When an examination may be tried again, by audit. */
  readonly #paused = new Map<string, number>();
  readonly #stop = new AbortController();
  #cursor: number | undefined;
  #roundDue = 0;
  #enlistmentDue = 0;
  /** Chain time from which on new audits are looked for again, and the time between two looks, seconds. */
  #noticeDue = 0;
  #noticeEvery = 0;
  #summary: AuditSummary = { verifies: false, open: [], answersUntil: 0 };

  constructor(parts: AuditParts) {
    this.#parts = parts;
    this.#scanner = new LogScanner(parts.session.provider);
    this.#now = parts.now ?? (() => performance.now());
  }

  /** What it had to do at the end of the last cycle. */
  get summary(): AuditSummary {
    return this.#summary;
  }

  /**
   * One look, and what follows from it. A node that has nothing to do asks the chain nothing in most of its cycles.
   *
   * @param seen A block that was the newest a moment ago; left out: the newest is asked for.
   * @returns whether there was something to do.
   */
  async cycle(seen?: BlockReference): Promise<boolean> {
    const { session, book, metrics } = this.#parts;
    // Never older than what was looked at: nothing is to be looked for twice.
    const block = seen && seen.number >= (this.#cursor ?? 0) ? seen : await session.reader.block();
    if (block.timestamp >= this.#noticeDue) {
      await this.#notice(block);
      this.#noticeDue = block.timestamp + this.#noticeEvery;
    }
    const duties = await book.duties();
    const audits = await readAudits(session.reader, block, duties);
    const open = { producer: 0, verifier: 0 };
    const shown: AuditSummary["open"][number][] = [];
    for (const [i, duty] of duties.entries()) {
      const audit = audits[i];
      if (!audit) continue;
      const part = duty.isProducer ? "producer" : "verifier";
      if (isAuditRunning(audit.status)) {
        open[part] += 1;
        shown.push({ lease: duty.leaseId, segment: duty.sequence, part, status: audit.status });
      }
      await this.#advance(duty, audit, block);
    }
    metrics.open.set({ part: "producer" }, open.producer);
    metrics.open.set({ part: "verifier" }, open.verifier);
    if (this.#now() >= this.#roundDue) await this.#round(block);
    const { verifies } = this.#summary;
    this.#summary = { verifies, open: shown, answersUntil: this.#parts.retention.until };
    return shown.length > 0;
  }

  /** Ends what runs, and says if the node still has to answer. */
  async stop(): Promise<void> {
    const { answersUntil, open } = this.#summary;
    if (answersUntil > 0 || open.length > 0) {
      this.#parts.logger.warn(
        { until: answersUntil, open },
        "audits may still ask this node for its states: start again soon, or it loses stake when one does",
      );
    }
    this.#stop.abort(new Error("the agent is leaving"));
    await Promise.all(this.#running.values());
  }

  /** Looks for audits of this node's segments, and for those that it was drawn for. Two requests, and one for each new audit. */
  async #notice(block: BlockReference): Promise<void> {
    const { session, nodeId, book, posted } = this.#parts;
    const chainId = Number((await session.provider.getNetwork()).chainId);
    const address = await session.contracts.audits.getAddress();
    const known = this.#cursor ?? (await book.cursor(nodeId, chainId));
    const isKnown = known !== undefined && known <= block.number;
    const from = Math.max(0, isKnown ? known - OVERLAP : block.number - FIRST_LOOK);
    const drawn = await this.#scanner.scan(drawsOf(address, nodeId), from, block.number);
    const leaseIds = await posted.leases();
    for (let i = 0; i < leaseIds.length; i += LEASES_AT_ONCE) {
      const filter = openingsOf(address, leaseIds.slice(i, i + LEASES_AT_ONCE));
      for (const log of await this.#scanner.scan(filter, from, block.number)) {
        const opened = toOpened(session.contracts.audits, log);
        if (opened) await this.#note(opened, true, block);
      }
    }
    const asked = new Map(drawn.map((log) => [nameOf(segmentOf(log)), segmentOf(log)]));
    for (const segment of asked.values()) {
      const opened = await this.#openingOf(address, segment, block);
      if (opened) await this.#note(opened, false, block);
    }
    if (block.number === known) return;
    await book.moveCursor(nodeId, chainId, block.number);
    this.#cursor = block.number;
  }

  async #note(opened: OpenedAudit, isProducer: boolean, block: BlockReference): Promise<void> {
    const { book, session, logger } = this.#parts;
    const duties = await book.duties();
    const known = duties.find((duty) => nameOf(duty) === nameOf(opened));
    if (known?.salt === opened.salt && known.end.digest === opened.end.digest) return;
    // Looked at again after a restart: it may be long over.
    const [audit] = await readAudits(session.reader, block, [opened]);
    if (!known && audit && audit.status !== "none" && !isAuditRunning(audit.status)) return;
    await book.note(opened, isProducer, block);
    const { leaseId: lease, sequence: segment } = opened;
    logger.info({ lease, segment }, isProducer ? "a segment of this node is audited" : "drawn to verify a segment");
  }

  /** The opening of an audit; undefined if the chain no longer shows it. */
  async #openingOf(address: string, segment: SegmentId, block: BlockReference): Promise<OpenedAudit | undefined> {
    const { session, book } = this.#parts;
    const known = (await book.duties()).find((duty) => nameOf(duty) === nameOf(segment));
    let found: OpenedAudit | undefined;
    const filter = openingsOf(address, [segment.leaseId], segment.sequence);
    const down = known ? Math.max(0, known.block - OVERLAP) : Math.max(0, block.number - FIRST_LOOK);
    // Old enough that it is not undone.
    if (known && block.number > known.block + OVERLAP) return known;
    await this.#scanner.back(filter, block.number, down, (logs) => {
      const log = logs.at(-1);
      found = log && toOpened(session.contracts.audits, log);
      return found !== undefined;
    });
    return found ?? known;
  }

  async #advance(duty: Duty, audit: AuditState, block: BlockReference): Promise<void> {
    const { nodeId, book, logger } = this.#parts;
    const name = nameOf(duty);
    const now = block.timestamp;
    try {
      const age = now - duty.seenAt;
      if (age > (audit.status === "none" ? LOST_SECONDS : MAX_SECONDS)) return await this.#forget(duty, audit);
      const examined = duty.isProducer || !isAuditRunning(audit.status) ? undefined : await book.examined(duty);
      const answered = Object.keys(duty.answers).flatMap((key) => {
        const [salt, question] = key.split(" ");
        return salt === duty.salt ? [Number(question)] : [];
      });
      const local = {
        ...{ nodeId, isProducer: duty.isProducer, answered },
        examined: examinedAs(duty, audit, examined),
      };
      const step = planAudit(audit, local, now);
      if (step?.kind === "examine") this.#examine(duty, audit, now);
      else if (step) await this.#take(duty, audit, step, examined);
    } catch (error) {
      logger.error({ err: error, lease: duty.leaseId, segment: duty.sequence }, `audit ${name} failed, trying again`);
    }
  }

  /** Begins an examination beside the cycles, unless it runs, or too many do. */
  #examine(duty: Duty, audit: AuditState, now: number): void {
    const name = nameOf(duty);
    const { atOnce, examiner, book, metrics, logger } = this.#parts;
    const sameLease = [...this.#running.keys()].some((each) => each.startsWith(`${String(duty.leaseId)}-`));
    if (sameLease || this.#running.size >= atOnce || this.#now() < (this.#paused.get(name) ?? 0)) return;
    const left = audit.due - now;
    const seconds = left - Math.max(SENDING_SECONDS, left * SENDING_SHARE);
    if (seconds <= 0) return;
    const last = this.#now() + 1000 * seconds * (1 - LAST_SHARE);
    const { leaseId: lease, sequence: segment } = duty;
    const run = async () => {
      try {
        const examined = await examiner.examine(duty, Math.floor(seconds * 1000), this.#stop.signal);
        const { kind } = examined.outcome;
        if (kind === "unavailable" && this.#now() < last) {
          this.#paused.set(name, this.#now() + PAUSE_MS);
          return;
        }
        await book.keepExamined(duty, examined);
        metrics.examined.inc({ outcome: kind });
        logger.info(
          { lease, segment, outcome: kind, ...("why" in examined.outcome && { why: examined.outcome.why }) },
          "a segment was examined",
        );
        await examiner.tidy(duty);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#paused.set(name, this.#now() + PAUSE_MS);
        if (error instanceof DOMException && error.name === "TimeoutError") {
          logger.warn(
            { lease, segment, seconds },
            "a segment was not examined in time: spec, key or states came too late",
          );
        } else logger.error({ err: error, lease, segment }, "a segment cannot be examined now, trying again");
      }
    };
    const running = run().finally(() => this.#running.delete(name));
    this.#running.set(name, running);
  }

  async #take(duty: Duty, audit: AuditState, step: AuditStep, examined: Examined | undefined): Promise<void> {
    const { session, metrics, logger } = this.#parts;
    const { leaseId, sequence } = duty;
    const { audits } = session.contracts;
    const segment = segmentWords(duty);
    const sent = async (prepare: TransactionRequest["prepare"]) => {
      const label = `${step.kind} of audit ${nameOf(duty)}`;
      if (!(await this.#parts.send(label, () => this.#unchanged(duty, audit, prepare)))) return;
      metrics.steps.inc({ step: step.kind });
      logger.info({ lease: leaseId, segment: sequence, step: step.kind }, "a step of an audit is on chain");
    };
    switch (step.kind) {
      case "examine":
        return;
      case "forget":
        return this.#forget(duty, audit);
      case "confirm": {
        const opening = examined && openingOf(duty, step.question, examined);
        if (!opening) return;
        const [words, paths] = wordsOf(opening);
        return sent(() => audits.confirm.populateTransaction(segment, words, paths));
      }
      case "commit": {
        const given = await this.#answer(duty, step.question, examined);
        if (!given) return;
        const word = this.#commitment(duty, step.question, given);
        return sent(() => audits.commit.populateTransaction(leaseId, sequence, word));
      }
      case "vote": {
        const given = await this.#answer(duty, step.question, examined);
        if (!given) return;
        const word = this.#commitment(duty, step.question, given);
        return sent(() => audits.commitVote.populateTransaction(leaseId, sequence, step.place, word));
      }
      case "open":
        return this.#open(duty, step.question, sent);
      case "reveal": {
        const given = answerIn(duty, step.question);
        if (!given) return;
        const opened = await this.#openedAnswer(duty);
        return sent(() => audits.reveal.populateTransaction(segment, given, opened ?? given.answer));
      }
      case "reveal vote": {
        const given = answerIn(duty, step.question);
        if (!given) return;
        return sent(async () => ({
          ...(await audits.revealVote.populateTransaction(segment, step.place, given)),
          gasReserve: COUNT_GAS,
        }));
      }
      case "collect":
        return sent(() => audits.collect.populateTransaction(segment, step.place));
    }
  }

  async #open(
    duty: Duty,
    question: number,
    sent: (prepare: TransactionRequest["prepare"]) => Promise<void>,
  ): Promise<void> {
    const { traces, session, logger } = this.#parts;
    const opening = await traces.open(duty.end.traceRoot, duty.salt, question);
    if (!opening) {
      const { leaseId: lease, sequence } = duty;
      logger.error(
        { lease, segment: sequence },
        "the trace that an audit asks for is no longer here: stake will be lost",
      );
      return;
    }
    const [words, paths] = wordsOf(opening);
    const { audits } = session.contracts;
    await sent(() => audits.openTrace.populateTransaction(segmentWords(duty), words, paths));
  }

  /** What this node answers, written down; undefined if there is nothing to answer. */
  async #answer(duty: Duty, question: number, examined: Examined | undefined): Promise<GivenAnswer | undefined> {
    if (!examined) return undefined;
    const { outcome, vouched } = examined;
    const given = answerTo(outcome, duty.salt, question);
    if (given === undefined) return undefined;
    const isPanel = question >= 256;
    const fresh = (isPanel ? freshLeaf(outcome, duty.salt, question) : undefined) ?? NO_HEAD;
    return this.#parts.book.answer(duty, question, { answer: given, fresh, vouched });
  }

  #commitment({ leaseId, sequence }: Duty, question: number, given: GivenAnswer): string {
    const { answer: word, fresh, vouched, salt } = given;
    const { nodeId } = this.#parts;
    return commitment({ leaseId, sequence, question, nodeId, answer: word, fresh, vouched }, salt);
  }

  /** What the producer opened; undefined if the chain does not show it. */
  async #openedAnswer(duty: Duty): Promise<string | undefined> {
    const { session } = this.#parts;
    const address = await session.contracts.audits.getAddress();
    const block = await session.reader.block();
    let found: string | undefined;
    await this.#scanner.back(tracesOf(address, duty), block.number, Math.max(0, duty.block - OVERLAP), (logs) => {
      const log = logs.at(-1);
      found = log && toOpenedAnswer(log);
      return found !== undefined;
    });
    return found;
  }

  /** The transaction, if the audit is still at the step that it was planned for, right before it is sent. */
  async #unchanged(duty: Duty, before: AuditState, prepare: TransactionRequest["prepare"]): Promise<Payload | null> {
    const { reader } = this.#parts.session;
    const [now] = await readAudits(reader, await reader.block(), [duty]);
    const isSame =
      now?.status === before.status && now.tries === before.tries && now.panel.round === before.panel.round;
    return isSame ? prepare() : null;
  }

  async #forget(duty: Duty, { status }: AuditState): Promise<void> {
    const { book, examiner, metrics, logger } = this.#parts;
    const { leaseId: lease, sequence: segment } = duty;
    if (duty.isProducer && status !== "none") {
      metrics.own.inc({ status });
      const isGood = status === "passed" || status === "undecided" || status === "unverified";
      const said = `an audit of this node's work ended: ${status}`;
      if (isGood) logger.info({ lease, segment }, said);
      else logger.error({ lease, segment }, said);
    }
    if (!duty.isProducer) await examiner.tidy(duty);
    this.#paused.delete(nameOf(duty));
    await book.forget(duty);
  }

  async #round(block: BlockReference): Promise<void> {
    const { retention, logger } = this.#parts;
    this.#roundDue = this.#now() + ROUND_MS;
    try {
      await retention.keep(block);
      if (this.#now() >= this.#enlistmentDue) await this.#enlist(block);
    } catch (error) {
      logger.error({ err: error }, "states kept for audits, or the enlistment, cannot be looked at now");
    }
  }

  /** Has the enlistment be what the owner wants. One request. */
  async #enlist(block: BlockReference): Promise<void> {
    const { session, nodeId, verify, logger } = this.#parts;
    const { reader, contracts } = session;
    const [node, enlisted, terms] = await Promise.all([
      reader.node(block, nodeId),
      answer(contracts.auditEpochs.enlistmentOf(nodeId, blockTag(block))),
      answer(contracts.auditEpochs.terms(blockTag(block))),
    ]);
    this.#noticeEvery = Number(terms.step) / LOOKS_A_STEP;
    if (!node) return;
    const now = { classId: Number(enlisted.classId), enlistedAt: Number(enlisted.enlistedAt) };
    const wanted = planEnlistment(now, node, verify);
    const isOn = wanted ?? now.enlistedAt !== 0;
    if (wanted !== undefined) {
      const label = wanted ? "enlist as verifier" : "verify no longer";
      await this.#parts.send(label, () => contracts.auditEpochs.enlist.populateTransaction(nodeId, wanted));
      logger.info(
        { node: nodeId },
        wanted ? "this node verifies segments of its class" : "this node verifies no longer",
      );
    }
    this.#summary = { ...this.#summary, verifies: isOn };
    // Otherwise it is looked at again in the next round.
    if (wanted === undefined && isOn === verify) this.#enlistmentDue = this.#now() + ENLISTMENT_MS;
  }
}

/** What came of an examination for the step that an audit is at; what a single verifier can show matters to nobody else. O(leaves). */
function examinedAs(duty: Duty, { status, tries }: AuditState, examined: Examined | undefined): LocalAudit["examined"] {
  if (!examined) return "no";
  if (examined.outcome.kind === "failed") return "nothing";
  return status === "verifying" && openingOf(duty, tries - 1, examined) ? "trace" : "answer";
}

function openingOf({ salt, end }: Duty, question: number, { outcome }: Examined): ProvedOpening | undefined {
  return openingTo(outcome, salt, question, end.traceRoot);
}

/** An opening as the contracts take it. */
function wordsOf({ units, place, unit, count, probe, end, probePath, endPath, unitPath }: ProvedOpening) {
  const ends = { probeStep: probe.step, probeDigest: probe.digest, endStep: end.step, endDigest: end.digest };
  const paths = { probe: [...probePath], end: [...endPath], unit: [...unitPath] };
  return [{ units, place, unit, count, ...ends }, paths] as const;
}
