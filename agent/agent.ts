import { setTimeout as delay } from "node:timers/promises";

import { settles } from "@verai/executor/time-outs";
import { ReceiptRequester } from "./replication/requester.ts";
import { ReceiptResponder } from "./replication/responder.ts";
import { PeerReputation } from "./replication/reputation.ts";
import { SpotChecks } from "./replication/spot-check.ts";
import { LeaseSet } from "./lease/lease-set.ts";
import { outOfTouch, planLeases } from "./lease/lease-plan.ts";
import { CheckpointPosts } from "./lease/posts.ts";
import { LeaseSteps } from "./lease/steps.ts";
import { LeaseTurns } from "./lease/turns.ts";
import { handOver } from "./node/handover.ts";
import { Drains } from "./node/drains.ts";
import { COPY_RANKS } from "./node/copy-protocol.ts";
import { type Content, contentsOf, CopyRequests } from "./node/copy-requests.ts";
import { Housekeeping } from "./node/housekeeping.ts";
import type { Look } from "./node/own-leases.ts";
import { SpecOffers } from "./node/spec-offers.ts";
import { TaskHolds } from "./node/task-holds.ts";
import { LogServer } from "./node/logs.ts";
import { Peers } from "./node/peers.ts";
import { type CopyView, Replicas } from "./replication/replicas.ts";
import { resultLabel } from "./node/results.ts";
import { isOfUse } from "./node/retention.ts";
import { type AgentState, describe, IdleCauses, reconcileNode } from "./node/reconcile.ts";
import { type AgentContext, attempt, checkpointLabel, send } from "./context.ts";
import { WorkloadCpu } from "./telemetry/workloads.ts";

export type { AgentContext } from "./context.ts";

/** Longest wait of a cycle for the steps that it has begun, milliseconds; they go on after it. */
const STEP_TIMEOUT_MS = 10_000;

/** Looks at the chain that an agent takes at most before it leaves. */
const DRAIN_CYCLES = 5;

/**
 * One node's agent: looks at the chain and at its own disk, and does what is missing between them.
 *
 * All state that matters is on chain and on disk. Killed at any line and started again, it comes to the same steps.
 */
export class Agent {
  /** CPU time of what it runs. */
  readonly workloads: WorkloadCpu;
  readonly #context: AgentContext;
  readonly #leaseSet: LeaseSet;
  readonly #posts: CheckpointPosts;
  readonly #steps: LeaseSteps;
  readonly #replicas: Replicas;
  readonly #copies: CopyRequests;
  readonly #house: Housekeeping;
  readonly #peers: Peers;
  readonly #causes = new IdleCauses();
  readonly #responder: ReceiptResponder;
  readonly #holds: TaskHolds;
  /** Specs that are held before their tasks. */
  readonly offers: SpecOffers;
  /** Logs of its units, for those who may read them. */
  readonly logs: LogServer;
  readonly #spots: SpotChecks;
  /** When the chain was last seen: its time in seconds, and this machine's in milliseconds. */
  #seen: { readonly timestamp: number; readonly at: number } | undefined;
  readonly #drains = new Drains();
  readonly #turns = new LeaseTurns();
  #draining = false;
  #state: AgentState | undefined;
  #latest: { readonly look: Look; readonly at: number } | undefined;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#leaseSet = new LeaseSet(context);
    this.workloads = new WorkloadCpu(this.#leaseSet.works, context.reruns);
    const reputation = new PeerReputation();
    this.#spots = new SpotChecks({ ...context, reputation });
    const requester = new ReceiptRequester({ ...context, reputation });
    this.#posts = new CheckpointPosts(context, this.#leaseSet, requester, this.#spots);
    this.#steps = new LeaseSteps(context, this.#leaseSet, this.#posts, () => {
      this.#house.hasten();
    });
    this.#replicas = new Replicas({
      ...context,
      look: (leaseId) => lookForCopies(context, leaseId),
      full: () => context.disk.full,
    });
    this.#copies = new CopyRequests({ ...context, holders: (block, leaseId) => context.holders.of(block, leaseId) });
    this.#responder = new ReceiptResponder(context);
    this.#holds = new TaskHolds(context);
    this.offers = new SpecOffers(context);
    this.logs = new LogServer(context);
    this.#house = new Housekeeping(context, this.#replicas, this.#responder, this.#holds, this.offers);
    this.#peers = new Peers(context);
  }

  /** Begins to give other nodes receipts, to answer their spot checks, to copy what they ask for, to serve logs, and to exchange files. */
  async serve(): Promise<void> {
    await this.#responder.serve();
    await this.#spots.serve();
    await this.#replicas.serve();
    await this.#holds.serve();
    await this.offers.serve();
    await this.logs.serve();
    await this.#context.exchanges.serve();
  }

  /** What it was doing at the end of the last cycle. */
  get state(): AgentState | undefined {
    return this.#state;
  }

  /** One look and what follows from it. Steps that fail are logged and come up again in the next cycle. */
  async cycle(): Promise<boolean> {
    try {
      return await this.#cycle();
    } catch (error) {
      await this.#stopOutOfTouch();
      throw error;
    }
  }

  async #cycle(): Promise<boolean> {
    const look = await this.#leaseSet.look();
    const { block } = look;
    this.#seen = { timestamp: block.timestamp, at: performance.now() };
    this.#latest = { look, at: performance.now() };
    await this.#lookForRoom();

    const pausing = this.#draining || (this.#context.owner?.present ?? false);
    if (pausing && !this.#draining) this.#makeWay();
    const mine = await this.#leaseSet.onChain(look);
    const local = (await this.#leaseSet.here(block.timestamp)).map((work) => {
      const posted = this.#posts.landed(work.id);
      return posted ? { ...work, posted } : work;
    });
    const steps = planLeases(
      mine,
      local,
      block.timestamp,
      this.#draining ? "draining" : pausing ? "ownerBack" : undefined,
    );
    // Leases do not wait for one another, and the cycle not for long; within one the order of its steps stands.
    const byLease = Map.groupBy(steps, ({ leaseId }) => leaseId);
    for (const [leaseId, own] of byLease) {
      if (!this.#turns.busy(leaseId)) this.#turns.begin(leaseId, () => this.#steps.take(own, mine, block));
    }
    await this.#turns.settle(this.#draining ? this.#drainTimeoutMs : STEP_TIMEOUT_MS);

    await this.#peers.keep(block, this.#house.held);
    if (!this.#draining) {
      await reconcileNode(this.#context, look, this.#drains);
      await this.#house.keep(block);
      this.#copies.keep(block, this.#contents(look));
      this.#spots.begin(async (id) => {
        const { reader } = this.#context.session;
        const holder = await reader.node(await reader.block(), id);
        return holder?.status === "active" ? holder.endpoint : undefined;
      });
    }
    const state = await describe(this.#context, look, mine, this.#causes);
    // Seconds that count down are no news.
    if (state.idle !== undefined && state.cause?.code !== this.#state?.cause?.code) {
      this.#context.logger.info({ why: state.idle }, "idle");
    }
    this.#state = state;
    return steps.length > 0 || this.#turns.size > 0;
  }

  /** What of this node's leases others should have copies of: those that can change, and results that are kept here. */
  #contents({ checkpoints, block }: Look): Content[] {
    const { nodeId, store } = this.#context;
    const leases = new Map(
      this.#house.held.filter((lease) => lease.nodeId === nodeId).map((lease) => [lease.id, lease]),
    );
    for (const lease of this.#leaseSet.leases.live()) leases.set(lease.id, lease);
    const own = new Set(store.list().flatMap(({ labels }) => labels));
    const kept = [...leases.values()].filter((lease) => {
      const isHere = own.has(resultLabel(lease.id)) || own.has(checkpointLabel(lease.id));
      return isHere && isOfUse(lease, block.timestamp);
    });
    return contentsOf(kept, checkpoints, (taskId) => this.#leaseSet.knownTask(taskId));
  }

  /** The last look at the chain, if it is at most so many milliseconds old. */
  latest(ms: number): Look | undefined {
    return this.#latest && performance.now() - this.#latest.at <= ms ? this.#latest.look : undefined;
  }

  /** Longest wait for steps in each cycle while the agent leaves: a grace to stop, one to be copied, and transactions. */
  get #drainTimeoutMs(): number {
    return 2 * this.#context.graceSeconds * 1000 + 60_000;
  }

  /**
   * Leaves: takes no new leases, lets the workloads write a last checkpoint, posts it, and gives the leases back without
   * penalty, so that others go on from there. Stays until another node has copied those checkpoints, but no longer than
   * the grace.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const { session, nodeId, logger } = this.#context;
    await Promise.all([...this.#leaseSet.works.values()].map((work) => work.stop("drain")));
    await attempt(this.#context, "drain", async () => {
      const node = await session.reader.node(await session.reader.block(), nodeId);
      if (node?.status !== "active") return;
      await send(this.#context, "drain", () => session.contracts.nodes.drain.populateTransaction(nodeId));
    });
    for (let round = 0; round < DRAIN_CYCLES; round++) {
      try {
        if (!(await this.cycle())) break;
      } catch (error) {
        logger.error({ err: error }, "cannot give leases back yet, trying again");
        await delay(1000);
      }
    }
    await Promise.all([...this.#leaseSet.works.values()].map((work) => work.stop("kill")));
    await attempt(this.#context, "hand-over", () => handOver(this.#context, this.#leaseSet, this.#copies));
    await this.#responder.stop();
    await this.#replicas.stop();
    await this.#holds.stop();
    await this.#context.exchanges.stop();
    const held = this.#leaseSet.leases.live().filter(({ status }) => status === "active");
    if (held.length === 0) logger.info("drained: no lease is left");
    else logger.error({ leases: held.map(({ id }) => id) }, "leaving with leases, which will be overdue: start again");
  }

  /** The machine's owner is back: workloads are told to write a last checkpoint and end. Their leases' steps wait for it. */
  #makeWay(): void {
    const running = [...this.#leaseSet.works.values()].filter((work) => work.running);
    if (running.length === 0) return;
    this.#context.logger.info({ leases: running.length }, "the owner uses the machine: giving the work back");
    for (const work of running) void work.stop("drain");
  }

  /** Stops the work of leases that must be overdue by now, while the chain cannot be asked. */
  async #stopOutOfTouch(): Promise<void> {
    if (!this.#seen) return;
    const { timestamp, at } = this.#seen;
    const elapsed = (performance.now() - at) / 1000;
    const running = this.#leaseSet.leases.live().filter(({ id }) => this.#leaseSet.works.get(id)?.running);
    const ends: Promise<void>[] = [];
    for (const id of outOfTouch(running, timestamp, elapsed)) {
      const seconds = Math.round(elapsed);
      this.#context.logger.error(
        { lease: id, seconds },
        "stopping work: the chain cannot be reached, and the lease is overdue",
      );
      ends.push(this.#leaseSet.works.get(id)?.stop("kill") ?? Promise.resolve());
    }
    await settles(Promise.all(ends), STEP_TIMEOUT_MS);
  }

  async #lookForRoom(): Promise<void> {
    const { disk, logger } = this.#context;
    const before = disk.full;
    const now = await disk.look();
    if (now !== undefined && before === undefined) logger.error(now);
    if (now === undefined && before !== undefined) logger.info({ directory: disk.directory }, "there is room again");
  }
}

/** What the chain says of a lease that this node is asked to copy for. */
async function lookForCopies({ session, nodeId }: AgentContext, leaseId: number): Promise<CopyView & { now: number }> {
  const { reader } = session;
  const block = await reader.block();
  const [[lease], self] = await Promise.all([reader.leasesThatExist(block, [leaseId]), reader.node(block, nodeId)]);
  const [producer, newest, holders] = lease
    ? await Promise.all([
        reader.node(block, lease.nodeId),
        lease.status === "paid" ? [] : reader.newestCheckpoints(block, leaseId),
        reader.holders(block, leaseId, COPY_RANKS),
      ])
    : [undefined, [], []];
  return { lease, producer, self, newest, holders: holders.map((holder) => holder.nodeId), now: block.timestamp };
}
