import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { hexlify, toBeHex, toQuantity } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { connect, type Contracts } from "@verai/client/deployment";
import { Reader } from "@verai/client/readers";
import type { ParameterChanges } from "@verai/devnet/chain";
import { deployLocal, type LocalConnection } from "@verai/devnet/deploy";
import { addressesOf } from "@verai/devnet/market";
import { serve } from "@verai/devnet/serve";
import { STEP_SECONDS } from "./plan.ts";

const GAS_LIMIT = toQuantity(2n ** 24n - 1n);
/** What actors pay for gas, wei: more than any base fee here. */
const GAS_PRICE = toQuantity(10n ** 12n);
/** The usual base fee, wei. */
const BASE_FEE = 10n ** 8n;
const ETHER = 10n ** 18n;

/**
 * BASE's rules, with these times in their place: a step passes five minutes at once, in which a keeper looks at the chain once or twice,
 * where on BASE it looks seventy-five times; and agents measure what they report by their own clocks.
 */
const TIMES: ParameterChanges = {
  SeedTimeout: { value: 48 * STEP_SECONDS },
  SettleTimeout: { value: 48 * STEP_SECONDS },
  ReportInterval: { value: 30 },
  ReportTimeout: { value: 64_800, max: 65_535 },
};

type Deployed = Awaited<ReturnType<typeof deployLocal>>;
type Call = Promise<{ to?: unknown; data?: string }>;

/** A transaction that was mined: what it answered when it was simulated, and its logs. */
export interface Sent {
  readonly answer: string;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

/** A deployment of the protocol. */
export interface Deployment {
  readonly name: string;
  readonly contracts: Deployed["contracts"];
  readonly accounts: Deployed["accounts"];
  readonly addresses: Readonly<Record<string, string>>;
  /** File with the addresses. */
  readonly file: string;
  readonly reader: Reader;
  readonly typed: Contracts;
}

/**
 * The simulated chain: Hardhat's, as an OP-stack chain in this process, served over HTTP to real programs. Each transaction is a block; the
 * clock is moved on from step to step.
 */
export class SoakChain {
  readonly url: string;
  readonly #connection: LocalConnection;
  readonly #close: () => Promise<void>;
  /** Time of step 0. */
  #start = 0;
  #baseFee = BASE_FEE;
  /** Where a reorganisation goes back to. */
  #mark: { readonly snapshot: string; readonly block: number } | undefined;
  transactions = 0;

  private constructor(connection: LocalConnection, server: { url: string; close: () => Promise<void> }) {
    this.#connection = connection;
    this.url = server.url;
    this.#close = server.close;
  }

  /** Starts it with a deployment. @param delay Seconds of governance's delay. */
  static async open(directory: string, delay: number): Promise<{ chain: SoakChain; first: Deployment }> {
    const deployed = await deployLocal("base", TIMES, { plain: { parameterDelay: delay } });
    const { connection } = deployed;
    const chain = new SoakChain(connection, await serve(connection.provider));
    const first = await chain.#deployment("first", directory, deployed);
    chain.#start = (await connection.networkHelpers.time.latest()) + STEP_SECONDS;
    return { chain, first };
  }

  /** A second deployment on the same chain. */
  async deployAgain(name: string, directory: string, delay: number): Promise<Deployment> {
    const onto = { connection: this.#connection, plain: { parameterDelay: delay } };
    return this.#deployment(name, directory, await deployLocal("base", TIMES, onto));
  }

  async #deployment(name: string, directory: string, deployed: Deployed): Promise<Deployment> {
    const { contracts, accounts } = deployed;
    const addresses = await addressesOf(deployed);
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    const file = join(folder, "deployed_addresses.json");
    await writeFile(file, JSON.stringify(addresses));
    const typed = connect({ chainId: LOCAL_CHAIN_ID, file, addresses }, this.#connection.ethers.provider);
    return { name, contracts, accounts, addresses, file, reader: new Reader(typed), typed };
  }

  async close(): Promise<void> {
    await this.#close();
    await this.#connection.close();
  }

  /** Time at which a step begins, seconds. */
  timeOf(step: number): number {
    return this.#start + step * STEP_SECONDS;
  }

  /** Seconds of the chain's clock. */
  async now(): Promise<number> {
    return this.#connection.networkHelpers.time.latest();
  }

  async block(): Promise<number> {
    return this.#connection.ethers.provider.getBlockNumber();
  }

  /** Moves the clock on to the beginning of a step, or to the next second if it is later already. */
  async begin(step: number): Promise<void> {
    await this.passTo(this.timeOf(step));
  }

  /** Mines a block at this time, or at the next second if it is later already. */
  async passTo(time: number): Promise<void> {
    await this.ask("hardhat_setNextBlockBaseFeePerGas", toQuantity(this.#baseFee));
    const at = Math.max(time, (await this.now()) + 1);
    // A program's transaction may be mined in between, at this time or later: then the clock goes on from there.
    await this.ask("evm_setNextBlockTimestamp", at).catch(() => undefined);
    await this.ask("evm_mine");
  }

  /** What gas costs from now on, in times of what it usually does. */
  setGas(times: number): void {
    this.#baseFee = BASE_FEE * BigInt(times);
  }

  /** Remembers this point of the chain. */
  async mark(): Promise<void> {
    this.#mark = { snapshot: await this.ask("evm_snapshot"), block: await this.block() };
  }

  /**
   * Takes back every block since the mark, with all that was in them, as a reorganisation does whose new blocks have none of it.
   *
   * @returns How many blocks and transactions are gone.
   */
  async reorganise(): Promise<{ readonly blocks: number; readonly transactions: number }> {
    const mark = this.#mark;
    if (!mark) throw new Error("there is no mark to go back to");
    this.#mark = undefined;
    const last = await this.block();
    let transactions = 0;
    for (let number = mark.block + 1; number <= last; number++) {
      const block = await this.ask<{ transactions: unknown[] } | null>(
        "eth_getBlockByNumber",
        toQuantity(number),
        false,
      );
      transactions += block?.transactions.length ?? 0;
    }
    await this.ask("evm_revert", mark.snapshot);
    // Its hash differs: it has none of the transactions, and another time.
    await this.passTo((await this.now()) + 2);
    return { blocks: last - mark.block, transactions };
  }

  /** Gives an account ETH and lets this process send in its name. */
  async admit(address: string, wei = 10n ** 6n * ETHER): Promise<void> {
    await this.ask("hardhat_impersonateAccount", address);
    await this.setEth(address, wei);
  }

  async setEth(address: string, wei: bigint): Promise<void> {
    await this.ask("hardhat_setBalance", address, toBeHex(wei).replace(/^0x0+(?=.)/, "0x"));
  }

  async ethOf(address: string): Promise<bigint> {
    return BigInt(await this.ask("eth_getBalance", address, "latest"));
  }

  /** Sends what the contracts may refuse, as everybody does who simulates first. @returns Nothing if it was refused. */
  async send(from: string, call: Call): Promise<Sent | undefined> {
    const { to, data } = await call;
    const transaction = { from, to: String(to), data: hexlify(data ?? "0x"), gas: GAS_LIMIT, gasPrice: GAS_PRICE };
    try {
      const answer = await this.ask("eth_call", transaction, "latest");
      const hash = await this.ask("eth_sendTransaction", transaction);
      this.transactions += 1;
      const receipt = await this.ask<{ logs: Sent["logs"]; status: string } | null>("eth_getTransactionReceipt", hash);
      return receipt?.status === "0x1" ? { answer, logs: receipt.logs } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Sends what must not fail. */
  async must(from: string, call: Call): Promise<Sent> {
    const { to, data } = await call;
    const transaction = { from, to: String(to), data: hexlify(data ?? "0x"), gas: GAS_LIMIT, gasPrice: GAS_PRICE };
    const hash = await this.ask("eth_sendTransaction", transaction);
    this.transactions += 1;
    const receipt = await this.ask<{ logs: Sent["logs"]; status: string }>("eth_getTransactionReceipt", hash);
    return { answer: "0x", logs: receipt.logs };
  }

  async ask<T = string>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.#connection.provider.request({ method, params })) as T;
  }
}
