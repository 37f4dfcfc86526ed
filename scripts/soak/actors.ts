import { id, Wallet } from "ethers";

import { type CheckpointClaim, receiptDomain, signReceipt } from "@verai/client/checkpoint-receipt";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { signConsent } from "@verai/client/consent";
import type { Lease, Node } from "@verai/client/entities";
import { packReports, REPORT_TYPES, reportDomain } from "@verai/client/report";
import type { Deployment, SoakChain } from "./chain.ts";
import { DEVELOPERS, type Leaving, type PlannedNode, type PlannedTask, STEP_SECONDS } from "./plan.ts";

const VER = 10n ** 18n;
/** What an ask or a price of the plan is counted in, wei. */
const TICK = VER / 100n;
/** VER that an account has. */
const FUNDS = 200_000n * VER;
const DAG_PB = 0x70;
const RAW = 0x55;
const POWER = { threshold: 500, max: 700 } as const;
/** Steps between two looks at the record of a node, and at a task that waits. */
const LOOK_NODES = 4;
const LOOK_TASKS = 12;
/** Steps between two reports of a node, a third of the time-out. */
const REPORT_STEPS = 72;
/** Nodes that are lost at once. */
const STRANDED = 3;
/** Seconds before a checkpoint is due within which it is posted. */
const AHEAD = 2 * STEP_SECONDS;
/** Seconds for which a task takes results, and steps that one waits for a node whose price nobody asks. */
const TASK_SECONDS = 6 * 86_400;
const PATIENCE = 24;
const ENDS_MOVE = 1;

/** A node and the operator who plays its agent. */
interface ActorNode {
  readonly plan: PlannedNode;
  readonly name: string;
  readonly owner: string;
  operator: Wallet;
  nodeId: number | undefined;
  /** How often it has come as a new node. */
  generation: number;
  sequence: number;
  /** Step until which it is lost, whatever the plan says. */
  lostUntil: number;
}

/** A task of an actor, by its id on the chain. */
interface ActorTask {
  readonly plan: PlannedTask;
  readonly index: number;
  readonly submitted: number;
}

/** What actors remember of the chain, and what is forgotten when blocks are taken back. */
interface Memory {
  readonly live: number[];
  readonly known: number;
  readonly tasks: Map<number, ActorTask>;
  readonly open: Set<number>;
  readonly next: number;
  readonly disputed: Set<number>;
  readonly nodes: readonly (number | undefined)[];
  readonly left: readonly { nodeId: number; owner: string }[];
  readonly seen: Map<string, number>;
  readonly funded: ReadonlySet<string>;
}

/** What actors have done. */
export interface ActorCounts {
  registered: number;
  submitted: number;
  checkpoints: number;
  delivered: number;
  accepted: number;
  disputed: number;
  reports: number;
  /** Checkpoints for which too few holders could sign. */
  unheld: number;
}

/**
 * Contributors and developers without programs: actors in this process that do on the chain what owners, agents, developers and the
 * arbiter do, from what the chain says at each step. They train nothing and store nothing. An actor is no agent: what agents and
 * keepers are judged by are real processes beside them.
 */
export class Actors {
  readonly counts: ActorCounts = {
    registered: 0,
    submitted: 0,
    checkpoints: 0,
    delivered: 0,
    accepted: 0,
    disputed: 0,
    reports: 0,
    unheld: 0,
  };
  readonly #chain: SoakChain;
  readonly #plans: readonly PlannedTask[];
  readonly #deployment: Deployment;
  readonly #nodes: ActorNode[];
  readonly #byId = new Map<number, ActorNode>();
  readonly #developers: readonly string[];
  #funded = new Set<string>();
  /** Nodes that exited, whose stake is to be withdrawn. */
  #left: { nodeId: number; owner: string }[] = [];
  #live: number[] = [];
  #known = 0;
  #tasks = new Map<number, ActorTask>();
  #open = new Set<number>();
  /** Index of the next planned task. */
  #next = 0;
  #disputed = new Set<number>();
  /** When a lease was first seen, seconds. */
  #seen = new Map<string, number>();
  #memory: Memory | undefined;
  /** Nothing new is offered or asked for: the run comes to its end, or the network moves. */
  #closing = false;
  #hurries = false;

  constructor(chain: SoakChain, deployment: Deployment, nodes: readonly PlannedNode[], tasks: readonly PlannedTask[]) {
    this.#chain = chain;
    this.#deployment = deployment;
    this.#plans = tasks;
    this.#nodes = nodes.map((plan, i) => ({
      plan,
      name: `node ${String(i)}`,
      owner: walletOf(`owner ${String(i)}`).address,
      operator: walletOf(`operator ${String(i)} 0`),
      nodeId: undefined,
      generation: 0,
      sequence: 0,
      lostUntil: 0,
    }));
    this.#developers = Array.from({ length: DEVELOPERS }, (_, i) => walletOf(`developer ${String(i)}`).address);
  }

  /** Addresses of everybody. */
  get accounts(): string[] {
    return [...this.#nodes.map(({ owner }) => owner), ...this.#developers];
  }

  /** Tasks that are planned and not submitted yet. */
  get waiting(): number {
    return this.#plans.length - this.#next;
  }

  /** Everything that actors do in a step. */
  async step(step: number): Promise<void> {
    const now = await this.#chain.now();
    await this.#tendNodes(step, now);
    await this.#submit(step, now);
    await this.#work(step, now);
    await this.#tendTasks(step, now);
    if (step % 4 === 0) await this.#report(step);
  }

  /** Remembers what may have to be forgotten. */
  mark(): void {
    this.#memory = {
      live: [...this.#live],
      known: this.#known,
      tasks: new Map(this.#tasks),
      open: new Set(this.#open),
      next: this.#next,
      disputed: new Set(this.#disputed),
      nodes: this.#nodes.map(({ nodeId }) => nodeId),
      left: [...this.#left],
      seen: new Map(this.#seen),
      funded: new Set(this.#funded),
    };
  }

  /** The blocks since the mark are gone: what was done in them is to be done again. */
  forget(): void {
    const memory = this.#memory;
    if (!memory) return;
    this.#live = [...memory.live];
    this.#known = memory.known;
    this.#tasks = new Map(memory.tasks);
    this.#open = new Set(memory.open);
    this.#next = memory.next;
    this.#disputed = new Set(memory.disputed);
    this.#left = [...memory.left];
    this.#seen = new Map(memory.seen);
    this.#funded = new Set(memory.funded);
    this.#byId.clear();
    for (const [i, node] of this.#nodes.entries()) {
      node.nodeId = memory.nodes[i];
      if (node.nodeId !== undefined) this.#byId.set(node.nodeId, node);
    }
  }

  /** No new tasks and no new nodes: what runs comes to its end. */
  close(): void {
    this.#closing = true;
  }

  /** Loses the nodes whose leases are due next, in the middle of their work, for so many steps. @returns How many: none without work. */
  async strand(step: number, lasts: number): Promise<number> {
    const working = (await this.leases())
      .filter(({ status }) => status === "active")
      .sort((a, b) => a.due - b.due)
      .flatMap(({ nodeId }) => this.#byId.get(nodeId) ?? [])
      .filter((node) => !this.#isGone(node, step));
    const lost = [...new Set(working)].slice(0, STRANDED);
    for (const node of lost) node.lostUntil = step + lasts;
    return lost.length;
  }

  /** Nobody stays away, and everybody delivers at once. */
  hurry(): void {
    this.close();
    this.#hurries = true;
  }

  /** Leases that are not over, of all nodes. */
  async leases(): Promise<Lease[]> {
    const { reader } = this.#deployment;
    const block = await reader.block();
    const count = await reader.leaseCount(block);
    while (this.#known < count) this.#live.push(++this.#known);
    const read = await reader.leasesById(block, this.#live);
    const live = read.filter(({ status }) => ["active", "moving", "delivered", "disputed"].includes(status));
    this.#live = live.map(({ id: leaseId }) => leaseId);
    return live;
  }

  /** Ends what is open: tasks that wait are cancelled. @returns How many tasks are not over. */
  async cancelAll(): Promise<number> {
    const { contracts } = this.#deployment;
    const now = await this.#chain.now();
    for (const task of await this.#read([...this.#open])) {
      if (task.status !== "open") this.#open.delete(task.id);
      else if (now > task.deadline)
        await this.#chain.send(task.owner, contracts.tasks.close.populateTransaction(task.id));
      else if (task.openUnits > 0)
        await this.#chain.send(task.owner, contracts.tasks.cancel.populateTransaction(task.id));
    }
    return this.#open.size;
  }

  // Supply.

  async #tendNodes(step: number, now: number): Promise<void> {
    const due = this.#nodes.filter((_, i) => step < 2 || i % LOOK_NODES === step % LOOK_NODES);
    const { reader } = this.#deployment;
    const block = await reader.block();
    const ids = due.flatMap(({ nodeId }) => nodeId ?? []);
    const read = new Map((await reader.nodesById(block, ids)).map((node) => [node.id, node]));
    for (const node of due) {
      const want = wantOf(node.plan, step);
      if (want === "later" || want === "vanishes" || step < node.lostUntil) continue;
      const record = node.nodeId === undefined ? undefined : read.get(node.nodeId);
      if (!record) {
        if (want === "here" && !this.#closing) await this.#register(node);
      } else await this.#tend(node, record, want, now);
    }
  }

  async #tend(node: ActorNode, record: Node, want: "here" | Leaving, now: number): Promise<void> {
    const { nodes } = this.#deployment.contracts;
    const send = (call: Promise<{ to?: unknown; data?: string }>) => this.#chain.send(node.owner, call);
    if (record.status === "unbonding" || record.status === "withdrawn") {
      if (record.status === "unbonding" && record.withdrawableAt <= now)
        await send(nodes.withdraw.populateTransaction(record.id));
      if (want !== "here" || this.#closing) return;
      // Its stake is bound for two weeks: it comes back as another node, with another key.
      if (record.status === "unbonding") this.#left.push({ nodeId: record.id, owner: node.owner });
      node.generation += 1;
      node.operator = walletOf(`operator of ${node.name} ${String(node.generation)}`);
      node.sequence = 0;
      await this.#register(node);
      return;
    }
    if (want === "here") {
      if (record.status === "draining" && !this.#closing) await send(nodes.resume.populateTransaction(record.id));
      const needed = BigInt(node.plan.capacity) * 100n * VER;
      if (record.stake < needed && record.cooldownUntil <= now) {
        await send(nodes.addStake.populateTransaction(record.id, needed - record.stake));
      }
      return;
    }
    if (record.status === "active") await send(nodes.drain.populateTransaction(record.id));
    if (want === "exits" && record.leased === 0 && record.undecided === 0)
      await send(nodes.exit.populateTransaction(record.id));
  }

  async #register(node: ActorNode): Promise<void> {
    const { contracts } = this.#deployment;
    const { classId, capacity, ask } = node.plan;
    await this.#fund(node.owner);
    await this.#chain.admit(node.operator.address);
    const consent = await signConsent(contracts, node.operator, node.owner);
    const profile = { energySource: 1, powerThreshold: POWER.threshold, powerMax: POWER.max, endpoint: "" };
    const terms = { classId, capacity, ask: BigInt(ask) * TICK };
    const stake = BigInt(capacity) * 100n * VER;
    const sent = await this.#chain.send(
      node.owner,
      contracts.nodes.register.populateTransaction({ ...consent }, terms, profile, stake),
    );
    if (!sent) return;
    this.counts.registered += 1;
    const { reader } = this.#deployment;
    node.nodeId = await reader.nodeOfOperator(await reader.block(), node.operator.address);
    if (node.nodeId !== undefined) this.#byId.set(node.nodeId, node);
  }

  /** VER for an account, which the vault may take. */
  async #fund(address: string): Promise<void> {
    if (this.#funded.has(address)) return;
    const { contracts, accounts } = this.#deployment;
    await this.#chain.admit(address);
    await this.#chain.must(accounts.governance.address, contracts.token.transfer.populateTransaction(address, FUNDS));
    await this.#chain.must(address, contracts.token.approve.populateTransaction(contracts.vault, 2n ** 255n));
    this.#funded.add(address);
  }

  async #report(step: number): Promise<void> {
    const { contracts, addresses, accounts } = this.#deployment;
    const domain = reportDomain(LOCAL_CHAIN_ID, addresses["Telemetry"] ?? "");
    const due = this.#nodes.filter(
      (node, i) => node.nodeId !== undefined && !this.#isGone(node, step) && (step + 4 * i) % REPORT_STEPS < 4,
    );
    if (due.length === 0) return;
    const signed = await Promise.all(
      due.map(async (node, i) => {
        const report = {
          nodeId: node.nodeId ?? 0,
          sequence: ++node.sequence,
          // Around a third, some far above it: what the balancer has work with.
          load: 2_000 + ((step * 37 + i * 911) % 30 === 0 ? 6_000 : (step * 13 + i * 577) % 2_000),
          latency: 20,
          watts: 200,
          renewable: false,
        };
        return { report, signature: await node.operator.signTypedData(domain, REPORT_TYPES, report) };
      }),
    );
    const { length } = due;
    if (
      await this.#chain.send(
        accounts.deployer.address,
        contracts.telemetry.post.populateTransaction(packReports(signed)),
      )
    )
      this.counts.reports += length;
  }

  // Demand.

  async #submit(step: number, now: number): Promise<void> {
    if (this.#closing) return;
    const { contracts, typed } = this.#deployment;
    for (; (this.#plans[this.#next]?.step ?? Infinity) <= step; this.#next += 1) {
      const plan = this.#plans[this.#next];
      const owner = this.#developers[plan?.developer ?? 0];
      if (!plan || owner === undefined) continue;
      await this.#fund(owner);
      const sent = await this.#chain.send(
        owner,
        contracts.tasks.submit.populateTransaction({
          specDigest: id(`soak ${String(this.#next)}`),
          specCodec: RAW,
          units: plan.units,
          maxPrice: BigInt(plan.maxPrice) * TICK,
          checkpointInterval: plan.interval,
          maxUnitTime: 4 * 86_400,
          replicas: 1,
          auditChance: 0,
          deadline: now + TASK_SECONDS,
          classIds: [...plan.classIds],
          surcharges: [],
        }),
      );
      // While intake is paused, it is tried again in the next step.
      if (!sent) return;
      const [taskId] = sent.logs.flatMap((log) => {
        const event = typed.tasks.interface.parseLog({ ...log, topics: [...log.topics] });
        return event?.name === "TaskSubmitted" ? [Number(event.args[0])] : [];
      });
      if (taskId === undefined) throw new Error("a task was submitted without an event");
      this.counts.submitted += 1;
      this.#tasks.set(taskId, { plan, index: this.#next, submitted: step });
      this.#open.add(taskId);
    }
  }

  async #tendTasks(step: number, now: number): Promise<void> {
    const { contracts } = this.#deployment;
    const due = [...this.#open].filter((taskId) => taskId % LOOK_TASKS === step % LOOK_TASKS);
    for (const task of await this.#read(due)) {
      const known = this.#tasks.get(task.id);
      if (task.status !== "open") {
        this.#open.delete(task.id);
      } else if (now > task.deadline) {
        await this.#chain.send(task.owner, contracts.tasks.close.populateTransaction(task.id));
      } else if (known && known.plan.maxPrice < 5 && task.maxPrice < 5n * TICK && step - known.submitted > PATIENCE) {
        const { tasks } = contracts;
        const raises = known.index % 2 === 0;
        const call = raises
          ? tasks.raisePrice.populateTransaction(task.id, 60n * TICK)
          : tasks.cancel.populateTransaction(task.id);
        await this.#chain.send(task.owner, call);
      }
    }
  }

  async #read(taskIds: readonly number[]) {
    const { reader } = this.#deployment;
    return taskIds.length === 0 ? [] : reader.tasksById(await reader.block(), taskIds);
  }

  // Work.

  async #work(step: number, now: number): Promise<void> {
    const { contracts, accounts } = this.#deployment;
    for (const lease of await this.leases()) {
      const task = this.#tasks.get(lease.taskId);
      if (!task) continue;
      const owner = this.#developers[task.plan.developer] ?? "";
      if (lease.status === "disputed") {
        const isGood = task.plan.verdict === "disputesWrongly";
        await this.#chain.send(accounts.arbiter.address, contracts.leases.rule.populateTransaction(lease.id, isGood));
      } else if (lease.status === "delivered") {
        await this.#decide(lease, task, owner, now);
      } else await this.#advance(lease, task, step, now);
    }
  }

  async #decide(lease: Lease, { plan }: ActorTask, owner: string, now: number): Promise<void> {
    const { leases } = this.#deployment.contracts;
    const disputes = plan.verdict.startsWith("disputes") && !this.#disputed.has(lease.taskId);
    if (disputes && (await this.#chain.send(owner, leases.dispute.populateTransaction(lease.id)))) {
      this.counts.disputed += 1;
      this.#disputed.add(lease.taskId);
    } else if (plan.verdict !== "waits" || now > lease.due) {
      const by = plan.verdict === "waits" ? (this.#byId.get(lease.nodeId)?.owner ?? owner) : owner;
      if (await this.#chain.send(by, leases.accept.populateTransaction([lease.id]))) this.counts.accepted += 1;
    }
  }

  async #advance(lease: Lease, { plan }: ActorTask, step: number, now: number): Promise<void> {
    const node = this.#byId.get(lease.nodeId);
    if (!node || this.#isGone(node, step)) return;
    const key = [lease.id, lease.taskId, lease.nodeId, lease.start].join("/");
    const since = this.#seen.get(key) ?? now;
    this.#seen.set(key, since);
    const { leases } = this.#deployment.contracts;
    const share = this.#hurries ? 1 : (now - since) / (plan.work * STEP_SECONDS);
    if (share >= 1 && lease.status === "active") {
      const digest = id(`result ${String(lease.id)}`);
      const call = leases.deliver.populateTransaction(lease.id, lease.fence, digest, DAG_PB, 1);
      if (await this.#chain.send(node.operator.address, call)) this.counts.delivered += 1;
      return;
    }
    if (lease.status === "moving" || lease.due - now <= AHEAD) await this.#checkpoint(lease, node, share, step);
    if (lease.status === "moving") {
      await this.#chain.send(
        node.operator.address,
        leases.release.populateTransaction(lease.id, lease.fence, ENDS_MOVE),
      );
    }
  }

  /** Whether nobody is at a node in a step. */
  #isGone({ plan, lostUntil }: ActorNode, step: number): boolean {
    return !this.#hurries && (step < lostUntil || wantOf(plan, step) === "vanishes");
  }

  async #checkpoint(lease: Lease, node: ActorNode, share: number, step: number): Promise<void> {
    const { reader, contracts, addresses } = this.#deployment;
    const block = await reader.block();
    const [newest, needed, holders] = await Promise.all([
      reader.checkpoints(block, [lease.id]),
      reader.receiptsNeeded(block, lease.id),
      reader.holders(block, lease.id),
    ]);
    const whole = 10_000 * lease.count;
    const reached = newest.get(lease.id)?.progress ?? 0;
    const progress = Math.max(reached + 1, Math.floor(whole * Math.min(1, share)));
    const claim: CheckpointClaim = {
      leaseId: lease.id,
      fence: lease.fence,
      digest: id(`checkpoint ${String(lease.id)} ${String(progress)}`),
      codec: DAG_PB,
      progress: Math.min(whole, progress),
      size: 1,
    };
    const domain = receiptDomain(LOCAL_CHAIN_ID, addresses["CheckpointRegistry"] ?? "");
    const receipts: { candidate: number; signature: string }[] = [];
    for (const { candidate, nodeId } of holders) {
      const holder = this.#byId.get(nodeId);
      if (!holder || receipts.length >= needed || this.#isGone(holder, step)) continue;
      receipts.push({ candidate, signature: await signReceipt(holder.operator, domain, claim, nodeId) });
    }
    if (receipts.length < needed) {
      this.counts.unheld += 1;
      return;
    }
    if (await this.#chain.send(node.operator.address, contracts.checkpoints.post.populateTransaction(claim, receipts)))
      this.counts.checkpoints += 1;
  }
}

/** What a node's owner wants in a step. Pure. */
function wantOf({ comes, absences }: PlannedNode, step: number): "later" | "here" | Leaving {
  if (step < comes) return "later";
  return absences.find(({ from, until }) => step >= from && step < until)?.how ?? "here";
}

function walletOf(name: string): Wallet {
  return new Wallet(id(`drmp soak: ${name}`));
}
