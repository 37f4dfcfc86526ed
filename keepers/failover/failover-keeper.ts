import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { Logger } from "@verai/process/logger";
import type { Sender } from "../sender.ts";
import type { FinalityCheck } from "../finality.ts";
import { type BatchStep, nextBatchStep } from "./batch-plan.ts";
import { askConfirmation } from "./confirm.ts";
import { type Ailing, healthOf } from "./health.ts";
import type { FailoverMetrics } from "./failover-metrics.ts";
import { overdueLeases, readBatchView, silentNodes } from "./batch-view.ts";
import { Mirror, type MirrorLook } from "../mirror.ts";

/** Ranges that one transaction draws for: what fits well into 2^24 gas. */
const DRAWS_AT_ONCE = 8;

/** `ILeaseRegistry.Health.Overdue`. */
const OVERDUE = 2;

/** What the failover keeper works with. */
export interface FailoverContext {
  readonly reader: Reader;
  /** Through another endpoint; where it is given, nothing is expired that it does not also see overdue. */
  readonly confirmation?: (() => Promise<Reader>) | undefined;
  /** Confirms what cannot be made good again. Left out: what the newest block says counts. */
  readonly finality?: FinalityCheck;
  readonly sender: Sender;
  readonly logger: Logger;
  readonly metrics: FailoverMetrics;
  /** What the chain has; left out: one of its own. */
  readonly mirror?: Mirror;
}

/**
 * Watches over leases: notes those that are suspect, expires those whose node has failed, and has their ranges drawn for
 * among the other nodes, so that the work goes on from its last checkpoint.
 *
 * It keeps no state that matters: each cycle looks at the chain and does what is due. Open to anyone; the first to do so
 * earns the bounty, any other learns it from its simulation.
 */
export class FailoverKeeper {
  readonly #context: FailoverContext;
  readonly #mirror: Mirror;
  /** Suspect leases that were logged, with the due time that they were suspect of. */
  readonly #suspected = new Map<number, number>();
  #lastWait = "";

  constructor(context: FailoverContext) {
    this.#context = context;
    this.#mirror = context.mirror ?? new Mirror(context.reader);
  }

  /** One look and what follows from it. @returns Whether anything was sent. */
  async cycle(): Promise<boolean> {
    const expired = await this.#expireFailed(await this.#mirror.look());
    const stepped = await this.#reassign();
    return expired || stepped;
  }

  async #expireFailed({ block, nodes, leases, tasks }: MirrorLook): Promise<boolean> {
    const { reader, logger, metrics } = this.#context;
    const active = [...leases.values()].filter(({ status }) => status === "active");
    const [{ leaseGrace, reportTimeout }, outageUntil] = await Promise.all([
      reader.parameters(block),
      answer(reader.contracts.leases.outageUntil(blockTag(block))),
    ]);
    // Those whose last report is old enough; whether they count as silent, and their leases as overdue, the chain says.
    const late = active.filter(({ nodeId }) => {
      const known = nodes.get(nodeId);
      const since = known && Math.max(known.reportState.at, known.reporter.registeredAt);
      return since === undefined || block.timestamp > since + reportTimeout;
    });
    const silent = await silentNodes(reader, block, new Set(late.map(({ nodeId }) => nodeId)));
    const doubtful = late.filter(({ nodeId }) => silent.has(nodeId)).map(({ id }) => id);
    const dead = await overdueLeases(reader, block, doubtful);
    const signs = active.map(({ id, nodeId, due, taskId }) => ({
      ...{ id, nodeId, due, silent: dead.has(id) },
      deadline: tasks.get(taskId)?.deadline ?? Infinity,
    }));
    const { suspect, overdue } = healthOf(signs, block.timestamp, leaseGrace, Number(outageUntil));
    metrics.suspect.set(suspect.length);
    metrics.overdue.set(overdue.length);
    for (const { leaseId, nodeId, reason, at = 0 } of suspect) {
      if (this.#suspected.get(leaseId) === at) continue;
      this.#suspected.set(leaseId, at);
      logger.info({ lease: leaseId, node: nodeId, reason, left: at - block.timestamp }, "lease is suspect");
    }
    let sent = false;
    for (const lease of overdue) sent = (await this.#expire(lease)) || sent;
    return sent;
  }

  async #expire({ leaseId, nodeId, reason, at }: Ailing): Promise<boolean> {
    const { reader, confirmation, sender, logger, metrics } = this.#context;
    logger.warn({ lease: leaseId, node: nodeId, reason }, "lease is overdue");
    const settlement = await this.#context.finality?.holds((block) => this.#wasOverdue(leaseId, block));
    if (settlement?.holds === false) {
      metrics.unconfirmed.inc({ why: "unsettled" });
      logger.info({ lease: leaseId, why: settlement.why }, "not expired yet");
      return false;
    }
    if (confirmation) {
      const opinion = await askConfirmation(confirmation, leaseId, (at, lease, block) =>
        this.#isOverdue(at, lease, block),
      );
      if (opinion.kind !== "agrees") {
        metrics.unconfirmed.inc({ why: opinion.kind });
        logger.warn({ lease: leaseId, why: opinion.why }, "not expired: the second endpoint does not confirm it");
        return false;
      }
    }
    const sent = await sender.send(
      `expire lease ${String(leaseId)}`,
      async () => {
        // Asked again right before sending: the node may have posted meanwhile.
        const now = await reader.block();
        const [lease] = await reader.leasesById(now, [leaseId]);
        if (lease?.status !== "active" || !(await this.#isOverdue(reader, lease, now))) return null;
        return reader.contracts.leases.expire.populateTransaction(leaseId);
      },
      true,
    );
    if (!sent) return false;
    metrics.expired.inc();
    const { timestamp } = await reader.block();
    if (at !== undefined) metrics.lateness.observe(timestamp - at);
    logger.info({ lease: leaseId, node: nodeId, reason, late: at && timestamp - at }, "lease expired");
    return true;
  }

  /** Whether a lease was active and overdue already at an older block. */
  async #wasOverdue(leaseId: number, block: BlockReference): Promise<boolean> {
    const { reader } = this.#context;
    if ((await reader.leaseCount(block)) < leaseId) return false;
    const [lease] = await reader.leasesById(block, [leaseId]);
    return lease?.status === "active" && this.#isOverdue(reader, lease, block);
  }

  /** What the chain itself says at that block, through that endpoint. */
  async #isOverdue(reader: Reader, { id, taskId }: Lease, block: BlockReference): Promise<boolean> {
    const [task] = await reader.tasksById(block, [taskId]);
    if (task && block.timestamp > task.deadline) return true;
    return Number(await answer(reader.contracts.leases.healthOf(id, blockTag(block)))) === OVERDUE;
  }

  /** The step that is due for orphaned ranges, and why. Sends nothing. */
  async look(): Promise<BatchStep> {
    const { reader, metrics } = this.#context;
    const view = await readBatchView(reader, await reader.block());
    metrics.orphans.set(view.orphans);
    return nextBatchStep(view);
  }

  async #reassign(): Promise<boolean> {
    const { reader, sender, logger, metrics } = this.#context;
    const { reassignment } = reader.contracts;
    const step = await this.look();
    if (step.kind === "wait") {
      if (step.why !== this.#lastWait) logger.info({ why: step.why }, "no batch step is due");
      this.#lastWait = step.why;
      return false;
    }
    this.#lastWait = "";
    if (step.kind === "abort" && !(await this.#isOver(step.batchId))) return false;
    logger.info(step, `${step.kind} batch`);
    const sent = await sender.send(`${step.kind} batch`, async () => {
      // Somebody else may have taken the step meanwhile.
      if ((await this.look()).kind !== step.kind) return null;
      if (step.kind === "open") return reassignment.open.populateTransaction();
      if (step.kind === "abort") return reassignment.abort.populateTransaction();
      return reassignment.draw.populateTransaction(DRAWS_AT_ONCE);
    });
    if (sent) metrics.batches.inc({ step: step.kind });
    return sent;
  }

  /** Whether a batch's time is over as of a block that is not undone. */
  async #isOver(batchId: number): Promise<boolean> {
    const { reader, finality, logger } = this.#context;
    const settlement = await finality?.holds(async (at) => {
      const then = nextBatchStep(await readBatchView(reader, at));
      return then.kind === "abort" && then.batchId === batchId;
    });
    if (settlement?.holds !== false) return true;
    logger.info({ batch: batchId, why: settlement.why }, "not aborted yet");
    return false;
  }
}
