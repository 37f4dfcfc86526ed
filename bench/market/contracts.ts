import { hexlify, id, toBeHex, Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { Link } from "@verai/protocol/audits/segments";
import { paidAuditChance } from "@verai/protocol/money/audit-fee";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { connect } from "@verai/client/deployment";
import type { Lease, Task } from "@verai/client/entities";
import { signConsent } from "@verai/client/consent";
import { type CheckpointClaim, receiptDomain, signReceipt } from "@verai/client/checkpoint-receipt";
import { Reader } from "@verai/client/readers";
import { packReports, REPORT_TYPES, reportDomain } from "@verai/client/report";
import { deployLocal } from "@verai/devnet/deploy";
import { settlement } from "@verai/devnet/settlement";
import { addressesOf } from "@verai/devnet/market";
import { AuditContracts } from "../audits/contracts.ts";

const GAS_LIMIT = toBeHex(2n ** 24n - 1n);
/** Named, so that nobody asks the chain for it each time; what gas is worth is the economy's to say. */
const GAS_PRICE = toBeHex(10n ** 11n);
const ETHER = 10n ** 18n;
/** A class of gpu machines: ticks of 0.01 VER. */
const CLASS_ID = 4;
/** A class in which nobody lists anything. */
const EMPTY_CLASS_ID = 5;
const TICK = 10n ** 16n;
const DAG_PB = 0x70;
const POWER_WATTS = 700;
/** When every game begins, seconds: the same each time, so that it plays out the same to the gas. */
const START = 2_000_000_000;
/** Until when consents are good, seconds: the same each time, since their bytes cost gas. */
const CONSENT_UNTIL = START + 10 * 365 * 86_400;
/** Entries that a call reads: decoding takes time that grows with the square of an answer's size. */
const PAGES = { nodes: 8, tasks: 8, leases: 8 } as const;

/** VER as wei, on the grid of ticks. */
function wei(ver: number): bigint {
  return BigInt(Math.round(ver * 100)) * TICK;
}

/** Wei as VER. */
function ver(amount: bigint): number {
  return Number(amount) / 1e18;
}

/** A node as its player runs it. */
export interface GameNode {
  readonly nodeId: number;
  readonly owner: string;
  readonly operator: Wallet;
  readonly capacity: number;
  sequence: number;
}

/** A node that may sign for a lease's checkpoints, and which of the lease's candidates it is. */
export interface GameHolder {
  readonly candidate: number;
  readonly node: GameNode;
}

/** What a node says of itself. */
export interface Said {
  readonly node: GameNode;
  /** Basis points. */
  readonly load: number;
  /** Milliseconds. */
  readonly latency: number;
  readonly watts: number;
}

/** A point of the chain's history that can be returned to. */
export interface ChainMark {
  readonly snapshot: string;
  readonly live: readonly number[];
  readonly known: number;
  readonly requests: number;
}

/** A transaction that the contracts took. */
interface Sent {
  readonly gas: number;
}

type Call = Promise<{ to?: unknown; data?: string }>;

/**
 * The contracts as the game's players use them: the only file of the game that knows their signatures. The chain is a
 * simulated one in this process, deployed by the project's own module with BASE's parameters; its clock is moved.
 *
 * A transaction that the contracts refuse is not sent, as with every player that simulates first; it costs nothing.
 */
export class MarketContracts {
  /** Gas that each address paid for since the last restore. */
  readonly gas = new Map<string, number>();
  transactions = 0;
  /** Audits of what was leased. */
  readonly audits: AuditContracts;
  readonly #deployed: Awaited<ReturnType<typeof deployLocal>>;
  readonly #addresses: Readonly<Record<string, string>>;
  readonly #reader: Reader;
  /** Owners by their nodes' operators, whose gas is theirs. */
  readonly #owners = new Map<string, string>();
  /** The usual fee, basis points. */
  #feeBps = 0;
  #snapshot = "";
  #requests = 0;
  /** Ids of leases that were not over when they were last read, and how many were granted by then. */
  #live: number[] = [];
  #known = 0;

  private constructor(
    deployed: Awaited<ReturnType<typeof deployLocal>>,
    addresses: Readonly<Record<string, string>>,
    reader: Reader,
  ) {
    this.#deployed = deployed;
    this.#addresses = addresses;
    this.#reader = reader;
    this.audits = new AuditContracts(deployed.contracts, {
      now: () => this.now(),
      send: async (from, to, data) => (await this.#send(from, Promise.resolve({ to, data }))) !== undefined,
      must: async (from, to, data) => {
        await this.#must(from, Promise.resolve({ to, data }));
      },
      attempt: async (from, to, data) =>
        this.#transact(from, to, data, from).then(
          () => true,
          () => false,
        ),
      call: (to, data) => this.#ask("eth_call", { to, data, gas: GAS_LIMIT }, "latest"),
    });
  }

  static async open(): Promise<MarketContracts> {
    const deployed = await deployLocal("base");
    const addresses = await addressesOf(deployed);
    const deployment = { chainId: LOCAL_CHAIN_ID, file: "in process", addresses };
    const reader = new Reader(connect(deployment, deployed.connection.ethers.provider), PAGES);
    const chain = new MarketContracts(deployed, addresses, reader);
    await chain.passTo(START);
    chain.#feeBps = (await reader.parameters(await reader.block())).feeBps;
    chain.#snapshot = await chain.#ask("evm_snapshot");
    return chain;
  }

  async close(): Promise<void> {
    await this.#deployed.connection.close();
  }

  /** Back to where nobody has played yet. */
  async restore(): Promise<void> {
    await this.#ask("evm_revert", this.#snapshot);
    this.#snapshot = await this.#ask("evm_snapshot");
    this.gas.clear();
    this.#owners.clear();
    this.transactions = 0;
    this.#requests = 0;
    [this.#live, this.#known] = [[], 0];
  }

  /** Where the chain is now, to come back to with {@link back}. */
  async mark(): Promise<ChainMark> {
    return {
      snapshot: await this.#ask("evm_snapshot"),
      live: [...this.#live],
      known: this.#known,
      requests: this.#requests,
    };
  }

  /** Back to a mark, as after a reorganisation. A mark is good for one return. */
  async back({ snapshot, live, known, requests }: ChainMark): Promise<void> {
    await this.#ask("evm_revert", snapshot);
    [this.#live, this.#known, this.#requests] = [[...live], known, requests];
  }

  /** An account by its name, with gas money and this many VER that the vault may take. */
  async account(name: string, funds: number): Promise<string> {
    const address = operatorOf(name).address;
    const { token } = this.#deployed.contracts;
    await this.#ask("hardhat_impersonateAccount", address);
    await this.#ask("hardhat_setBalance", address, toBeHex(1_000n * ETHER));
    const treasury = this.#deployed.accounts.governance.address;
    if (funds > 0) await this.#send(treasury, token.transfer.populateTransaction(address, wei(funds)));
    await this.#send(address, token.approve.populateTransaction(this.#address("Vault"), 10n ** 9n * ETHER));
    this.gas.delete(address);
    return address;
  }

  /** Seconds of the chain's clock. */
  async now(): Promise<number> {
    return this.#deployed.connection.networkHelpers.time.latest();
  }

  async passTo(time: number): Promise<void> {
    if (time > (await this.now())) await this.#deployed.connection.networkHelpers.time.increaseTo(time);
  }

  // Supply.

  async registerNode(owner: string, name: string, capacity: number, ask: number): Promise<GameNode> {
    const { nodes } = this.#deployed.contracts;
    const operator = operatorOf(`operator of ${name}`);
    await this.#ask("hardhat_impersonateAccount", operator.address);
    await this.#ask("hardhat_setBalance", operator.address, toBeHex(1_000n * ETHER));
    const profile = { energySource: 0, powerThreshold: 0, powerMax: POWER_WATTS * capacity, endpoint: "" };
    const terms = { classId: CLASS_ID, capacity, ask: wei(ask) };
    const stake = stakeOf(capacity);
    const valid = CONSENT_UNTIL - (await this.now());
    const consent = await signConsent(this.#deployed.contracts, operator, owner, valid);
    await this.#must(owner, nodes.register.populateTransaction({ ...consent }, terms, profile, wei(stake)));
    const nodeId = Number(await nodes.nodeCount());
    this.#owners.set(operator.address, owner);
    return { nodeId, owner, operator, capacity, sequence: 0 };
  }

  async setAsk(node: GameNode, ask: number): Promise<void> {
    const { nodes } = this.#deployed.contracts;
    const terms = { classId: CLASS_ID, capacity: node.capacity, ask: wei(ask) };
    await this.#send(node.owner, nodes.setTerms.populateTransaction(node.nodeId, terms));
  }

  async drain(node: GameNode): Promise<void> {
    await this.#send(node.owner, this.#deployed.contracts.nodes.drain.populateTransaction(node.nodeId));
  }

  /** A node that was drained takes leases again. */
  async resume(node: GameNode): Promise<void> {
    await this.#send(node.owner, this.#deployed.contracts.nodes.resume.populateTransaction(node.nodeId));
  }

  /** Adds nothing to anybody's stake. */
  async touch(from: string, nodeId: number): Promise<void> {
    await this.#send(from, this.#deployed.contracts.nodes.addStake.populateTransaction(nodeId, 0));
  }

  /** Adds VER to a node's stake. */
  async addStake(node: GameNode, amount: number): Promise<void> {
    await this.#must(node.owner, this.#deployed.contracts.nodes.addStake.populateTransaction(node.nodeId, wei(amount)));
  }

  async report(from: string, said: readonly Said[], _period: number): Promise<void> {
    const { telemetry } = this.#deployed.contracts;
    const domain = reportDomain(LOCAL_CHAIN_ID, this.#address("Telemetry"));
    const signed = await Promise.all(
      said.map(async ({ node, load, latency, watts }) => {
        const report = {
          nodeId: node.nodeId,
          sequence: ++node.sequence,
          load,
          latency,
          watts: Math.min(watts, POWER_WATTS * node.capacity),
          renewable: false,
        };
        return { report, signature: await node.operator.signTypedData(domain, REPORT_TYPES, report) };
      }),
    );
    await this.#send(from, telemetry.post.populateTransaction(packReports(signed)));
  }

  // Demand.

  /** @returns The task's id; undefined if it was refused. */
  async submit(
    owner: string,
    task: {
      units: number;
      maxPrice: number;
      interval: number;
      deadline: number;
      replicas: number;
      servable?: boolean;
      /** Whether its work is audited: then its checkpoints have trace roots. */
      audited?: boolean;
    },
  ): Promise<number | undefined> {
    const { tasks } = this.#deployed.contracts;
    const sent = await this.#send(
      owner,
      tasks.submit.populateTransaction({
        specDigest: id("a spec"),
        specCodec: 0x55,
        units: task.units,
        maxPrice: task.maxPrice < 0.01 ? PRICE_UNIT : wei(task.maxPrice),
        checkpointInterval: task.interval,
        maxUnitTime: Math.max(task.interval, 86_400),
        replicas: task.replicas,
        // What developers ask for by default.
        auditChance: task.audited === true ? paidAuditChance(this.#feeBps) : 0,
        deadline: task.deadline,
        classIds: [task.servable === false ? EMPTY_CLASS_ID : CLASS_ID],
        surcharges: [],
      }),
    );
    return sent && Number(await tasks.taskCount());
  }

  async cancel(owner: string, taskId: number): Promise<void> {
    await this.#send(owner, this.#deployed.contracts.tasks.cancel.populateTransaction(taskId));
  }

  async raisePrice(owner: string, taskId: number, price: number): Promise<void> {
    await this.#send(owner, this.#deployed.contracts.tasks.raisePrice.populateTransaction(taskId, wei(price)));
  }

  async closeTask(from: string, taskId: number): Promise<void> {
    await this.#send(from, this.#deployed.contracts.tasks.close.populateTransaction(taskId));
  }

  /** Settles what is held of an ended task's release fees. */
  async settleReleases(from: string, taskId: number): Promise<void> {
    await this.#send(from, this.#deployed.contracts.releaseFees.distribute.populateTransaction(taskId));
  }

  /** Tasks with ids from `from` on. */
  async tasks(from = 1): Promise<Task[]> {
    return this.#reader.tasks(await this.#reader.block(), from);
  }

  // Rounds and batches.

  /** Opens a round, having done the upkeep that it needs. @returns Whether one was opened. */
  async openRound(from: string): Promise<boolean> {
    const { supply, rounds, tasks } = this.#deployed.contracts;
    if ((await tasks.queueLength()) === 0n) return false;
    if ((await supply.pendingCount()) !== 0n) await this.#send(from, supply.syncPending.populateTransaction(32));
    return (await this.#send(from, rounds.open.populateTransaction())) !== undefined;
  }

  /** Parks tasks that no round can serve, and puts back those that one can. */
  async tidyQueue(from: string): Promise<void> {
    const { tasks, lens } = this.#deployed.contracts;
    await this.#send(from, tasks.park.populateTransaction(32));
    // All of them, page by page: a heap of what nobody serves must not hide what can be served again.
    for (
      let offset = 0, parked = await lens.parkedPage(0, 32);
      parked.length > 0;
      parked = await lens.parkedPage((offset += 32), 32)
    ) {
      await this.#send(from, tasks.enqueue.populateTransaction([...parked]));
    }
  }

  /** The oracle answers what the open round, or batch, has asked. `payer` stands for who pays the subscription. */
  async answerOracle(payer: string, round: boolean, word: (request: number) => bigint): Promise<void> {
    const { rounds, reassignment, coordinator, seeds } = this.#deployed.contracts;
    const { requestId } = await (round ? rounds.current() : reassignment.current());
    const words = [this.nextWord(word)];
    await this.#must(
      payer,
      coordinator.fulfillRandomWordsWithOverride.populateTransaction(requestId, await seeds.getAddress(), words),
    );
  }

  /** The oracle's next answer. */
  nextWord(word: (request: number) => bigint): bigint {
    return word(this.#requests++);
  }

  /** Settles the open round with the optimum. */
  async settle(from: string): Promise<void> {
    const { rounds } = this.#deployed.contracts;
    const post = await settlement(this.#reader);
    const { id: roundId } = await rounds.current();
    await this.#must(from, rounds.settle.populateTransaction(roundId, post));
  }

  /** Opens a batch for what has to be drawn for. @returns Whether one was opened. */
  async openBatch(from: string): Promise<boolean> {
    const { supply, reassignment } = this.#deployed.contracts;
    if ((await reassignment.orphanCounts()).waiting === 0n) return false;
    if ((await supply.pendingCount()) !== 0n) await this.#send(from, supply.syncPending.populateTransaction(32));
    if (!(await this.#send(from, reassignment.open.populateTransaction()))) return false;
    return (await reassignment.current()).status === 1n;
  }

  async draw(from: string): Promise<void> {
    await this.#must(from, this.#deployed.contracts.reassignment.draw.populateTransaction(32));
  }

  // Leases.

  /** Leases that are not over yet. */
  async leases(): Promise<Lease[]> {
    const block = await this.#reader.block();
    const count = await this.#reader.leaseCount(block);
    while (this.#known < count) this.#live.push(++this.#known);
    const read = await this.#reader.leasesById(block, this.#live);
    const live = read.filter(({ status }) => ["active", "moving", "delivered", "disputed"].includes(status));
    this.#live = live.map(({ id: leaseId }) => leaseId);
    return live;
  }

  /** Nodes of these that may sign for a lease's checkpoints, as many as are needed; undefined if too few of them may. */
  async holders(lease: Lease, nodes: readonly GameNode[]): Promise<GameHolder[] | undefined> {
    const block = await this.#reader.block();
    const needed = await this.#reader.receiptsNeeded(block, lease.id);
    const found = (await this.#reader.holders(block, lease.id)).flatMap(({ candidate, nodeId }) => {
      const node = nodes.find((each) => each.nodeId === nodeId);
      return node ? [{ candidate, node }] : [];
    });
    return found.length >= needed ? found.slice(0, needed) : undefined;
  }

  /** Posts a checkpoint. @returns Whether it was taken. */
  async checkpoint(lease: Lease, by: GameNode, progress: number, holders: readonly GameHolder[]): Promise<boolean> {
    const { checkpoints } = this.#deployed.contracts;
    const digest = id(`checkpoint ${String(lease.id)} ${String(progress)}`);
    const holding: CheckpointClaim = {
      leaseId: lease.id,
      fence: lease.fence,
      digest,
      codec: DAG_PB,
      progress,
      size: 1,
    };
    const call = checkpoints.post.populateTransaction(holding, await this.#receipts(holding, holders));
    return (await this.#send(by.operator.address, call, by.owner)) !== undefined;
  }

  /** Posts a checkpoint of a task that asks for audits. @param link Its chain entry, but for the time. */
  async checkpointTraced(
    lease: Lease,
    by: GameNode,
    link: Omit<Link, "at">,
    holders: readonly GameHolder[],
  ): Promise<boolean> {
    const { digest, codec, progress, size } = link;
    const claim = { leaseId: lease.id, fence: lease.fence, digest, codec, progress, size: Number(size) };
    const receipts = await this.#receipts(claim, holders);
    const call = this.#deployed.contracts.checkpoints.postTraced.populateTransaction(claim, link.traceRoot, receipts);
    return (await this.#send(by.operator.address, call, by.owner)) !== undefined;
  }

  async deliver(lease: Pick<Lease, "id" | "fence">, by: GameNode): Promise<boolean> {
    const { leases } = this.#deployed.contracts;
    const digest = id(`result ${String(lease.id)}`);
    const call = leases.deliver.populateTransaction(lease.id, lease.fence, digest, DAG_PB, 1);
    return (await this.#send(by.operator.address, call, by.owner)) !== undefined;
  }

  /** @param reason Why it gives the lease back, as in `ILeaseRegistry.EndReason`. */
  async release(lease: Pick<Lease, "id" | "fence">, by: GameNode, reason = 1): Promise<boolean> {
    const call = this.#deployed.contracts.leases.release.populateTransaction(lease.id, lease.fence, reason);
    return (await this.#send(by.operator.address, call, by.owner)) !== undefined;
  }

  async handOver(from: string, lease: Lease): Promise<void> {
    await this.#send(from, this.#deployed.contracts.leases.handOver.populateTransaction(lease.id));
  }

  async expire(from: string, lease: Pick<Lease, "id">): Promise<boolean> {
    return (await this.#send(from, this.#deployed.contracts.leases.expire.populateTransaction(lease.id))) !== undefined;
  }

  async accept(from: string, leases: readonly Pick<Lease, "id">[]): Promise<void> {
    const ids = leases.map(({ id: leaseId }) => leaseId);
    await this.#send(from, this.#deployed.contracts.leases.accept.populateTransaction(ids));
  }

  async dispute(from: string, lease: Lease): Promise<boolean> {
    return (
      (await this.#send(from, this.#deployed.contracts.leases.dispute.populateTransaction(lease.id))) !== undefined
    );
  }

  /** The arbiter rules. */
  async rule(lease: Lease, forNode: boolean): Promise<void> {
    const arbiter = this.#deployed.accounts.arbiter.address;
    await this.#must(arbiter, this.#deployed.contracts.leases.rule.populateTransaction(lease.id, forNode));
  }

  /** Asks for units of a lease to move to a node. @returns Whether it was granted. */
  async move(from: string, lease: Pick<Lease, "id">, units: number): Promise<boolean> {
    const move = { leaseId: lease.id, units };
    return (await this.#send(from, this.#deployed.contracts.balancer.move.populateTransaction([move]))) !== undefined;
  }

  // Money.

  /** VER that an account has, can claim, or has at stake under these nodes. */
  async wealth(address: string, nodes: readonly GameNode[]): Promise<number> {
    const { token, vault } = this.#deployed.contracts;
    let sum = (await token.balanceOf(address)) + (await vault.claimable(address));
    for (const { nodeId, owner } of nodes) if (owner === address) sum += await vault.stakeOf(nodeId);
    return ver(sum);
  }

  /** VER in the bounty pool. */
  async pool(): Promise<number> {
    return ver((await this.#deployed.contracts.vault.totals()).bountyPool);
  }

  async #receipts(
    claim: CheckpointClaim,
    holders: readonly GameHolder[],
  ): Promise<{ candidate: number; signature: string }[]> {
    const domain = receiptDomain(LOCAL_CHAIN_ID, this.#address("CheckpointRegistry"));
    const receipts: { candidate: number; signature: string }[] = [];
    for (const { candidate, node } of holders) {
      receipts.push({ candidate, signature: await signReceipt(node.operator, domain, claim, node.nodeId) });
    }
    return receipts;
  }

  #address(name: string): string {
    const address = this.#addresses[name];
    if (address === undefined) throw new Error(`no contract ${name}`);
    return address;
  }

  /** Sends what must not fail, or else the game itself is wrong. */
  async #must(from: string, call: Call): Promise<Sent> {
    const { data, to } = await call;
    try {
      return await this.#transact(from, String(to), data ?? "0x", from);
    } catch (error) {
      throw new Error(`the contracts refused ${String(to)} ${String(data).slice(0, 10)}`, { cause: error });
    }
  }

  /** Sends what the contracts may refuse. @param payer Whose gas it is. */
  async #send(from: string, call: Call, payer = from): Promise<Sent | undefined> {
    const { data, to } = await call;
    try {
      await this.#ask("eth_call", { from, to, data, gas: GAS_LIMIT }, "latest");
    } catch {
      return undefined;
    }
    return this.#transact(from, String(to), data ?? "0x", payer);
  }

  async #transact(from: string, to: string, data: string, payer: string): Promise<Sent> {
    // A second later, however long this machine takes: times are in calldata, and their bytes cost gas.
    await this.#ask("evm_setNextBlockTimestamp", (await this.now()) + 1);
    const sent = { from, to, data: hexlify(data), gas: GAS_LIMIT, gasPrice: GAS_PRICE };
    const hash = await this.#ask("eth_sendTransaction", sent);
    const receipt = await this.#ask<{ gasUsed: string }>("eth_getTransactionReceipt", hash);
    const gas = Number(receipt.gasUsed);
    const bearer = this.#owners.get(payer) ?? payer;
    this.gas.set(bearer, (this.gas.get(bearer) ?? 0) + gas);
    this.transactions++;
    return { gas };
  }

  async #ask<T = string>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.#deployed.connection.provider.request({ method, params })) as T;
  }
}

/** Stake that this capacity needs, VER: BASE's parameters. */
export function stakeOf(capacity: number): number {
  return 100 * capacity;
}

function operatorOf(name: string): Wallet {
  return new Wallet(id(`drmp market game: ${name}`));
}
