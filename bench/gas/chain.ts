import { type ContractTransaction, HDNodeWallet, Mnemonic } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { roundSnapshot } from "@verai/client/snapshot";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { openClient, openMarket } from "@verai/devnet/market";
import { MAX_ROUND_CLASSES, MAX_TASK_CLASSES } from "@verai/protocol/money/units";
import { classesOf, type Shape, type ShapeLimits } from "./shapes.ts";
import { addClasses } from "./classes.ts";
import { MILLI, registerNodes, registration, SUPPLY_CLASS } from "./registration.ts";
import { L1_BLOCK, l1Slots, type L1Prices, l1Weight, type L1Weight } from "@verai/client/l1-fee";

/** What a transaction took. */
export interface Cost extends L1Weight {
  readonly gas: number;
}

/** What a round took. */
export interface RoundCost {
  readonly leases: number;
  readonly submit: Cost;
  readonly open: Cost;
  readonly settle: Cost;
  /** Bytes of the post alone. */
  readonly post: number;
}

/** A measured transaction that failed. */
class MeasuredFailure extends Error {
  /** What it used up. */
  readonly gas: number;

  constructor(receipt: Record<string, string> | null) {
    super(`a measured transaction failed: ${JSON.stringify(receipt)}`);
    this.gas = Number(receipt?.["gasUsed"] ?? 0);
  }
}

const GAS_CAP = 2n ** 24n;
const WARM_UP_CLASS = 1;

/**
 * The protocol on a simulated chain of BASE's kind, in process, deployed as it is locally, with nodes by the thousand.
 * Each measured transaction is signed, sent on its own and mined in a block of its own.
 */
export class GasChain {
  readonly #market: Awaited<ReturnType<typeof openMarket>>;
  readonly #client: Awaited<ReturnType<typeof openClient>>;
  readonly #prices: L1Prices;
  readonly #wallet: HDNodeWallet;
  #nodes = 0;

  private constructor(
    market: Awaited<ReturnType<typeof openMarket>>,
    client: Awaited<ReturnType<typeof openClient>>,
    prices: L1Prices,
  ) {
    this.#market = market;
    this.#client = client;
    this.#prices = prices;
    // The treasury of the local deployment: it owns every node and task here.
    const mnemonic = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
    this.#wallet = HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0/1");
  }

  static async open(prices: L1Prices): Promise<GasChain> {
    const market = await openMarket();
    const chain = new GasChain(market, await openClient(market), prices);
    const word = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;
    for (const [slot, value] of l1Slots(prices)) {
      await chain.#rpc("hardhat_setStorageAt", L1_BLOCK, word(slot), word(value));
    }
    // The first round of all writes slots that no later one has to; it is none that people pay for every day.
    await market.addNode({ classId: WARM_UP_CLASS, capacity: 1, ask: MILLI });
    await chain.round(1, WARM_UP_CLASS);
    return chain;
  }

  async close(): Promise<void> {
    this.#client.provider.destroy();
    await this.#market.close();
  }

  /** Registers nodes of one unit each until there are so many. Their prices are spread, their order is not. */
  async growTo(count: number): Promise<void> {
    await registerNodes(this.#market, this.#nodes + 1, count, operatorKeyOf);
    this.#nodes = count;
  }

  /** What one node's transactions take beside all that are registered. The chain is then as it was. */
  nodeCosts(): Promise<{ readonly name: string; readonly cost: Cost }[]> {
    return this.#undone(async () => {
      const { nodes } = this.#market.contracts;
      const costs: { name: string; cost: Cost }[] = [];
      const note = async (name: string, call: ContractTransaction): Promise<void> => {
        costs.push({ name, cost: await this.#measure(call) });
      };
      const at = this.#nodes + 1;
      await note("register a node", await registration(this.#market, at, operatorKeyOf(at)));
      // The first of all is the warm-up's.
      const id = at + 1;
      const terms = (ask: bigint) => ({ classId: SUPPLY_CLASS, capacity: 1, ask });
      await note("change its price", await nodes.setTerms.populateTransaction(id, terms(777n * MILLI)));
      await note("drain it", await nodes.drain.populateTransaction(id));
      await note("resume it", await nodes.resume.populateTransaction(id));
      return costs;
    });
  }

  /** A round of one task that gets so many leases, each with a node of its own. The chain is then as it was. */
  roundCost(leases: number): Promise<RoundCost> {
    return this.#undone(() => this.round(leases, SUPPLY_CLASS));
  }

  /** What rounds of this deployment may have at most. */
  async limits(): Promise<ShapeLimits> {
    const { roundMaxTasks, roundMaxUnits } = await this.#client.reader.parameters(await this.#client.reader.block());
    return { tasks: roundMaxTasks, units: roundMaxUnits, taskClasses: MAX_TASK_CLASSES, roundClasses: MAX_ROUND_CLASSES };
  }

  /**
   * A round of this shape among nodes and classes of its own. The chain is then as it was.
   *
   * @returns What it took and the leases that it granted, fewer where its tasks cannot share out the classes evenly;
   * undefined if settling it takes more gas than a transaction may.
   */
  shapeCost(shape: Shape): Promise<Pick<RoundCost, "open" | "settle" | "leases"> | undefined> {
    return this.#undone(async () => {
      const { rounds, coordinator, seeds, leases } = this.#market.contracts;
      const first = await addClasses(this.#market, shape.classes);
      // Of each class the same number, or one more than it needs.
      const nodes = shape.leases + (shape.supply === "part" ? shape.classes : 0);
      for (let i = 0; i < nodes; i++) {
        await this.#market.addNode({ classId: first + (i % shape.classes), capacity: 1, ask: 100n * MILLI });
      }
      for (let t = 0; t < shape.tasks; t++) {
        const units = Math.floor(((t + 1) * shape.leases) / shape.tasks) - Math.floor((t * shape.leases) / shape.tasks);
        const classIds = classesOf(shape, t).map((k) => first + k);
        await this.#market.addTask({ units, maxPrice: 4_000n * MILLI, classIds, replicas: 1 });
      }
      await this.#market.pass(10);
      const open = await this.#measure(await rounds.open.populateTransaction());
      const { requestId } = await rounds.current();
      await coordinator.fulfillRandomWordsWithOverride(requestId, seeds, [20_260_501n]);
      const snapshot = await roundSnapshot(this.#client.reader);
      if (!snapshot) throw new Error("the round has its seed");
      const plan = planRound(snapshot, networkSimplex);
      if (plan.kind !== "plan") throw new Error(plan.why);
      const before = Number(await leases.leaseCount());
      const call = await rounds.settle.populateTransaction(snapshot.roundId, plan.post);
      const settle = await this.#measure(call).catch((error: unknown) => {
        if (error instanceof MeasuredFailure && error.gas > Number(GAS_CAP) * 0.95) return undefined;
        throw error;
      });
      if (!settle) return undefined;
      return { open, settle, leases: Number(await leases.leaseCount()) - before };
    });
  }

  /** Submits a task, opens a round, lets the oracle answer and settles with the optimum. */
  async round(units: number, classId: number): Promise<RoundCost> {
    const { tasks, rounds, coordinator, seeds } = this.#market.contracts;
    const { timestamp } = await this.#client.reader.block();
    const submission = {
      specDigest: `0x${"5e".repeat(32)}`,
      specCodec: 0x55,
      units,
      maxPrice: 2_000n * MILLI,
      checkpointInterval: 60,
      maxUnitTime: 86_400,
      auditChance: 0,
      deadline: timestamp + 100_000,
      classIds: [classId],
      surcharges: [],
      replicas: 1,
    };
    const submit = await this.#measure(await tasks.submit.populateTransaction(submission));
    await this.#market.pass(10);
    const open = await this.#measure(await rounds.open.populateTransaction());
    const { requestId } = await rounds.current();
    await coordinator.fulfillRandomWordsWithOverride(requestId, seeds, [20_260_501n]);
    const snapshot = await roundSnapshot(this.#client.reader);
    if (!snapshot) throw new Error("the round has its seed");
    const plan = planRound(snapshot, networkSimplex);
    if (plan.kind !== "plan") throw new Error(plan.why);
    const before = Number(await this.#market.contracts.leases.leaseCount());
    const settle = await this.#measure(await rounds.settle.populateTransaction(snapshot.roundId, plan.post));
    const leases = Number(await this.#market.contracts.leases.leaseCount()) - before;
    if (leases !== units) throw new Error(`the round granted ${leases} leases, not ${units}`);
    return { leases, submit, open, settle, post: plan.post.length };
  }

  /** Signs, sends and mines a transaction, and holds the L1 fee that the chain took against the formula. */
  async #measure(call: ContractTransaction): Promise<Cost> {
    const signed = await this.#sign(call, await this.#nonce());
    const hash = (await this.#rpc("eth_sendRawTransaction", signed)) as string;
    const receipt = (await this.#rpc("eth_getTransactionReceipt", hash)) as Record<string, string> | null;
    if (receipt?.["status"] !== "0x1") throw new MeasuredFailure(receipt);
    const weight = l1Weight(signed, this.#prices);
    const charged = BigInt(receipt["l1Fee"] ?? -1);
    if (charged !== weight.fee) {
      throw new Error(`the chain took an L1 fee of ${charged} wei where the formula says ${weight.fee} wei`);
    }
    return { ...weight, gas: Number(receipt["gasUsed"]) };
  }

  #sign(call: ContractTransaction, nonce: number): Promise<string> {
    const fees = { maxFeePerGas: 100n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 6n };
    return this.#wallet.signTransaction({ ...call, ...fees, type: 2, chainId: LOCAL_CHAIN_ID, nonce, gasLimit: GAS_CAP });
  }

  async #nonce(): Promise<number> {
    return Number(await this.#rpc("eth_getTransactionCount", this.#wallet.address, "latest"));
  }

  async #undone<T>(work: () => Promise<T>): Promise<T> {
    const nodes = this.#nodes;
    const snapshot = await this.#rpc("evm_snapshot");
    try {
      return await work();
    } finally {
      await this.#rpc("evm_revert", snapshot);
      this.#nodes = nodes;
    }
  }

  #rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.#market.connection.provider.request({ method, params }) as Promise<unknown>;
  }
}

function operatorKeyOf(at: number): string {
  return `0x${(2n ** 120n + BigInt(at)).toString(16).padStart(64, "0")}`;
}
