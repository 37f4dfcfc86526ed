import type { Signer, TransactionReceipt, TypedDataDomain } from "ethers";

import type { ContentAccess } from "@verai/client/content-access";
import { ChainError } from "@verai/client/errors";
import type { TransactionRequest, TransactionQueue } from "@verai/client/tx/queue";
import type { Session } from "@verai/client/session";
import type { SegmentPosts } from "./audit/segment-posts.ts";
import type { SegmentRetention } from "./audit/segment-retention.ts";
import type { Exchanges } from "./exchange/exchanges.ts";
import type { ReplicationMetrics } from "./replication/replication-metrics.ts";
import type { WorkContext } from "./lease/work.ts";
import type { Specs } from "./lease/specs.ts";
import type { Workspace } from "./lease/workspace.ts";
import type { HolderBook } from "./node/copy-requests.ts";
import type { DiskSpace } from "./node/disk.ts";
import type { IdleDetector } from "./idle/detector.ts";
import type { OtherWork } from "./telemetry/workloads.ts";

/** What an agent works with. */
export interface AgentContext extends WorkContext {
  readonly session: Session;
  /** Queue of the operator key. */
  readonly queue: TransactionQueue;
  readonly workspace: Workspace;
  /** The operator key itself, for receipts. */
  readonly signer: Pick<Signer, "signTypedData">;
  /** What receipts are signed for: this chain and its registry of checkpoints. */
  readonly domain: TypedDataDomain;
  readonly specs: Specs;
  /** Who may read what is kept here, and how this node shows what it may read of others. */
  readonly access: ContentAccess;
  readonly exchanges: Exchanges;
  readonly nodeId: number;
  /** Copies of results, and of checkpoints whose task asks for no receipts, beside the producer's own. */
  readonly replicas: number;
  /** Bytes of the largest checkpoint of others that this node copies. */
  readonly maxCheckpointBytes: number;
  readonly metrics: ReplicationMetrics;
  /** Pause between two spot checks of those who hold this node's checkpoints, milliseconds. */
  readonly spotCheckMs: number;
  readonly disk: DiskSpace;
  /** Where the node's leases are noted, so that a start does not look for them. */
  readonly leasesFile?: string | undefined;
  readonly holders: HolderBook;
  /** What checkpoints of audited tasks are posted with. */
  readonly segments: Pick<SegmentPosts, "trace" | "keep">;
  /** Which states are kept for audits. */
  readonly auditStates: Pick<SegmentRetention, "keeps">;
  /** What it runs of others' work; left out: nothing. */
  readonly reruns?: OtherWork;
  /** Tells whether the machine's owner uses it; left out: the machine is the network's. */
  readonly owner?: Pick<IdleDetector, "present" | "why">;
}

/**
 * Sends a transaction of the operator; null if nothing needed to be done.
 *
 * @param urgent What leases depend on goes before the rest, and is still sent while the agent stops.
 */
export async function send(
  { queue }: AgentContext,
  label: string,
  prepare: TransactionRequest["prepare"],
  urgent = true,
): Promise<TransactionReceipt | null> {
  return queue.submit({ label, prepare, urgent });
}

/** Runs a step; a failure is logged and left to the next cycle. @returns whether it went well. */
export async function attempt({ logger }: AgentContext, what: string, step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    const code = error instanceof ChainError ? error.code : undefined;
    logger.error({ err: error, code, step: what }, `${what} failed, will be tried again`);
    return false;
  }
}

/** Label of the pins of a lease's own checkpoints. */
export function checkpointLabel(leaseId: number): string {
  return `checkpoint-${String(leaseId)}`;
}
