import { type ContractTransaction, HDNodeWallet, Mnemonic, toBeHex } from "ethers";

import type { openMarket } from "../test/support/market.ts";

const GAS_CAP = 2n ** 24n;
/** Registrations to a block, and the gas limit of each: together within the simulated chain's block. */
const BULK = 80;
const BULK_GAS = 700_000n;
const MILLI = 10n ** 15n;
/** Nodes ask so many different prices. */
const PRICES = 1_000;

/** The class that all of them are of. */
export const FLEET_CLASS = 0;

/** Nodes by the thousand on a simulated chain, of one unit each, and the wallet that owns them. */
export class Fleet {
  readonly wallet: HDNodeWallet;
  readonly #market: Awaited<ReturnType<typeof openMarket>>;
  readonly #operatorOf: (at: number) => string;
  #count = 0;

  /** @param operatorOf Address of the operator of the n-th node, from 1 on. */
  constructor(market: Awaited<ReturnType<typeof openMarket>>, operatorOf: (at: number) => string) {
    this.#market = market;
    this.#operatorOf = operatorOf;
    // The treasury of the local deployment: it owns every node and task here.
    const mnemonic = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
    this.wallet = HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0/1");
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Registers nodes until there are so many. Their prices are spread, their order is not. */
  async growTo(count: number): Promise<void> {
    const { nodes } = this.#market.contracts;
    const wanted = (await nodes.nodeCount()) + BigInt(count - this.#count);
    await this.#rpc("evm_setAutomine", false);
    for (let nonce = await this.nonce(); this.#count < count; nonce++) {
      const call = await this.registration(this.#count + 1);
      await this.#rpc("eth_sendRawTransaction", await this.sign(call, nonce, BULK_GAS));
      this.#count += 1;
      // Many to a block: what the chain's reads cost grows with its blocks.
      if (this.#count % BULK === 0 || this.#count === count) await this.#rpc("evm_mine");
    }
    await this.#rpc("evm_setAutomine", true);
    const registered = await nodes.nodeCount();
    if (registered !== wanted) throw new Error(`${registered} nodes are registered, not ${wanted}`);
  }

  /** The call that registers the n-th node. */
  registration(at: number): Promise<ContractTransaction> {
    const ask = BigInt((at * 7919) % PRICES) * MILLI;
    const terms = { classId: FLEET_CLASS, capacity: 1, ask };
    const profile = {
      energySource: 0,
      powerThreshold: 100,
      powerMax: 1_000,
      endpoint: `/ip4/10.0.0.1/tcp/4001/p2p/node-${at}`,
    };
    return this.#market.contracts.nodes.register.populateTransaction(
      this.#operatorOf(at),
      terms,
      profile,
      100n * 10n ** 18n,
    );
  }

  /** Signed here: asked to, the chain's node looks up its newest, large block for each. */
  sign(call: ContractTransaction, nonce: number, gasLimit = GAS_CAP): Promise<string> {
    const fees = { maxFeePerGas: 100n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 6n };
    return this.wallet.signTransaction({ ...call, ...fees, type: 2, chainId: 31337, nonce, gasLimit });
  }

  async nonce(): Promise<number> {
    return Number(await this.#rpc("eth_getTransactionCount", this.wallet.address, "latest"));
  }

  #rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.#market.connection.provider.request({ method, params }) as Promise<unknown>;
  }
}

/** An address that nobody has the key of. */
export function keylessOperator(at: number): string {
  return toBeHex(2n ** 120n + BigInt(at), 20);
}
