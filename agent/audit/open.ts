import { join } from "node:path";

import type PQueue from "p-queue";

import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { TransactionQueue } from "@verai/client/tx/queue";
import type { Session } from "@verai/client/session";
import type { Executor } from "@verai/executor/executor";
import type { Logger } from "@verai/process/logger";
import type { AgentConfig } from "../config.ts";
import { leasesDirectory } from "../executor.ts";
import type { Sealing } from "../lease/sealing.ts";
import type { HolderBook } from "../node/copy-requests.ts";
import { AuditBook } from "./audit-book.ts";
import { AuditDuties } from "./audit-duties.ts";
import { CountedExecutor } from "./counted-executor.ts";
import type { AuditMetrics } from "./audit-metrics.ts";
import { Examiner } from "./examiner.ts";
import { PostedSegments } from "./posted-segments.ts";
import { ProducerTraces } from "./producer-traces.ts";
import { SegmentPosts } from "./segment-posts.ts";
import { SegmentRetention } from "./segment-retention.ts";
import { SpareCapacity } from "./spare-capacity.ts";

/** What an agent's part in audits is opened with. */
export interface AuditsContext {
  readonly session: Session;
  readonly nodeId: number;
  readonly store: CheckpointStore;
  readonly sealing: Sealing;
  readonly executor: Executor;
  /** Places for the units of leases, which audits use only where they are free. */
  readonly slots: PQueue;
  readonly holders: HolderBook;
  readonly holdersOf: (taskId: number) => Promise<readonly string[]>;
  readonly queue: Pick<TransactionQueue, "submit">;
  readonly metrics: AuditMetrics;
  readonly logger: Logger;
}

/** Opens an agent's part in audits: what it posts and keeps of its own work, and what it has to do. */
export function openAudits(config: AgentConfig, context: AuditsContext) {
  const { session, sealing, slots, queue, logger } = context;
  const directory = join(config.dataDir, "audits");
  const traces = new ProducerTraces(join(directory, "traces"), logger);
  const posted = new PostedSegments(join(directory, "posted"), traces, logger);
  const retention = new SegmentRetention(session, posted);
  const { maxCheckpoint } = config.store;
  const places = { spare: new SpareCapacity(slots), directory: leasesDirectory(config) };
  const reruns = new CountedExecutor(context.executor);
  const duties = new AuditDuties({
    ...context,
    ...{ posted, traces, retention, ...config.audits },
    book: new AuditBook(join(directory, "open"), logger),
    examiner: new Examiner({ ...context, ...places, executor: reruns, maxCheckpointBytes: maxCheckpoint }),
    // Who misses a step of an audit loses stake by it.
    send: (label, prepare) => queue.submit({ label, prepare, urgent: true }),
  });
  return { segments: new SegmentPosts({ traces, posted, sealing }), retention, duties, reruns };
}
