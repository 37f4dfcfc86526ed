import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { TransactionReceipt } from "ethers";

import type { Lease, Node, Task } from "../chain/entities.ts";
import { ChainError } from "../chain/errors.ts";
import type { TransactionLane } from "../chain/lane.ts";
import { LeaseIndex } from "../chain/lease-index.ts";
import type { Pin } from "../chain/pin.ts";
import type { Session } from "../chain/session.ts";
import { ENERGY_SOURCES, numberOf } from "../chain/words.ts";
import { bundleCheckpoint, bundleResult, leaseProgress } from "./lease/bundle.ts";
import { restorable } from "./lease/lineage.ts";
import { type ChainLease, type LeaseStep, type LocalLease, planLeases, whyIdle } from "./lease/plan.ts";
import { LeaseWork, type WorkParts } from "./lease/work.ts";
import type { Workspace } from "./lease/workspace.ts";
import type { DiskRoom } from "./node/disk.ts";
import { isHeldBy } from "./node/handover.ts";
import { planNode, freeUnits } from "./node/registration.ts";
import { replicaHolders } from "./node/replicas.ts";
import { Replicas } from "./node/replication.ts";
import { keptLeases } from "./node/retention.ts";
import { fromChainCid, toChainCid } from "../protocol/checkpoints/cid.ts";

/** Looks at the chain that an agent takes at most before it leaves. */
const DRAIN_CYCLES = 5;

/** What an agent works with. */
export interface AgentParts extends WorkParts {
  readonly session: Session;
  /** Lane of the operator key. */
  readonly lane: TransactionLane;
  readonly workspace: Workspace;
  readonly nodeId: number;
  /** Copies of a checkpoint beside the producer's own. */
  readonly replicas: number;
  readonly room: DiskRoom;
}

/** What an agent is doing, for `/health` and logs. */
export interface AgentState {
  readonly nodeId: number;
  readonly leases: readonly { readonly id: number; readonly units: number; readonly progress: number }[];
  readonly idle: string | undefined;
  readonly peers: { readonly connected: number; readonly known: number };
}

/**
 * One node's agent: looks at the chain and at its own disk, and does what is missing between them.
 *
 * All state that matters is on chain and on disk. Killed at any line and started again, it comes to the same steps.
 */
export class Agent {
  readonly #parts: AgentParts;
  readonly #index: LeaseIndex;
  readonly #works = new Map<number, LeaseWork>();
  readonly #tasks = new Map<number, Task>();
  readonly #replicas: Replicas;
  #draining = false;
  #state: AgentState | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#index = new LeaseIndex(parts.session.reader);
    this.#replicas = new Replicas(parts.store, parts.logger);
  }

  /** What it was doing at the end of the last cycle. */
  get state(): AgentState | undefined {
    return this.#state;
  }

  /** One look and what follows from it. Steps that fail are logged and come up again in the next cycle. */
  async cycle(): Promise<boolean> {
    const { reader } = this.#parts.session;
    const { pin } = await this.#index.refresh();
    const nodes = await reader.nodes(pin);
    const node = nodes.find(({ id }) => id === this.#parts.nodeId);
    if (!node) throw new Error(`node ${String(this.#parts.nodeId)} is not registered`);
    this.#connectPeers(nodes);
    await this.#lookForRoom();

    const mine = await this.#ownLeases(pin);
    const local = await this.#localWork();
    const steps = planLeases(mine, local, pin.timestamp, this.#draining);
    // Leases do not wait for one another; within one the order of its steps stands.
    const byLease = Map.groupBy(steps, ({ leaseId }) => leaseId);
    await Promise.all([...byLease.values()].map((own) => this.#takeSteps(own, mine, pin)));

    if (!this.#draining) {
      await this.#keepNode(node, pin);
      const kept = await this.#kept(pin);
      await this.#replicas.keep(reader, pin, kept, nodes, node.id, this.#parts.replicas);
    }
    await this.#note(node, mine, pin);
    return steps.length > 0;
  }

  /**
   * Leaves: takes no new leases, lets the workloads write a last checkpoint, posts it, and gives the leases back without
   * penalty, so that others go on from there. Stays until another node has copied those checkpoints, but no longer than
   * the grace.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const { session, nodeId, logger } = this.#parts;
    await Promise.all([...this.#works.values()].map((work) => work.stop("drain")));
    await this.#try("drain", async () => {
      const node = await session.reader.node(await session.reader.pin(), nodeId);
      if (node?.status !== "active") return;
      await this.#send("drain", () => session.contracts.nodes.drain.populateTransaction(nodeId));
    });
    for (let round = 0; round < DRAIN_CYCLES; round++) {
      try {
        if (!(await this.cycle())) break;
      } catch (error) {
        logger.error({ err: error }, "cannot give leases back yet, trying again");
        await delay(1000);
      }
    }
    await this.#try("hand-over", () => this.#handOver());
    const held = this.#index.live().filter((lease) => lease.nodeId === nodeId && lease.status === "active");
    if (held.length === 0) logger.info("drained: no lease is held any more");
    else logger.error({ leases: held.map(({ id }) => id) }, "leaving with leases, which will be overdue: start again");
  }

  /** Waits until others hold the last checkpoints of leases that were given back. */
  async #handOver(): Promise<void> {
    const { session, nodeId, replicas, graceSeconds, room, logger } = this.#parts;
    const { pin } = await this.#index.refresh();
    const given = (await this.#kept(pin)).filter(({ nodeId: by, status }) => by === nodeId && status === "released");
    const ids = given.map(({ id }) => id);
    const [checkpoints, nodes] = await Promise.all([session.reader.checkpoints(pin, ids), session.reader.nodes(pin)]);
    const active = nodes.filter(({ status }) => status === "active").map(({ id }) => id);
    const signal = AbortSignal.timeout(graceSeconds * 1000);
    await Promise.all(
      [...checkpoints].map(async ([leaseId, checkpoint]) => {
        const cid = fromChainCid(checkpoint).toString();
        const holders = nodes.filter(({ id }) => replicaHolders(leaseId, nodeId, active, replicas).includes(id));
        for (const { id, endpoint } of holders) {
          const scratch = join(room.directory, `handover-${String(leaseId)}`);
          if (!(await isHeldBy(endpoint.split(","), cid, scratch, signal))) continue;
          logger.info({ lease: leaseId, cid, node: id }, "last checkpoint is held by another node");
          return;
        }
        logger.warn(
          { lease: leaseId, cid },
          "no other node has the last checkpoint; it is here when the agent is back",
        );
      }),
    );
  }

  /** Leases whose checkpoints are still of use. */
  async #kept(pin: Pin): Promise<Lease[]> {
    const leases = this.#index.all();
    const open = new Set<number>();
    for (const { taskId, status } of leases) {
      if (!["released", "expired", "rejected"].includes(status) || open.has(taskId)) continue;
      if (pin.timestamp < (await this.#task(taskId, pin)).deadline) open.add(taskId);
    }
    return keptLeases(leases, pin.timestamp, (taskId) => open.has(taskId));
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
    const peers = nodes.filter(({ id, status }) => id !== nodeId && (status === "active" || status === "draining"));
    store.setPeers(peers.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
  }

  async #ownLeases(pin: Pin): Promise<ChainLease[]> {
    const { session, nodeId, workspace } = this.#parts;
    const begun = new Set((await workspace.records()).map(({ leaseId }) => leaseId));
    const own = this.#index
      .all()
      .filter((lease) => lease.nodeId === nodeId && (begun.has(lease.id) || this.#isLive(lease)));
    const checkpoints = await session.reader.checkpoints(
      pin,
      own.map(({ id }) => id),
    );
    const { leaseGrace } = await session.reader.parameters(pin);
    return Promise.all(
      own.map(async (lease) => {
        const { checkpointInterval } = await this.#task(lease.taskId, pin);
        const newest = checkpoints.get(lease.id);
        // Without a checkpoint the interval runs from the grant, which the first due time tells.
        const checkpoint = newest ?? { progress: 0, at: lease.due - checkpointInterval - leaseGrace };
        return { ...lease, status: lease.status as ChainLease["status"], checkpointInterval, checkpoint };
      }),
    );
  }

  async #localWork(): Promise<LocalLease[]> {
    const records = await this.#parts.workspace.records();
    const works = [...this.#works.values()].map(({ lease }) => ({ leaseId: lease.id, ...lease }));
    const known = new Map(
      [...works, ...records].map((each) => [`${String(each.leaseId)}-${String(each.fence)}`, each]),
    );
    return Promise.all(
      [...known.values()].map(async ({ leaseId, fence, start, count }) => {
        const work = this.#works.get(leaseId);
        const current = work?.lease.fence === fence ? work : undefined;
        const progress = await leaseProgress(this.#parts.workspace.folder(leaseId, fence), start, count);
        return {
          id: leaseId,
          fence,
          running: current?.running ?? false,
          unitsDone: progress.unitsDone,
          progress: progress.total,
          ...(current?.failure !== undefined && { failure: current.failure }),
        };
      }),
    );
  }

  async #takeSteps(steps: readonly LeaseStep[], leases: readonly ChainLease[], pin: Pin): Promise<void> {
    for (const step of steps) {
      const lease = leases.find(({ id }) => id === step.leaseId);
      const done = await this.#try(`${step.kind} of lease ${String(step.leaseId)}`, () =>
        this.#takeStep(step, lease, pin),
      );
      if (!done) return;
    }
  }

  async #takeStep(step: LeaseStep, lease: ChainLease | undefined, pin: Pin): Promise<void> {
    switch (step.kind) {
      case "stop":
        this.#parts.logger.warn({ lease: step.leaseId, why: step.why }, "stopping work that is not ours any more");
        await this.#works.get(step.leaseId)?.stop("kill");
        return;
      case "forget":
        return this.#forget(step.leaseId, pin);
      default:
        if (!lease) throw new Error(`lease ${String(step.leaseId)} is not known`);
    }
    const { leases } = this.#parts.session.contracts;
    switch (step.kind) {
      case "start":
        // Waits for room; the listing is withdrawn meanwhile.
        return this.#parts.room.full === undefined ? this.#start(lease, pin) : undefined;
      case "checkpoint":
        return this.#checkpoint(lease);
      case "deliver":
        return this.#deliver(lease);
      case "release": {
        this.#parts.logger.warn({ lease: lease.id, why: step.why }, "giving the lease back");
        await this.#works.get(lease.id)?.stop("kill");
        await this.#send(`release ${String(lease.id)}`, () =>
          this.#ifActive(lease, () => leases.release.populateTransaction(lease.id, lease.fence)),
        );
        return;
      }
      case "accept":
        await this.#send(`accept ${String(lease.id)}`, () => leases.accept.populateTransaction([lease.id]));
    }
  }

  async #start(lease: ChainLease, pin: Pin): Promise<void> {
    const { session, workspace } = this.#parts;
    const chainLease = this.#index.get(lease.id);
    const parent = chainLease?.parent ?? 0;
    const from = parent === 0 ? [] : await restorable(session.reader, pin, parent);
    const folder = workspace.folder(lease.id, lease.fence);
    const work = new LeaseWork(lease, await this.#task(lease.taskId, pin), folder, from, this.#parts);
    this.#works.set(lease.id, work);
    work.start();
    const { id, taskId, start, count, fence } = lease;
    this.#parts.logger.info({ lease: id, task: taskId, start, count, fence, parent }, "working on lease");
  }

  async #checkpoint(lease: ChainLease): Promise<void> {
    const { store, workspace, session, logger } = this.#parts;
    const folder = workspace.folder(lease.id, lease.fence);
    const bundle = await bundleCheckpoint(folder, lease.start, lease.count);
    const { cid, size } = await store.addDirectory(bundle.path, { pin: checkpointLabel(lease.id) });
    const { digest, codec } = toChainCid(cid);
    const receipt = await this.#send(`checkpoint of lease ${String(lease.id)}`, () =>
      this.#ifActive(lease, async () => {
        const [newest] = await session.reader.newestCheckpoints(await session.reader.pin(), lease.id);
        if (newest && newest.progress >= bundle.progress) return null;
        return session.contracts.checkpoints.post.populateTransaction(
          lease.id,
          lease.fence,
          digest,
          codec,
          bundle.progress,
          size,
        );
      }),
    );
    await this.#retainNewest(lease.id);
    if (receipt)
      logger.info({ lease: lease.id, cid: cid.toString(), progress: bundle.progress, size }, "checkpoint posted");
  }

  /** Keeps the two checkpoints that the chain knows, lets older ones go. */
  async #retainNewest(leaseId: number): Promise<void> {
    const { store, session } = this.#parts;
    const kept = await session.reader.newestCheckpoints(await session.reader.pin(), leaseId);
    await this.#unpinAllBut(checkpointLabel(leaseId), new Set(kept.map((each) => fromChainCid(each).toString())));
    await store.collectGarbage();
  }

  async #unpinAllBut(label: string, kept: ReadonlySet<string>): Promise<void> {
    const { store } = this.#parts;
    for (const { cid, labels } of store.list()) {
      if (labels.includes(label) && !kept.has(cid.toString())) await store.unpin(cid, label);
    }
  }

  async #deliver(lease: ChainLease): Promise<void> {
    const { store, workspace, session, logger } = this.#parts;
    const path = await bundleResult(workspace.folder(lease.id, lease.fence), lease.start, lease.count);
    const { cid, size } = await store.addDirectory(path, { pin: `result-${String(lease.id)}` });
    const { digest, codec } = toChainCid(cid);
    await this.#send(`result of lease ${String(lease.id)}`, () =>
      this.#ifActive(lease, () =>
        session.contracts.leases.deliver.populateTransaction(lease.id, lease.fence, digest, codec, size),
      ),
    );
    this.#works.delete(lease.id);
    logger.info({ lease: lease.id, cid: cid.toString(), size }, "result delivered");
  }

  /** The transaction, if the lease is still ours and active right before it is sent; else nothing. */
  async #ifActive<T>(lease: ChainLease, build: () => Promise<T | null>): Promise<T | null> {
    const { reader } = this.#parts.session;
    const [now] = await reader.leasesById(await reader.pin(), [lease.id]);
    return now?.status === "active" && now.fence === lease.fence ? build() : null;
  }

  /** Deletes the work of a lease that is over. Its result stays pinned: it is what was paid for; so do its checkpoints for a while. */
  async #forget(leaseId: number, pin: Pin): Promise<void> {
    const { workspace, store } = this.#parts;
    this.#works.delete(leaseId);
    for (const record of await workspace.records()) {
      if (record.leaseId === leaseId) await workspace.folder(leaseId, record.fence).remove();
    }
    const kept = new Set((await this.#kept(pin)).map(({ id }) => id));
    for (const { id } of this.#index.all()) {
      if (!kept.has(id)) await this.#unpinAllBut(checkpointLabel(id), new Set());
    }
    await store.collectGarbage();
  }

  /** Brings what the chain says of the node in line with the agent. */
  async #keepNode(node: Node, pin: Pin): Promise<void> {
    const { session, store, logger, room } = this.#parts;
    const { nodes } = session.contracts;
    const { stakePerUnit } = await session.reader.parameters(pin);
    const free = freeUnits(node, BigInt(stakePerUnit) * 10n ** 12n);
    const endpoint = store.multiaddrs().join(",");
    const frozen = await nodes.frozen({ blockTag: pin.number });
    for (const step of planNode(node, { endpoint, unfit: room.full }, free, pin.timestamp, frozen)) {
      logger.info({ why: step.why }, step.kind);
      await this.#try(step.kind, () =>
        this.#send(step.kind, () => {
          if (step.kind === "drain") return nodes.drain.populateTransaction(node.id);
          if (step.kind === "resume") return nodes.resume.populateTransaction(node.id);
          if (step.kind === "sync") return nodes.sync.populateTransaction([node.id]);
          const { powerThreshold } = node;
          const energySource = numberOf(ENERGY_SOURCES, node.energySource);
          return nodes.setProfile.populateTransaction(node.id, { energySource, powerThreshold, endpoint });
        }),
      );
    }
  }

  async #note(node: Node, leases: readonly ChainLease[], pin: Pin): Promise<void> {
    const { session, store } = this.#parts;
    const active = leases.filter(({ status }) => status === "active");
    const peers = store.peers();
    const { stakePerUnit } = await session.reader.parameters(pin);
    const idle =
      this.#parts.room.full ??
      whyIdle({
        registered: true,
        status: node.status as "active",
        leased: node.leased,
        listedUnits: node.listing?.units ?? 0,
        capacity: node.capacity,
        cooldownUntil: node.cooldownUntil,
        covered: Number(node.stake / (BigInt(stakePerUnit) * 10n ** 12n)),
        now: pin.timestamp,
        queueLength: (await session.reader.queue(pin, 1)).length,
      });
    if (idle !== this.#state?.idle && idle !== undefined) this.#parts.logger.info({ why: idle }, "idle");
    this.#state = {
      nodeId: node.id,
      leases: active.map(({ id, count, checkpoint }) => ({ id, units: count, progress: checkpoint.progress })),
      idle,
      peers: { connected: peers.filter(({ connected }) => connected).length, known: peers.length },
    };
  }

  #isLive(lease: Lease): boolean {
    return ["active", "delivered", "disputed"].includes(lease.status);
  }

  async #task(taskId: number, pin: Pin): Promise<Task> {
    const known = this.#tasks.get(taskId);
    if (known) return known;
    const task = await this.#parts.session.reader.task(pin, taskId);
    if (!task) throw new Error(`task ${String(taskId)} is not on the chain`);
    this.#tasks.set(taskId, task);
    return task;
  }

  #send(
    label: string,
    prepare: Parameters<TransactionLane["submit"]>[0]["prepare"],
  ): Promise<TransactionReceipt | null> {
    return this.#parts.lane.submit({ label, prepare });
  }

  /** Runs a step; a failure is logged and left to the next cycle. @returns whether it went well. */
  async #try(what: string, step: () => Promise<unknown>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      const code = error instanceof ChainError ? error.code : undefined;
      this.#parts.logger.error({ err: error, code, step: what }, `${what} failed, will be tried again`);
      return false;
    }
  }
}

function checkpointLabel(leaseId: number): string {
  return `checkpoint-${String(leaseId)}`;
}
