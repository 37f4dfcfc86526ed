import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag } from "@verai/client/readers";
import { firstSequence, packReports, REPORT_TYPES, reportDomain, type SignedReport } from "@verai/client/report";
import { REPORT_PROTOCOL } from "@verai/client/report-protocol";
import { nodeReportFacts, refusalOf } from "@verai/client/report-refusal";
import type { Session } from "@verai/client/session";
import { readReportState } from "@verai/client/telemetry";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { monotonicMs } from "@verai/system/clock";
import type { ReportJournal } from "./report-journal.ts";
import type { TelemetryMetrics } from "./telemetry-metrics.ts";
import { planReports } from "./report-plan.ts";
import type { Sampler } from "./sampler.ts";

/** Signs typed data with the operator key. */
export interface ReportSigner {
  signTypedData(domain: object, types: typeof REPORT_TYPES, value: object): Promise<string>;
}

/** What a reporter works with. */
export interface ReporterContext {
  readonly session: Session;
  readonly nodeId: number;
  readonly capacity: number;
  readonly signer: ReportSigner;
  readonly store: Pick<CheckpointStore, "request" | "roundTrips">;
  readonly journal: ReportJournal;
  readonly sampler: Sampler;
  /** Multiaddrs of each keeper that collects reports. */
  readonly keepers: readonly string[];
  /** Seconds after which the node posts its reports itself; left out: a third of the network's time-out. */
  readonly selfPostAfter?: number | undefined;
  /** Sends a transaction of the operator. */
  readonly send: (label: string, prepare: () => Promise<{ to: string; data?: string } | null>) => Promise<unknown>;
  readonly version: number;
  readonly metrics: TelemetryMetrics;
  readonly logger: Logger;
  /** Monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/** What a reporter needs to know of the chain. The next report's sequence exceeds the last one's, and the key's first. */
export interface ReporterLook {
  readonly block: BlockReference;
  readonly parameters: { readonly reportInterval: number; readonly reportTimeout: number };
  readonly reportState: { readonly sequence: number };
  /** How often the operator key was changed: what was signed with an earlier one has lower sequences. */
  readonly keyNumber: number;
}

/** Time for a keeper to take a report, milliseconds. */
const SEND_TIMEOUT_MS = 5_000;

/**
 * Measures, reports, and sees to it that the chain gets the reports: through keepers, who post many at once, or by the
 * node's own transaction if no keeper does it in time.
 */
export class Reporter {
  readonly #context: ReporterContext;
  readonly #now: () => number;
  /** Sequences that a keeper has taken, and when; they are sent again if the chain does not get them. */
  readonly #taken = new Map<number, number>();
  /** When the period of each pending report ended, by sequence. */
  readonly #closedAt = new Map<number, number>();

  constructor(context: ReporterContext) {
    this.#context = context;
    this.#now = context.now ?? monotonicMs;
  }

  /** Takes a sample. To be called often: counters wrap around, and the power follows the load. */
  async sample(): Promise<void> {
    const sample = await this.#context.sampler.next();
    this.#context.metrics.observe(sample);
    await this.#context.journal.add(sample).catch((error: unknown) => {
      this.#context.logger.error(
        { err: error },
        "what was measured cannot be written down: an end of the process loses it",
      );
    });
  }

  /**
   * One look at the chain and what follows from it. Never throws for what a keeper or a meter does.
   *
   * @param seen What was read of the node a moment ago; left out: it is read.
   */
  async cycle(seen?: ReporterLook): Promise<void> {
    const { nodeId, journal, keepers, logger, selfPostAfter } = this.#context;
    const { block, parameters, reportState, keyNumber } = seen ?? (await this.#look());
    const { reportInterval, reportTimeout } = parameters;
    const onChain = Math.max(reportState.sequence, firstSequence(keyNumber));
    await journal.settle(({ sequence }) => sequence <= onChain);
    const steps = planReports({
      openSeconds: journal.openSeconds,
      interval: reportInterval,
      pending: this.#ages(block),
      keepers: keepers.length > 0,
      selfPostAfter: selfPostAfter ?? reportTimeout / 3,
    });
    this.#context.metrics.pending.set(journal.pending.length);
    if (steps.includes("close")) await this.#close(onChain, block);
    if (steps.includes("send")) await this.#send(reportInterval);
    if (steps.includes("post")) {
      await this.#post().catch((error: unknown) => {
        logger.error({ err: error, node: nodeId }, "own reports cannot be posted yet");
      });
    }
  }

  /** Ages of the pending reports, seconds. Those of an earlier run are as old as the chain's time says when first seen. */
  #ages(block: BlockReference): number[] {
    const { pending } = this.#context.journal;
    const now = this.#now();
    for (const { signed, closedAt } of pending) {
      const { sequence } = signed.report;
      if (!this.#closedAt.has(sequence)) {
        this.#closedAt.set(sequence, now - Math.max(0, block.timestamp - closedAt) * 1000);
      }
    }
    const sequences = new Set(pending.map(({ signed }) => signed.report.sequence));
    for (const sequence of this.#closedAt.keys()) if (!sequences.has(sequence)) this.#closedAt.delete(sequence);
    return [...this.#closedAt.values()].map((closedAt) => (now - closedAt) / 1000);
  }

  async #look(): Promise<ReporterLook> {
    const { session, nodeId } = this.#context;
    const { reader } = session;
    const block = await reader.block();
    const [parameters, reportState, { keyNumber }] = await Promise.all([
      reader.parameters(block),
      readReportState(reader, block, nodeId),
      answer(reader.contracts.nodes.factsOf(nodeId, blockTag(block))),
    ]);
    return { block, parameters, reportState, keyNumber: Number(keyNumber) };
  }

  async #close(onChain: number, block: BlockReference): Promise<void> {
    const { session, nodeId, capacity, signer, store, journal, version, metrics, logger } = this.#context;
    const times = [...(await store.roundTrips()).values()];
    const latency = median(times);
    metrics.latency.set(latency);
    const report = journal.draft({ nodeId, capacity, onChain, latency, version });
    const { chainId } = await session.provider.getNetwork();
    const domain = reportDomain(chainId, await session.contracts.telemetry.getAddress());
    const signature = await signer.signTypedData(domain, REPORT_TYPES, report);
    const lost = await journal.close({ report, signature }, block.timestamp);
    this.#closedAt.set(report.sequence, this.#now());
    logger.info({ report, peers: times.length }, "report");
    if (lost.length > 0) {
      const sequences = lost.map(({ signed }) => signed.report.sequence);
      logger.error({ sequences }, "nobody posted these reports, and they are given up: their energy is lost");
    }
  }

  async #send(interval: number): Promise<void> {
    const { store, keepers, journal, logger } = this.#context;
    const now = this.#now();
    for (const { signed } of journal.pending) {
      const { sequence } = signed.report;
      // Once a keeper has it, it has the time of an interval to post it.
      if (now - (this.#taken.get(sequence) ?? -Infinity) < interval * 1000) continue;
      const answers = await Promise.all(
        keepers.map((keeper) =>
          store.request(keeper.split(","), REPORT_PROTOCOL, wire(signed), { timeout: SEND_TIMEOUT_MS }).then(
            (answer) => {
              const { accepted, reason } = answer as { accepted?: boolean; reason?: string };
              if (accepted !== true) logger.warn({ keeper, sequence, reason }, "a keeper refuses the report");
              return accepted === true;
            },
            (error: unknown) => {
              logger.debug({ err: error, keeper, sequence }, "a keeper does not take the report");
              return false;
            },
          ),
        ),
      );
      if (answers.includes(true)) this.#taken.set(sequence, now);
    }
    for (const [sequence] of this.#taken) {
      if (!journal.pending.some(({ signed }) => signed.report.sequence === sequence)) this.#taken.delete(sequence);
    }
  }

  /** Posts all that is pending and would be taken; lets go of what never will be. */
  async #post(): Promise<void> {
    const { session, nodeId, journal, logger, send } = this.#context;
    await send("reports", async () => {
      const block = await session.reader.block();
      let facts = await nodeReportFacts(session.reader, block, nodeId);
      const good: SignedReport[] = [];
      const over = new Set<number>();
      for (const { signed } of journal.pending) {
        const refusal = refusalOf(signed, facts);
        if (refusal === undefined && facts) {
          good.push(signed);
          const { sequence, period } = signed.report;
          facts = { ...facts, sequence, coveredUntil: facts.coveredUntil + period };
        } else if (refusal !== "periodInvalid" && refusal !== "notInMarket") {
          over.add(signed.report.sequence);
          if (refusal !== "sequenceNotGrowing") logger.error({ refusal, report: signed.report }, hint(refusal));
        }
      }
      await journal.settle(({ sequence }) => over.has(sequence));
      if (good.length === 0) return null;
      return session.contracts.telemetry.post.populateTransaction(packReports(good));
    });
  }
}

/** As JSON, for the wire. */
function wire({ report, signature }: SignedReport) {
  const { shares, ...head } = report;
  return { report: { ...head, shares: shares.map((share) => ({ ...share })) }, signature };
}

function hint(refusal: string | undefined): string {
  if (refusal === "powerAboveMaximum") {
    return "the network refuses the report: the machine draws more than its declared maximum, raise it with node:update --power-max";
  }
  return "the network refuses the report";
}

/** The middle value; 0 if there is none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
