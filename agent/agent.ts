import { setTimeout as delay } from "node:timers/promises";

import type { Node } from "@verai/client/entities";
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
import { chooseNeighbours, heldLeases } from "./node/neighbours.ts";
import { Replicas } from "./node/replication.ts";
import { resultsToHold, tidyResults } from "./node/results.ts";
import { keptResults } from "./node/retention.ts";
import { type AgentState, describe, keepNode } from "./node/upkeep.ts";
import { type AgentParts, attempt, send } from "./parts.ts";
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
  readonly #giver: ReceiptGiver;
  readonly #spots: SpotChecks;
  /** When the chain was last seen: its time in seconds, and this machine's in milliseconds. */
  #seen: { readonly timestamp: number; readonly at: number } | undefined;
  readonly #drains = new Drains();
  readonly #turns = new LeaseTurns();
  #draining = false;
  #state: AgentState | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#holdings = new Holdings(parts);
    this.workloads = new WorkloadCpu(this.#holdings.works);
    const doubts = new Doubts();
    this.#spots = new SpotChecks({ ...parts, doubts });
    const asker = new ReceiptAsker({ ...parts, doubts });
    this.#posts = new CheckpointPosts(parts, this.#holdings, asker, this.#spots);
    this.#steps = new LeaseSteps(parts, this.#holdings, this.#posts);
    this.#replicas = new Replicas(parts);
    this.#giver = new ReceiptGiver(parts);
  }

  /** Begins to give other nodes receipts, and to answer their spot checks. */
  async serve(): Promise<void> {
    await this.#giver.serve();
    await this.#spots.serve();
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
    const { reader } = this.#parts.session;
    const { pin } = await this.#holdings.index.refresh();
    this.#seen = { timestamp: pin.timestamp, at: performance.now() };
    const nodes = await reader.nodes(pin);
    const node = nodes.find(({ id }) => id === this.#parts.nodeId);
    if (!node) throw new Error(`node ${String(this.#parts.nodeId)} is not registered`);
    this.#connectPeers(nodes);
    await this.#lookForRoom();

    const pausing = this.#draining || (this.#parts.owner?.present ?? false);
    if (pausing && !this.#draining) this.#makeWay();
    const mine = await this.#holdings.onChain(pin);
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

    if (!this.#draining) {
      await keepNode(this.#parts, node, pin, this.#drains);
      const kept = await this.#holdings.kept(pin);
      const { store } = this.#parts;
      const results = resultsToHold(keptResults(this.#holdings.index.all(), pin.timestamp), store);
      await this.#replicas.keep(reader, pin, [...new Set([...kept, ...results])], nodes, node.id);
      await this.#giver.tidy(pin, kept);
      await tidyResults(store, new Set(kept.map(({ id }) => id)), this.#parts.logger);
      this.#spots.begin((id) => nodes.find((each) => each.id === id && each.status === "active")?.endpoint);
    }
    const state = await describe(this.#parts, node, mine, pin);
    // Seconds that count down are no news.
    if (state.idle !== undefined && state.cause?.code !== this.#state?.cause?.code) {
      this.#parts.logger.info({ why: state.idle }, "idle");
    }
    this.#state = state;
    return steps.length > 0 || this.#turns.size > 0;
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
    await attempt(this.#parts, "hand-over", () => handOver(this.#parts, this.#holdings));
    await this.#giver.stop();
    const held = this.#holdings.index.live().filter((lease) => lease.nodeId === nodeId && lease.status === "active");
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
    const running = this.#holdings.index.live().filter(({ id }) => this.#holdings.works.get(id)?.running);
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

  #connectPeers(nodes: readonly Node[]): void {
    const { store, nodeId } = this.#parts;
    const { index } = this.#holdings;
    this.#giver.see(nodes, (leaseId) => index.get(leaseId));
    const endpoints = new Map(nodes.map(({ id, endpoint }) => [id, endpoint]));
    const neighbours = chooseNeighbours({ nodeId, nodes, leases: index.all(), held: heldLeases(store.list()) });
    store.setPeers(
      neighbours.flatMap(
        (id) =>
          endpoints
            .get(id)
            ?.split(",")
            .filter((address) => address !== "") ?? [],
      ),
    );
  }
}
