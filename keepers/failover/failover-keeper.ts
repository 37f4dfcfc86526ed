import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import type { Logger } from "@verai/process/logger";
import type { Sender } from "../sender.ts";
import type { FinalityCheck } from "../finality.ts";
import { fitting } from "../fit.ts";
import { type BatchStep, type BatchView, nextBatchStep, undrawnOf } from "./batch-plan.ts";
import { askConfirmation } from "./confirm.ts";
import { type Ailing, healthOf } from "./health.ts";
import type { FailoverMetrics } from "./failover-metrics.ts";
import { overdueLeases, readBatchView, silentNodes } from "./batch-view.ts";
import { Mirror, type MirrorLook } from "../mirror.ts";

/** Gas on top for a bar: its owner's nodes leave the listings only where these are not frozen, which may end meanwhile. */
const BAR_GAS = 1_000_000n;

/** Ranges that one transaction draws for, and leases that it expires, at least: what fits 2^24 gas whatever they take. */
const DRAWS_AT_LEAST = 4;
const EXPIRED_AT_LEAST = 8;
/** Listings that one transaction brings up to date at least. */
const SYNCED_AT_LEAST = 32;
/** Listings that it brings up to date where there are so many and they fit. */
const SYNCED_AT_ONCE = 128;
/** Leases that one transaction expires at most. */
const EXPIRED_AT_MOST = 128;

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

  /**
   * One look and what follows from it: at most one transaction that expires, and one step of a batch, so that the oracle
   * answers while more leases are expired.
   *
   * Calls: those of the mirror, one view for 500 late nodes, and a few for what is overdue; none for what is in time. In memory
   * O(live leases) comparisons of numbers, some milliseconds for ten thousand, and a sort of those that are suspect or overdue.
   *
   * @returns Whether anything was sent.
   */
  async cycle(): Promise<boolean> {
    const { sent, left } = await this.#expireFailed(await this.#mirror.look());
    const stepped = await this.#reassign(sent && left > 0);
    return sent || stepped;
  }

  /** @returns Whether leases were expired, and how many that are overdue are left. */
  async #expireFailed({ block, nodes, leases, tasks }: MirrorLook): Promise<{ sent: boolean; left: number }> {
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
    for (const id of this.#suspected.keys()) if (!leases.has(id)) this.#suspected.delete(id);
    for (const { leaseId, nodeId, reason, at = 0 } of suspect) {
      if (this.#suspected.get(leaseId) === at) continue;
      this.#suspected.set(leaseId, at);
      logger.info({ lease: leaseId, node: nodeId, reason, left: at - block.timestamp }, "lease is suspect");
    }
    const some = overdue.slice(0, EXPIRED_AT_MOST);
    for (const { leaseId, nodeId, reason } of some)
      logger.warn({ lease: leaseId, node: nodeId, reason }, "lease is overdue");
    const confirmed = await this.#confirmed(await this.#final(some, leaseGrace));
    const expired = confirmed.length === 0 ? 0 : await this.#expire(confirmed);
    return { sent: expired > 0, left: overdue.length - expired };
  }

  /**
   * Those of the leases that a final block also shows: it has them overdue, or their interval over without a checkpoint. In
   * the latter case the grace has passed meanwhile in the newest block, and is longer than a node needs to post again what a
   * reorganisation undoes.
   */
  async #final(overdue: readonly Ailing[], grace: number): Promise<readonly Ailing[]> {
    const { finality, metrics, logger } = this.#context;
    if (overdue.length === 0 || !finality) return overdue;
    let final = overdue;
    const settlement = await finality.holds(async (block) => {
      final = await this.#overdueAt(overdue, block, grace);
      return final.length > 0;
    });
    if (!settlement.holds) final = [];
    if (final.length === overdue.length) return final;
    metrics.unconfirmed.inc({ why: "unsettled" }, overdue.length - final.length);
    const why = settlement.holds ? "not yet so at a final block" : settlement.why;
    logger.info(
      { leases: overdue.filter((each) => !final.includes(each)).map(({ leaseId }) => leaseId), why },
      "not expired yet",
    );
    return final;
  }

  /** Those of the leases that the second endpoint, where there is one, also sees overdue. */
  async #confirmed(overdue: readonly Ailing[]): Promise<readonly Ailing[]> {
    const { confirmation, metrics, logger } = this.#context;
    if (overdue.length === 0 || !confirmation) return overdue;
    const ids = overdue.map(({ leaseId }) => leaseId);
    const opinions = await askConfirmation(confirmation, ids, (reader, leases, at) =>
      this.#expirable(reader, overdue, leases, at),
    );
    return overdue.filter(({ leaseId }) => {
      const opinion = opinions.get(leaseId) ?? { kind: "silent", why: "it gave no answer" };
      if (opinion.kind === "agrees") return true;
      metrics.unconfirmed.inc({ why: opinion.kind });
      logger.warn({ lease: leaseId, why: opinion.why }, "not expired: the second endpoint does not confirm it");
      return false;
    });
  }

  /** Expires as many of the leases as fit one transaction. @returns How many of them were expired. */
  async #expire(overdue: readonly Ailing[]): Promise<number> {
    const { reader, sender, logger, metrics } = this.#context;
    const registry = reader.contracts.leases;
    const label = overdue.length === 1 ? `expire lease ${String(overdue[0]?.leaseId)}` : "expire leases";
    const sent = await sender.send(
      label,
      async () => {
        // Asked again right before sending: a node may have posted meanwhile.
        const now = await reader.block();
        const ids = overdue.map(({ leaseId }) => leaseId);
        const leases = (await reader.leasesById(now, ids)).filter(({ status }) => status === "active");
        const due = [...(await this.#expirable(reader, overdue, leases, now))];
        if (due.length === 0) return null;
        const count = await fitting(due.length, EXPIRED_AT_LEAST, (n, gas) =>
          registry.expireOverdue.staticCall(due.slice(0, n), gas),
        );
        return { ...(await registry.expireOverdue.populateTransaction(due.slice(0, count))), gasReserve: BAR_GAS };
      },
      true,
    );
    if (!sent) return 0;
    const now = await reader.block();
    const statuses = await reader.leasesById(
      now,
      overdue.map(({ leaseId }) => leaseId),
    );
    const gone = new Set(statuses.filter(({ status }) => status === "expired").map(({ id }) => id));
    for (const { leaseId, nodeId, reason, at } of overdue) {
      if (!gone.has(leaseId)) continue;
      metrics.expired.inc();
      if (at !== undefined) metrics.lateness.observe(now.timestamp - at);
      logger.info({ lease: leaseId, node: nodeId, reason, late: at && now.timestamp - at }, "lease expired");
    }
    return gone.size;
  }

  /** Those of the leases that were overdue at an older block, or whose interval was over there; see {@link FailoverKeeper.#final}. */
  async #overdueAt(overdue: readonly Ailing[], block: BlockReference, grace: number): Promise<readonly Ailing[]> {
    const { reader } = this.#context;
    const count = await reader.leaseCount(block);
    const known = overdue.filter(({ leaseId }) => leaseId <= count).map(({ leaseId }) => leaseId);
    const active = (await reader.leasesById(block, known)).filter(({ status }) => status === "active");
    const over = await this.#expirable(reader, overdue, active, block);
    const dueOf = new Map(active.map(({ id, due }) => [id, due]));
    return overdue.filter(({ leaseId, reason, at }) => {
      if (over.has(leaseId)) return true;
      const due = dueOf.get(leaseId);
      return reason === "checkpoint overdue" && due !== undefined && due === at && block.timestamp > due - grace;
    });
  }

  /** Those of some active leases that anybody may expire at that block: what the chain itself says there, or a deadline. */
  async #expirable(
    reader: Reader,
    overdue: readonly Ailing[],
    active: readonly Lease[],
    block: BlockReference,
  ): Promise<Set<number>> {
    const deadlines = new Map(
      overdue.flatMap(({ leaseId, reason, at = Infinity }) =>
        reason === "task past its deadline" ? [[leaseId, at] as const] : [],
      ),
    );
    const late = active.filter(({ id }) => block.timestamp > (deadlines.get(id) ?? Infinity)).map(({ id }) => id);
    const others = active.map(({ id }) => id).filter((id) => !late.includes(id));
    return new Set([...late, ...(await overdueLeases(reader, block, others))]);
  }

  /** The step that is due for orphaned ranges, and why. Sends nothing. */
  async look(): Promise<BatchStep> {
    return nextBatchStep(await this.#view());
  }

  async #view(): Promise<BatchView> {
    const { reader, metrics } = this.#context;
    const view = await readBatchView(reader, await reader.block());
    metrics.orphans.set(undrawnOf(view));
    metrics.seeds.note(view.batch, view.now);
    return view;
  }

  async #reassign(expiring: boolean): Promise<boolean> {
    const { reader, sender, logger, metrics } = this.#context;
    const { reassignment } = reader.contracts;
    const step = nextBatchStep({ ...(await this.#view()), expiring });
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
      const view = await this.#view();
      if (nextBatchStep(view).kind !== step.kind) return null;
      const { pending = 0 } = view;
      // One entry can stand for all nodes of a barred owner: whether opening a batch works them off, only a call shows.
      if (step.kind === "sync" || (step.kind === "open" && pending > 0 && !(await this.#opens()))) {
        const { supply } = reader.contracts;
        const most = Math.max(pending, SYNCED_AT_ONCE);
        const count = await fitting(most, SYNCED_AT_LEAST, (n, gas) => supply.syncPending.staticCall(n, gas));
        return supply.syncPending.populateTransaction(count);
      }
      if (step.kind === "open") return reassignment.open.populateTransaction();
      if (step.kind === "abort") return reassignment.abort.populateTransaction();
      const count = await fitting(view.batch.left, DRAWS_AT_LEAST, (n, gas) => reassignment.draw.staticCall(n, gas));
      return reassignment.draw.populateTransaction(count);
    });
    if (sent) metrics.batches.inc({ step: step.kind });
    return sent;
  }

  /** Whether a batch could be opened now. */
  async #opens(): Promise<boolean> {
    const { reassignment } = this.#context.reader.contracts;
    return (await fitting(1, 0, (_count, gas) => reassignment.open.staticCall(gas))) === 1;
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
