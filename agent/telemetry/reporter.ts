import type { BlockReference } from "@verai/client/block-reference";
import {
  type EnergyReport,
  energyReportCall,
  fitEnergyReport,
  readCoveredUntil,
  readEnergyFacts,
} from "@verai/client/energy-report";
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
import { isEnergyDue, planReports } from "./report-plan.ts";
import type { Sampler } from "./sampler.ts";

/** Signs typed data with the operator key. */
export interface ReportSigner {
  signTypedData(domain: object, types: typeof REPORT_TYPES, value: object): Promise<string>;
}

/** What a reporter works with. */
export interface ReporterContext {
  readonly session: Session;
  readonly nodeId: number;
  readonly signer: ReportSigner;
  readonly store: Pick<CheckpointStore, "request" | "roundTrips">;
  readonly journal: ReportJournal;
  readonly sampler: Sampler;
  /** Multiaddrs of each keeper that collects reports. */
  readonly keepers: readonly string[];
  /** Seconds after which the node posts its reports itself; left out: a third of the network's time-out. */
  readonly selfPostAfter?: number | undefined;
  /** Seconds after which the node reports its energy at the latest. */
  readonly energyInterval: number;
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
  readonly reportState: { readonly sequence: number; readonly at: number };
  /** How often the operator key was changed: what was signed with an earlier one has lower sequences. */
  readonly keyNumber: number;
}

/** Time for a keeper to take a report, milliseconds. */
const SEND_TIMEOUT_MS = 5_000;

/** A signed report that the chain has not taken yet. */
interface Current {
  readonly signed: SignedReport;
  /** When a keeper took it, milliseconds. */
  takenAt: number;
}

/** What was measured since the last report was signed. */
const NOTHING = { seconds: 0, loadSeconds: 0, joules: 0, renewableJoules: 0 };

/**
 * Measures, reports, and sees to it that the chain gets the reports. What decides at once (load, latency, power) is signed
 * once an interval and goes through keepers, who post many at once, or by the node's own transaction if no keeper posts it
 * in time; only the newest counts. Energy is reported rarely, by the node's own transaction.
 */
export class Reporter {
  readonly #context: ReporterContext;
  readonly #now: () => number;
  #measured = NOTHING;
  #current: Current | undefined;
  /** The last sequence that this run has signed. */
  #signed = 0;
  /** When the oldest report was signed since which the chain has taken none, milliseconds. */
  #waitingSince: number | undefined;
  /** When each lease was last seen to run, milliseconds. */
  readonly #seenAt = new Map<number, number>();

  constructor(context: ReporterContext) {
    this.#context = context;
    this.#now = context.now ?? monotonicMs;
  }

  /** Takes a sample. To be called often: counters wrap around, and the power follows the load. */
  async sample(): Promise<void> {
    const sample = await this.#context.sampler.next();
    this.#context.metrics.observe(sample);
    const { seconds, load, joules, renewableJoules, leases } = sample;
    this.#measured = {
      seconds: this.#measured.seconds + seconds,
      loadSeconds: this.#measured.loadSeconds + load * seconds,
      joules: this.#measured.joules + joules,
      renewableJoules: this.#measured.renewableJoules + renewableJoules,
    };
    for (const { leaseId } of leases) this.#seenAt.set(leaseId, this.#now());
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
    const { nodeId, keepers, logger, selfPostAfter, metrics } = this.#context;
    const { block, parameters, reportState, keyNumber } = seen ?? (await this.#look());
    const { reportInterval, reportTimeout } = parameters;
    const onChain = Math.max(reportState.sequence, firstSequence(keyNumber));
    if (this.#current && this.#current.signed.report.sequence <= onChain) this.#current = undefined;
    if (!this.#current) this.#waitingSince = undefined;
    const steps = planReports({
      seconds: this.#measured.seconds,
      sinceTaken: block.timestamp - reportState.at,
      interval: reportInterval,
      isFirst: this.#signed === 0,
      waiting: this.#waitingSince === undefined ? undefined : (this.#now() - this.#waitingSince) / 1000,
      keepers: keepers.length > 0,
      selfPostAfter: selfPostAfter ?? reportTimeout / 3,
    });
    if (steps.includes("sign")) await this.#sign(onChain);
    metrics.pending.set(this.#current ? 1 : 0);
    if (steps.includes("send")) await this.#send(reportInterval);
    if (steps.includes("post")) {
      await this.#post().catch((error: unknown) => {
        logger.error({ err: error, node: nodeId }, "the own report cannot be posted yet");
      });
    }
    await this.#reportEnergy(block, reportInterval).catch((error: unknown) => {
      logger.error({ err: error, node: nodeId }, "the energy cannot be reported yet");
    });
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

  async #sign(onChain: number): Promise<void> {
    const { session, nodeId, signer, store, metrics, logger } = this.#context;
    const times = [...(await store.roundTrips()).values()];
    const latency = median(times);
    metrics.latency.set(latency);
    const { seconds, loadSeconds, joules, renewableJoules } = this.#measured;
    const report = {
      nodeId,
      sequence: Math.max(onChain, this.#signed) + 1,
      load: Math.min(10_000, Math.round((loadSeconds / seconds) * 10_000)),
      latency: Math.min(65_535, Math.round(latency)),
      watts: Math.min(2 ** 32 - 1, Math.ceil(joules / seconds)),
      renewable: joules > 0 && renewableJoules >= joules,
    };
    const { chainId } = await session.provider.getNetwork();
    const domain = reportDomain(chainId, await session.contracts.telemetry.getAddress());
    const signature = await signer.signTypedData(domain, REPORT_TYPES, report);
    this.#measured = NOTHING;
    this.#signed = report.sequence;
    this.#current = { signed: { report, signature }, takenAt: -Infinity };
    this.#waitingSince ??= this.#now();
    logger.info({ report, peers: times.length }, "report");
  }

  async #send(interval: number): Promise<void> {
    const { store, keepers, logger } = this.#context;
    const current = this.#current;
    const now = this.#now();
    // Once a keeper has it, it has the time of an interval to post it.
    if (!current || now - current.takenAt < interval * 1000) return;
    const { signed } = current;
    const { sequence } = signed.report;
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
    if (answers.includes(true)) current.takenAt = now;
  }

  /** Posts the newest report if it would be taken; lets go of it if it never will be. */
  async #post(): Promise<void> {
    const { session, nodeId, logger, send } = this.#context;
    await send("report", async () => {
      const signed = this.#current?.signed;
      if (!signed) return null;
      const facts = await nodeReportFacts(session.reader, await session.reader.block(), nodeId);
      const refusal = refusalOf(signed, facts);
      if (refusal === undefined) return session.contracts.telemetry.post.populateTransaction(packReports([signed]));
      if (refusal !== "notInMarket") this.#current = undefined;
      if (refusal !== "sequenceNotGrowing") logger.error({ refusal, report: signed.report }, hint(refusal));
      return null;
    });
  }

  /** Sees what became of the last report of energy, and sends the next one if it is time. */
  async #reportEnergy(block: BlockReference, interval: number): Promise<void> {
    const { session, journal, energyInterval, send } = this.#context;
    if (journal.sentAfter !== undefined) await this.#settleEnergy(block);
    const now = this.#now();
    const isOver = (id: number) => now - (this.#seenAt.get(id) ?? -Infinity) >= interval * 1000;
    const leases = journal.openLeases;
    for (const id of this.#seenAt.keys()) if (!leases.includes(id) && isOver(id)) this.#seenAt.delete(id);
    const seconds = journal.openSeconds;
    const view = { seconds, energyInterval, interval, leases: leases.length, isOneOver: leases.some(isOver) };
    if (!isEnergyDue(view)) return;
    await send("energy", async () => {
      const report = await this.#draftEnergy();
      return report ? session.contracts.ledger.report.populateTransaction(energyReportCall(report)) : null;
    });
    if (journal.sentAfter !== undefined) await this.#settleEnergy(await session.reader.block());
  }

  async #settleEnergy(block: BlockReference): Promise<void> {
    const { session, nodeId, journal } = this.#context;
    const covered = await readCoveredUntil(session.reader, block, nodeId);
    await journal.settle(covered > (journal.sentAfter ?? covered));
  }

  /** The report of what is open, as the chain takes it now, noted as on its way; undefined if it takes none. */
  async #draftEnergy(): Promise<EnergyReport | undefined> {
    const { session, nodeId, journal, version, logger } = this.#context;
    const { reader } = session;
    const block = await reader.block();
    // Prepared once more, perhaps.
    if (journal.sentAfter !== undefined) await this.#settleEnergy(block);
    const draft = journal.draft({ nodeId, version });
    const ids = draft.shares.map(({ leaseId }) => leaseId);
    const [facts, covered] = await Promise.all([
      readEnergyFacts(reader, block, nodeId, ids),
      readCoveredUntil(reader, block, nodeId),
    ]);
    const report = fitEnergyReport(draft, facts);
    if (!report) return undefined;
    if (report.joules < draft.joules) logger.error({ measured: draft.joules, reported: report.joules }, TOO_MUCH);
    await journal.send(covered);
    logger.info({ report }, "energy report");
    return report;
  }
}

const TOO_MUCH =
  "the network takes less energy than was measured: the machine draws more than its declared maximum, raise it with node:update --power-max, or it did not report for half a day";

/** As JSON, for the wire. */
function wire({ report, signature }: SignedReport) {
  return { report: { ...report }, signature };
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
