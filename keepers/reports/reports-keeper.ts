import type { ReportState } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, type Reader } from "@verai/client/readers";
import { refusalOf, type ReportFacts } from "@verai/client/report-refusal";
import { packReports, type SignedReport } from "@verai/client/report";
import { readCredit, readTotals } from "@verai/client/telemetry";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import { Budget } from "@verai/system/budget";
import type { Logger } from "@verai/process/logger";
import type { Sender } from "../sender.ts";
import { monotonicMs } from "@verai/system/clock";
import { type BatchBounds, planBatch } from "./report-batch.ts";
import { ReportInbox } from "./inbox.ts";
import { parseReport } from "./message.ts";
import type { ReportsMetrics } from "./reports-metrics.ts";
import { silentNodes } from "../failover/batch-view.ts";
import { Mirror, type MirrorLook } from "../mirror.ts";
import { nodeReportSteps } from "./reports-plan.ts";

/** Leases that one transaction sets against their baselines. */
const CREDITS = 40;

/** Seconds between two looks at whether a paid lease can be set against its baseline. */
const CREDIT_PAUSE = 15;

/** Seconds after its delivery in which a lease may still be reported on. */
const LATE_REPORTS = 3600;

/** Longest time-out that counts for reports, seconds. */
const MAX_TIMEOUT = 65_535;

/** Reports that do not come over the network. */
const OWN: Pick<Requester, "peer" | "address" | "prove"> = { peer: "", address: "", prove: () => undefined };

/** What the energy keeper works with. */
export interface ReportsContext {
  readonly reader: Reader;
  readonly sender: Sender;
  readonly logger: Logger;
  readonly metrics: ReportsMetrics;
  readonly bounds: BatchBounds;
  /** What the chain has; left out: one of its own. */
  readonly mirror?: Mirror | undefined;
  /** Monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/** What became of a report that an agent sent. */
export type Receipt = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/**
 * Collects agents' reports and posts them in batches; throttles, frees and lapses nodes; sets paid work against baselines.
 *
 * All that it decides it reads from the chain; the reports that wait are in memory, and agents send them again if they are
 * lost. Any number of keepers may run.
 */
export class ReportsKeeper {
  readonly #context: ReportsContext;
  readonly #now: () => number;
  readonly #inbox = new ReportInbox();
  readonly #mirror: Mirror;
  #facts = new Map<number, ReportFacts>();
  readonly #peers = new Budget({ perSecond: 2, burst: 24 });
  readonly #addresses = new Budget({ perSecond: 50, burst: 400 });
  /** Signatures checked for all: one takes about a millisecond. */
  readonly #all = new Budget({ perSecond: 200, burst: 1_000, maxNames: 1 });

  constructor(context: ReportsContext) {
    this.#context = context;
    this.#now = context.now ?? monotonicMs;
    this.#mirror = context.mirror ?? new Mirror(context.reader);
  }

  /**
   * Takes a report from an agent. `body` may be anything. What would be refused on chain is refused here, with the reason; no
   * call is made for it. In this order, the cheap before the dear: shape, what the last look at the chain shows of the node,
   * budgets, the signature.
   *
   * @param requester - who sent it; anybody may relay a report
   */
  receive(body: unknown, requester: Pick<Requester, "peer" | "address" | "prove"> = OWN): Receipt {
    const { metrics } = this.#context;
    metrics.received.inc();
    const refuse = (reason: string): Receipt => {
      metrics.refused.inc({ reason });
      return { accepted: false, reason };
    };
    const signed = parseReport(body);
    if (!signed) return refuse("malformed");
    const { nodeId, sequence } = signed.report;
    const facts = this.#facts.get(nodeId);
    if (!facts) return refuse("unknownNode");
    if (!facts.inMarket) return refuse("notInMarket");
    if (sequence <= facts.sequence) return refuse("sequenceNotGrowing");
    if (this.#inbox.has(signed)) return { accepted: true };
    if (!this.#inbox.hasRoom(nodeId)) return refuse("no room");
    if (!this.#peers.take(requester.peer) || !this.#addresses.take(requester.address) || !this.#all.take("")) {
      return refuse("too many");
    }
    // Held against the last look at the chain; whether its time has come is seen when it is posted.
    const reason = refusalOf(signed, facts);
    if (reason !== undefined && (reason !== "periodInvalid" || signed.report.period === 0)) return refuse(reason);
    requester.prove();
    return this.#inbox.add(signed, this.#now()) ? { accepted: true } : refuse("no room");
  }

  /**
   * One look and what follows from it. Calls: those of the mirror, one view for 500 late nodes, and those of paid leases whose time to be
   * looked at has come. In memory O(nodes), for what reports are held against.
   *
   * @returns Whether a transaction went through.
   */
  async cycle(): Promise<boolean> {
    const { reader, metrics } = this.#context;
    const look = await this.#mirror.look();
    const { block } = look;
    const [totals, { reportTimeout }] = await Promise.all([readTotals(reader, block), reader.parameters(block)]);
    const reportStates = new Map([...look.nodes].map(([id, { reportState }]) => [id, reportState]));
    this.#facts = await this.#readFacts(look, reportTimeout);
    metrics.averageLoad.set(totals.capacity === 0 ? 0 : totals.load / totals.capacity);
    metrics.watts.set(totals.watts);
    metrics.throttled.set(totals.throttledNodes);
    const posted = await this.#post();
    const stepped = await this.#step(look, reportStates, reportTimeout);
    const credited = await this.#credit(block);
    return posted || stepped || credited;
  }

  async #post(): Promise<boolean> {
    const { sender, metrics, bounds, logger, reader } = this.#context;
    const { post, refused } = planBatch(this.#inbox, (id) => this.#facts.get(id), bounds, this.#now());
    for (const { signed, reason } of refused) {
      if (reason !== "sequenceNotGrowing") {
        metrics.refused.inc({ reason });
        logger.warn({ reason, report: signed.report }, "report refused, nothing was paid for it");
      }
    }
    const over = new Set(refused.map(({ signed }) => signed));
    this.#inbox.settle((signed) => over.has(signed));
    metrics.waiting.set(this.#inbox.size);
    if (post.length === 0) return false;
    let batch: readonly SignedReport[] = [];
    const sent = await sender.send(`post ${post.length} reports`, async () => {
      batch = await this.#acceptable(post);
      return batch.length === 0 ? null : reader.contracts.telemetry.post.populateTransaction(packReports(batch));
    });
    if (sent) {
      metrics.posted.inc(batch.length);
      logger.info({ reports: batch.length, nodes: batch.map(({ report }) => report.nodeId) }, "reports posted");
    }
    return sent;
  }

  /** Those that the chain would take now: somebody else may have posted some, and leases may be another node's. */
  async #acceptable(batch: readonly SignedReport[]): Promise<readonly SignedReport[]> {
    const { telemetry } = this.#context.reader.contracts;
    const taken = await answer(telemetry.post.staticCall(packReports(batch)));
    if (Number(taken) === batch.length) return batch;
    const good: SignedReport[] = [];
    const bad = new Set<SignedReport>();
    for (const signed of batch) {
      const alone = await answer(telemetry.post.staticCall(packReports([signed])));
      if (alone === 1n) good.push(signed);
      else bad.add(signed);
    }
    this.#context.logger.info({ reports: bad.size }, "reports that the chain does not want, or no longer wants");
    this.#inbox.settle((signed) => bad.has(signed));
    return good;
  }

  async #step(
    { block, nodes }: MirrorLook,
    reportStates: ReadonlyMap<number, ReportState>,
    reportTimeout: number,
  ): Promise<boolean> {
    const { reader, sender, logger } = this.#context;
    const { telemetry } = reader.contracts;
    const late = new Set<number>();
    for (const { node, reportState, reporter } of nodes.values()) {
      const isOff =
        !reportState.counted && !(node.eligible && (node.status === "active" || node.status === "draining"));
      const since = Math.max(reportState.at, reporter.registeredAt);
      if (!isOff && block.timestamp > since + reportTimeout) late.add(node.id);
    }
    const silent = await silentNodes(reader, block, late);
    let sent = false;
    const all = [...nodes.values()].map(({ node }) => node);
    for (const { kind, nodeId, why } of nodeReportSteps(all, reportStates, silent)) {
      logger.info({ node: nodeId, why }, kind);
      // Its simulation says whether somebody else was faster.
      sent = (await sender.send(`${kind} node ${nodeId}`, () => telemetry[kind].populateTransaction(nodeId))) || sent;
    }
    return sent;
  }

  /** Sets paid work against its baseline: of leases that were paid lately, for as long as reports on them may come. */
  async #credit(block: BlockReference): Promise<boolean> {
    const { reader, sender } = this.#context;
    const looked = this.#mirror.paid(block.timestamp, CREDITS);
    const credits = await Promise.all(looked.map(({ id }) => readCredit(reader, block, id)));
    const due: number[] = [];
    looked.forEach(({ id, delivered }, i) => {
      const { reported = false, credited = false } = credits[i] ?? {};
      if (reported && !credited) due.push(id);
      // A last report may come late; after that a lease without any will never have one.
      const over = credited || (!reported && block.timestamp > delivered + LATE_REPORTS);
      this.#mirror.lookAgain(id, over ? Infinity : block.timestamp + CREDIT_PAUSE);
    });
    if (due.length === 0) return false;
    return sender.send(`credit ${due.length} leases`, async () => {
      const now = await reader.block();
      const again = await Promise.all(due.map((id) => readCredit(reader, now, id)));
      const left = due.filter((_, i) => again[i]?.credited === false);
      return left.length === 0 ? null : reader.contracts.ledger.credit.populateTransaction(left);
    });
  }

  async #readFacts({ block, nodes }: MirrorLook, reportTimeout: number): Promise<Map<number, ReportFacts>> {
    const { reader } = this.#context;
    const [{ chainId }, telemetry] = await Promise.all([
      reader.provider.getNetwork(),
      reader.contracts.telemetry.getAddress(),
    ]);
    const facts = new Map<number, ReportFacts>();
    for (const [id, { node, reportState, reporter }] of nodes) {
      const covered = reportState.at > 0 ? reportState.at - reportState.lag : reporter.registeredAt;
      facts.set(id, {
        inMarket: node.status === "active" || node.status === "draining",
        sequence: reportState.sequence,
        ...{ operator: reporter.operator, keyNumber: reporter.keyNumber, contractOperator: reporter.contractOperator },
        coveredUntil: Math.max(covered, block.timestamp - Math.min(reportTimeout, MAX_TIMEOUT)),
        now: block.timestamp,
        capacity: node.capacity,
        powerMax: node.powerMax,
        chainId,
        telemetry,
      });
    }
    return facts;
  }
}
