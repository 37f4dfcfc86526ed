import { setTimeout as delay } from "node:timers/promises";

import type { Node } from "@verai/client/entities";
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
import { chooseNeighbours, heldLeases } from "./node/neighbours.ts";
import { Replicas } from "./replication/replicas.ts";
import { resultsToHold, tidyResults } from "./node/results.ts";
import { keptResults } from "./node/retention.ts";
import { type AgentState, describe, reconcileNode } from "./node/reconcile.ts";
import { type AgentContext, attempt, send } from "./context.ts";
import { WorkloadCpu } from "./telemetry/workloads.ts";

export type { AgentContext } from "./context.ts";

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
  readonly #context: AgentContext;
  readonly #leaseSet: LeaseSet;
  readonly #posts: CheckpointPosts;
  readonly #steps: LeaseSteps;
  readonly #replicas: Replicas;
  readonly #responder: ReceiptResponder;
  readonly #spots: SpotChecks;
  /** When the chain was last seen: its time in seconds, and this machine's in milliseconds. */
  #seen: { readonly timestamp: number; readonly at: number } | undefined;
  readonly #drains = new Drains();
  readonly #turns = new LeaseTurns();
  #draining = false;
  #state: AgentState | undefined;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#leaseSet = new LeaseSet(context);
    this.workloads = new WorkloadCpu(this.#leaseSet.works);
    const reputation = new PeerReputation();
    this.#spots = new SpotChecks({ ...context, reputation });
    const requester = new ReceiptRequester({ ...context, reputation });
    this.#posts = new CheckpointPosts(context, this.#leaseSet, requester, this.#spots);
    this.#steps = new LeaseSteps(context, this.#leaseSet, this.#posts);
    this.#replicas = new Replicas(context);
    this.#responder = new ReceiptResponder(context);
  }

  /** Begins to give other nodes receipts, and to answer their spot checks. */
  async serve(): Promise<void> {
    await this.#responder.serve();
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
    const { reader } = this.#context.session;
    const { block } = await this.#leaseSet.index.refresh();
    this.#seen = { timestamp: block.timestamp, at: performance.now() };
    const nodes = await reader.nodes(block);
    const node = nodes.find(({ id }) => id === this.#context.nodeId);
    if (!node) throw new Error(`node ${String(this.#context.nodeId)} is not registered`);
    this.#connectPeers(nodes);
    await this.#lookForRoom();

    const pausing = this.#draining || (this.#context.owner?.present ?? false);
    if (pausing && !this.#draining) this.#makeWay();
    const mine = await this.#leaseSet.onChain(block);
    const local = (await this.#leaseSet.here()).map((work) => {
      const posted = this.#posts.landed(work.id);
      return posted ? { ...work, posted } : work;
    });
    const steps = planLeases(mine, local, block.timestamp, pausing);
    // Leases do not wait for one another, and the cycle not for long; within one the order of its steps stands.
    const byLease = Map.groupBy(steps, ({ leaseId }) => leaseId);
    for (const [leaseId, own] of byLease) {
      if (!this.#turns.busy(leaseId)) this.#turns.begin(leaseId, () => this.#steps.take(own, mine, block));
    }
    await this.#turns.settle(this.#draining ? this.#drainPatienceMs : STEP_PATIENCE_MS);

    if (!this.#draining) {
      await reconcileNode(this.#context, node, block, this.#drains);
      const kept = await this.#leaseSet.kept(block);
      const { store } = this.#context;
      const results = resultsToHold(keptResults(this.#leaseSet.index.all(), block.timestamp), store);
      await this.#replicas.keep(reader, block, [...new Set([...kept, ...results])], nodes, node.id);
      await this.#responder.tidy(block, kept);
      await tidyResults(store, new Set(kept.map(({ id }) => id)), this.#context.logger);
      this.#spots.begin((id) => nodes.find((each) => each.id === id && each.status === "active")?.endpoint);
    }
    const state = await describe(this.#context, node, mine, block);
    // Seconds that count down are no news.
    if (state.idle !== undefined && state.cause?.code !== this.#state?.cause?.code) {
      this.#context.logger.info({ why: state.idle }, "idle");
    }
    this.#state = state;
    return steps.length > 0 || this.#turns.size > 0;
  }

  /** Longest wait for steps in each cycle while the agent leaves: a grace to stop, one to be copied, and transactions. */
  get #drainPatienceMs(): number {
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
    await attempt(this.#context, "hand-over", () => handOver(this.#context, this.#leaseSet));
    await this.#responder.stop();
    const held = this.#leaseSet.index.live().filter((lease) => lease.nodeId === nodeId && lease.status === "active");
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
    const running = this.#leaseSet.index.live().filter(({ id }) => this.#leaseSet.works.get(id)?.running);
    const ends: Promise<void>[] = [];
    for (const id of outOfTouch(running, timestamp, elapsed)) {
      const seconds = Math.round(elapsed);
      this.#context.logger.error(
        { lease: id, seconds },
        "stopping work: the chain cannot be reached, and the lease is overdue",
      );
      ends.push(this.#leaseSet.works.get(id)?.stop("kill") ?? Promise.resolve());
    }
    await settles(Promise.all(ends), STEP_PATIENCE_MS);
  }

  async #lookForRoom(): Promise<void> {
    const { disk, logger } = this.#context;
    const before = disk.full;
    const now = await disk.look();
    if (now !== undefined && before === undefined) logger.error(now);
    if (now === undefined && before !== undefined) logger.info({ directory: disk.directory }, "there is room again");
  }

  #connectPeers(nodes: readonly Node[]): void {
    const { store, nodeId } = this.#context;
    const { index } = this.#leaseSet;
    this.#responder.see(nodes, (leaseId) => index.get(leaseId));
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
