import { setTimeout as delay } from "node:timers/promises";

import { answer, block } from "@verai/client/readers";
import { settles } from "@verai/executor/patience";
import { ReceiptAsker } from "./attest/asker.ts";
import { ReceiptGiver } from "./attest/giver.ts";
import { Doubts } from "./attest/order.ts";
import { SpotChecks } from "./attest/spot.ts";
import { Holdings } from "./lease/holdings.ts";
import { outOfTouch, planLeases } from "./lease/plan.ts";
import { CheckpointPosts } from "./lease/posts.ts";
import { LeaseSteps } from "./lease/steps.ts";
import { LeaseTurns } from "./lease/turns.ts";
import { handOver } from "./node/handover.ts";
import { Drains } from "./node/drains.ts";
import { type Content, contentsOf, CopyRequests } from "./node/copy-requests.ts";
import { Housekeeping } from "./node/housekeeping.ts";
import type { Look } from "./node/own-leases.ts";
import { Peers } from "./node/peers.ts";
import { type CopyView, Replicas } from "./node/replication.ts";
import { resultLabel } from "./node/results.ts";
import { isOfUse } from "./node/retention.ts";
import { type AgentState, describe, IdleCauses, keepNode } from "./node/upkeep.ts";
import { type AgentParts, attempt, checkpointLabel, send } from "./parts.ts";
import { WorkloadCpu } from "./telemetry/workloads.ts";

export type { AgentParts } from "./parts.ts";

/** Longest wait of a cycle for the steps that it has begun, milliseconds; they go on after it. */
const STEP_PATIENCE_MS = 10_000;

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
  readonly #parts: AgentParts;
  readonly #holdings: Holdings;
  readonly #posts: CheckpointPosts;
  readonly #steps: LeaseSteps;
  readonly #replicas: Replicas;
  readonly #copies: CopyRequests;
  readonly #house: Housekeeping;
  readonly #peers: Peers;
  readonly #causes = new IdleCauses();
  readonly #giver: ReceiptGiver;
  readonly #spots: SpotChecks;
  /** When the chain was last seen: its time in seconds, and this machine's in milliseconds. */
  #seen: { readonly timestamp: number; readonly at: number } | undefined;
  readonly #drains = new Drains();
  readonly #turns = new LeaseTurns();
  #draining = false;
  #state: AgentState | undefined;
  #latest: { readonly look: Look; readonly at: number } | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#holdings = new Holdings(parts);
    this.workloads = new WorkloadCpu(this.#holdings.works);
    const doubts = new Doubts();
    this.#spots = new SpotChecks({ ...parts, doubts });
    const asker = new ReceiptAsker({ ...parts, doubts });
    this.#posts = new CheckpointPosts(parts, this.#holdings, asker, this.#spots);
    this.#steps = new LeaseSteps(parts, this.#holdings, this.#posts, () => {
      this.#house.hasten();
    });
    this.#replicas = new Replicas({
      ...parts,
      look: (leaseId) => lookForCopies(parts, leaseId),
      full: () => parts.room.full,
    });
    this.#copies = new CopyRequests({ ...parts, holders: (pin, leaseId) => parts.holders.of(pin, leaseId) });
    this.#giver = new ReceiptGiver(parts);
    this.#house = new Housekeeping(parts, this.#replicas, this.#giver);
    this.#peers = new Peers(parts);
  }

  /** Begins to give other nodes receipts, to answer their spot checks, and to copy what they ask for. */
  async serve(): Promise<void> {
    await this.#giver.serve();
    await this.#spots.serve();
    await this.#replicas.serve();
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
    const look = await this.#holdings.look();
    const { pin } = look;
    this.#seen = { timestamp: pin.timestamp, at: performance.now() };
    this.#latest = { look, at: performance.now() };
    await this.#lookForRoom();

    const pausing = this.#draining || (this.#parts.owner?.present ?? false);
    if (pausing && !this.#draining) this.#makeWay();
    const mine = await this.#holdings.onChain(look);
    const local = (await this.#holdings.here()).map((work) => {
      const posted = this.#posts.landed(work.id);
      return posted ? { ...work, posted } : work;
    });
    const steps = planLeases(mine, local, pin.timestamp, pausing);
    // Leases do not wait for one another, and the cycle not for long; within one the order of its steps stands.
    const byLease = Map.groupBy(steps, ({ leaseId }) => leaseId);
    for (const [leaseId, own] of byLease) {
      if (!this.#turns.busy(leaseId)) this.#turns.begin(leaseId, () => this.#steps.take(own, mine, pin));
    }
    await this.#turns.settle(this.#draining ? this.#drainPatienceMs : STEP_PATIENCE_MS);

    await this.#peers.keep(pin, this.#house.held);
    if (!this.#draining) {
      await keepNode(this.#parts, look, this.#drains);
      await this.#house.keep(pin);
      this.#copies.keep(pin, this.#contents(look));
      this.#spots.begin(async (id) => {
        const { reader } = this.#parts.session;
        const holder = await reader.node(await reader.pin(), id);
        return holder?.status === "active" ? holder.endpoint : undefined;
      });
    }
    const state = await describe(this.#parts, look, mine, this.#causes);
    // Seconds that count down are no news.
    if (state.idle !== undefined && state.cause?.code !== this.#state?.cause?.code) {
      this.#parts.logger.info({ why: state.idle }, "idle");
    }
    this.#state = state;
    return steps.length > 0 || this.#turns.size > 0;
  }

  /** What of this node's leases others should have copies of: those that can change, and results that are kept here. */
  #contents({ checkpoints, pin }: Look): Content[] {
    const { nodeId, store } = this.#parts;
    const leases = new Map(
      this.#house.held.filter((lease) => lease.nodeId === nodeId).map((lease) => [lease.id, lease]),
    );
    for (const lease of this.#holdings.leases.live()) leases.set(lease.id, lease);
    const own = new Set(store.list().flatMap(({ labels }) => labels));
    const kept = [...leases.values()].filter((lease) => {
      const isHere = own.has(resultLabel(lease.id)) || own.has(checkpointLabel(lease.id));
      return isHere && isOfUse(lease, pin.timestamp);
    });
    return contentsOf(kept, checkpoints, (taskId) => this.#holdings.knownTask(taskId));
  }

  /** The last look at the chain, if it is at most so many milliseconds old. */
  latest(ms: number): Look | undefined {
    return this.#latest && performance.now() - this.#latest.at <= ms ? this.#latest.look : undefined;
  }

  /** Longest wait for steps in each cycle while the agent leaves: a grace to stop, one to be copied, and transactions. */
  get #drainPatienceMs(): number {
    return 2 * this.#parts.graceSeconds * 1000 + 60_000;
  }

  /**
   * Leaves: takes no new leases, lets the workloads write a last checkpoint, posts it, and gives the leases back without
   * penalty, so that others go on from there. Stays until another node has copied those checkpoints, but no longer than
   * the grace.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const { session, nodeId, logger } = this.#parts;
    await Promise.all([...this.#holdings.works.values()].map((work) => work.stop("drain")));
    await attempt(this.#parts, "drain", async () => {
      const node = await session.reader.node(await session.reader.pin(), nodeId);
      if (node?.status !== "active") return;
      await send(this.#parts, "drain", () => session.contracts.nodes.drain.populateTransaction(nodeId));
    });
    for (let round = 0; round < DRAIN_CYCLES; round++) {
      try {
        if (!(await this.cycle())) break;
      } catch (error) {
        logger.error({ err: error }, "cannot give leases back yet, trying again");
        await delay(1000);
      }
    }
    await Promise.all([...this.#holdings.works.values()].map((work) => work.stop("kill")));
    await attempt(this.#parts, "hand-over", () => handOver(this.#parts, this.#holdings, this.#copies));
    await this.#giver.stop();
    await this.#replicas.stop();
    const held = this.#holdings.leases.live().filter(({ status }) => status === "active");
    if (held.length === 0) logger.info("drained: no lease is left");
    else logger.error({ leases: held.map(({ id }) => id) }, "leaving with leases, which will be overdue: start again");
  }

  /** The machine's owner is back: workloads are told to write a last checkpoint and end. Their leases' steps wait for it. */
  #makeWay(): void {
    const running = [...this.#holdings.works.values()].filter((work) => work.running);
    if (running.length === 0) return;
    this.#parts.logger.info({ leases: running.length }, "the owner uses the machine: giving the work back");
    for (const work of running) void work.stop("drain");
  }

  /** Stops the work of leases that must be overdue by now, while the chain cannot be asked. */
  async #stopOutOfTouch(): Promise<void> {
    if (!this.#seen) return;
    const { timestamp, at } = this.#seen;
    const elapsed = (performance.now() - at) / 1000;
    const running = this.#holdings.leases.live().filter(({ id }) => this.#holdings.works.get(id)?.running);
    const ends: Promise<void>[] = [];
    for (const id of outOfTouch(running, timestamp, elapsed)) {
      const seconds = Math.round(elapsed);
      this.#parts.logger.error(
        { lease: id, seconds },
        "stopping work: the chain cannot be reached, and the lease is overdue",
      );
      ends.push(this.#holdings.works.get(id)?.stop("kill") ?? Promise.resolve());
    }
    await settles(Promise.all(ends), STEP_PATIENCE_MS);
  }

  async #lookForRoom(): Promise<void> {
    const { room, logger } = this.#parts;
    const before = room.full;
    const now = await room.look();
    if (now !== undefined && before === undefined) logger.error(now);
    if (now === undefined && before !== undefined) logger.info({ directory: room.directory }, "there is room again");
  }
}

/** What the chain says of a lease that this node is asked to copy for. */
async function lookForCopies({ session, nodeId }: AgentParts, leaseId: number): Promise<CopyView & { now: number }> {
  const { reader, contracts } = session;
  const pin = await reader.pin();
  const [[lease], self, activeNodes] = await Promise.all([
    reader.leasesThatExist(pin, [leaseId]),
    reader.node(pin, nodeId),
    answer(contracts.supply.activeNodes(block(pin))),
  ]);
  const [producer, newest] = lease
    ? await Promise.all([
        reader.node(pin, lease.nodeId),
        lease.status === "paid" ? [] : reader.newestCheckpoints(pin, leaseId),
      ])
    : [undefined, []];
  return { lease, producer, self, newest, activeNodes: Number(activeNodes), now: pin.timestamp };
}
