import { computeAddress, type ContractTransaction, id, toBeHex, Wallet } from "ethers";

import { WEI_PER_VER } from "@verai/protocol/money/units";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { receiptDomain, signReceipt } from "@verai/client/checkpoint-receipt";
import { roundSnapshot } from "@verai/client/snapshot";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { MILLI, registerNodes, SUPPLY_CLASS } from "../gas/registration.ts";
import { openClient, openMarket } from "@verai/devnet/market";

/** What a step took. */
export interface StepGas {
  readonly step: string;
  readonly gas: number;
}

/** Leases that fail together. */
export const FAILED = 8;

const VER = WEI_PER_VER;
/** Seconds between checkpoints: longer than it takes to register all nodes. */
const INTERVAL = 3_600;
/** A draw's tries depend on its seed, so that there are many. */
const DRAWS = 32;

/** The protocol on an in-process chain, with nodes by the thousand, each with an operator key that can be had. */
export class FailoverChain {
  readonly #market: Awaited<ReturnType<typeof openMarket>>;
  readonly #client: Awaited<ReturnType<typeof openClient>>;
  #nodes = 0;

  private constructor(market: Awaited<ReturnType<typeof openMarket>>, client: Awaited<ReturnType<typeof openClient>>) {
    this.#market = market;
    this.#client = client;
  }

  static async open(): Promise<FailoverChain> {
    const market = await openMarket();
    return new FailoverChain(market, await openClient(market));
  }

  async close(): Promise<void> {
    this.#client.provider.destroy();
    await this.#market.close();
  }

  /**
   * Registers nodes of one unit each until there are so many.
   *
   * @param say Told now and then how many there are.
   */
  async growTo(count: number, say: (registered: number) => void): Promise<void> {
    await registerNodes(this.#market, this.#nodes + 1, count, keyOf, say);
    this.#nodes = count;
    // Once, among the first ones: to plan a round takes a look at every node, and what is measured comes after it.
    if (Number(await this.#market.contracts.leases.leaseCount()) === 0) await this.#round();
  }

  /** Gas of each step from a checkpoint to the leases that go on from it. The chain is then as it was. */
  async steps(): Promise<StepGas[]> {
    return this.#undone(() => this.#measure());
  }

  async #undone<T>(work: () => Promise<T>): Promise<T> {
    const snapshot = await this.#rpc("evm_snapshot");
    try {
      return await work();
    } finally {
      await this.#rpc("evm_revert", snapshot);
    }
  }

  async #measure(): Promise<StepGas[]> {
    const { contracts, accounts } = this.#market;
    const { leases, reassignment } = contracts;
    const anyone = accounts.others[0]?.address ?? "";
    const taken: StepGas[] = [];
    const note = async (step: string, call: ContractTransaction, from = anyone) => {
      taken.push({ step, gas: await this.#send(call, from) });
    };
    // The first one writes fresh slots; later ones overwrite, as nearly all do.
    for (let i = 1; i <= 3; i++) {
      const { call, from } = await this.#checkpoint(1, i);
      if (i < 3) await this.#send(call, from);
      else await note("post a checkpoint with a receipt", call, from);
    }
    const first = Number(await leases.leaseCount()) - FAILED + 1;
    // With headway: without it their owners, who have all other nodes as well, would be barred.
    for (let leaseId = first; leaseId < first + FAILED; leaseId++) {
      if (leaseId === 1) continue;
      const { call, from } = await this.#checkpoint(leaseId, 1);
      await this.#send(call, from);
    }
    await this.#market.pass(INTERVAL + 10_000);
    for (let i = 0; i < FAILED; i++) {
      const call = await leases.expire.populateTransaction(first + i);
      if (i < FAILED - 1) await this.#send(call, anyone);
      else await note("expire a lease", call);
    }
    await note(`open a batch of ${String(FAILED)}`, await reassignment.open.populateTransaction());
    const draws: number[] = [];
    for (let i = 0; i < DRAWS; i++) draws.push(await this.#undone(() => this.#draw(BigInt(id(`draw ${String(i)}`)))));
    const gas = Math.round(draws.reduce((sum, each) => sum + each, 0) / DRAWS);
    taken.push({ step: `draw for ${String(FAILED)}, mean of ${String(DRAWS)} seeds`, gas });
    return taken;
  }

  /** Draws for all that wait with this seed. */
  async #draw(seed: bigint): Promise<number> {
    const { leases, reassignment, coordinator, seeds } = this.#market.contracts;
    const { requestId } = await reassignment.current();
    await coordinator.fulfillRandomWordsWithOverride(requestId, seeds, [seed]);
    const before = Number(await leases.leaseCount());
    const draw = await reassignment.draw.populateTransaction(FAILED);
    const gas = await this.#send(draw, this.#market.accounts.others[0]?.address ?? "");
    const drawn = Number(await leases.leaseCount()) - before;
    if (drawn !== FAILED) throw new Error(`${String(drawn)} ranges were drawn for, not ${String(FAILED)}`);
    return gas;
  }

  /** Grants {@link FAILED} leases of one unit each, to the cheapest nodes. */
  async #round(): Promise<void> {
    const { contracts } = this.#market;
    await this.#market.addTask({
      units: FAILED,
      maxPrice: 2_000n * MILLI,
      classIds: [SUPPLY_CLASS],
      interval: INTERVAL,
      replicas: 1,
    });
    await this.#market.pass(10);
    await contracts.rounds.open();
    await this.#market.fulfil(7n);
    const snapshot = await roundSnapshot(this.#client.reader);
    if (!snapshot) throw new Error("the round has no seed");
    const plan = planRound(snapshot, networkSimplex);
    if (plan.kind !== "plan") throw new Error(plan.why);
    await contracts.rounds.settle(snapshot.roundId, plan.post);
  }

  /** A checkpoint of a lease with the receipt of the first node that may give one. */
  async #checkpoint(leaseId: number, progress: number): Promise<{ call: ContractTransaction; from: string }> {
    const { checkpoints, leases } = this.#market.contracts;
    const { nodeId, fence } = await leases.lease(leaseId);
    const producer = Number(nodeId);
    const [first] = await this.#client.reader.holders(await this.#client.reader.block(), leaseId);
    if (!first) throw new Error(`lease ${String(leaseId)} has no holder`);
    const { candidate, nodeId: holder } = first;
    const digest = id(`checkpoint ${String(progress)}`);
    const holding = { leaseId, fence: Number(fence), digest, codec: 0x70, progress, size: 1_000_000 };
    const domain = receiptDomain(LOCAL_CHAIN_ID, await checkpoints.getAddress());
    const signature = await signReceipt(new Wallet(keyOf(holder)), domain, holding, holder);
    const call = await checkpoints.post.populateTransaction(holding, [{ candidate, signature }]);
    const from = computeAddress(keyOf(producer));
    await this.#rpc("hardhat_impersonateAccount", from);
    await this.#rpc("hardhat_setBalance", from, toBeHex(VER));
    return { call, from };
  }

  async #send({ to, data }: ContractTransaction, from: string): Promise<number> {
    const hash = await this.#rpc("eth_sendTransaction", { from, to, data, gas: toBeHex(2 ** 24) });
    const receipt = (await this.#rpc("eth_getTransactionReceipt", hash)) as Record<string, string> | null;
    if (receipt?.["status"] !== "0x1") throw new Error(`a measured transaction failed: ${JSON.stringify(receipt)}`);
    return Number(receipt["gasUsed"]);
  }

  #rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.#market.connection.provider.request({ method, params }) as Promise<unknown>;
  }
}

/** The operator key of a node: for this chain in memory, and for nothing else. */
function keyOf(node: number): string {
  return id(`operator of node ${String(node)}`);
}
