import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { parseUnits, Wallet } from "ethers";
import hre from "hardhat";

import { ChainError } from "@verai/client/errors";
import {
  type TransactionEvent,
  type TransactionQueueOptions,
  type Payload,
  TransactionQueue,
} from "@verai/client/tx/queue";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openProvider, type RpcProvider } from "@verai/client/provider";
import type { FaultContext } from "../fault-case.ts";
import { FaultyRpc } from "./faulty-rpc.ts";

/** A real chain in this process, which all cases share. */
interface Chain {
  readonly url: string;
  readonly node: RpcProvider;
  readonly stop: () => Promise<void>;
}

let chain: Promise<Chain> | undefined;

async function startChain(): Promise<Chain> {
  const server = await hre.network.createServer("default", "127.0.0.1");
  const { port } = await server.listen();
  const url = `http://127.0.0.1:${String(port)}`;
  const node = await openProvider(url, { chainId: LOCAL_CHAIN_ID });
  const stop = async (): Promise<void> => {
    node.destroy();
    await server.close();
  };
  return { url, node, stop };
}

/** Ends the chain. */
export async function stopChain(): Promise<void> {
  const running = await chain;
  chain = undefined;
  await running?.stop();
}

/** Time without a receipt after which the cases' transactions are stuck, milliseconds. */
export const STUCK_MS = 150;

/** A fresh account on a real chain, behind an endpoint that misbehaves. */
export class QueueBench {
  readonly events: TransactionEvent[] = [];
  readonly signer = new Wallet(Wallet.createRandom().privateKey);
  /** Who is paid: it has nothing at first. */
  readonly receiver = Wallet.createRandom().address;
  readonly rpc: FaultyRpc;
  /** Straight to the node. */
  readonly node: RpcProvider;
  /** For journals. */
  readonly directory: string;
  readonly #provider: RpcProvider;

  private constructor(node: RpcProvider, rpc: FaultyRpc, provider: RpcProvider, directory: string) {
    this.node = node;
    this.rpc = rpc;
    this.#provider = provider;
    this.directory = directory;
  }

  static async open(directory: string): Promise<QueueBench> {
    chain ??= startChain();
    const { url, node } = await chain;
    const rpc = new FaultyRpc(url);
    const options = { chainId: LOCAL_CHAIN_ID, attempts: 2, backoffMs: 5, timeoutMs: 2000, batch: 1 };
    const provider = await openProvider(await rpc.start(), options);
    const bench = new QueueBench(node, rpc, provider, directory);
    await node.send("evm_setAutomine", [true]);
    await node.send("hardhat_setBalance", [bench.signer.address, "0x56bc75e2d63100000"]);
    return bench;
  }

  /** The journal of the account. */
  get journal(): string {
    return join(this.directory, "journal.json");
  }

  async queue(options: Partial<TransactionQueueOptions> = {}): Promise<TransactionQueue> {
    return TransactionQueue.open(this.signer, this.#provider, {
      maxFeePerGas: parseUnits("1000", "gwei"),
      pollMs: 10,
      stuckAfterMs: STUCK_MS,
      callMs: 2500,
      deadlineMs: 60_000,
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  /** A payment of 1 wei. */
  readonly pay = (): Payload => ({ to: this.receiver, value: 1n });

  async automine(on: boolean): Promise<void> {
    await this.node.send("evm_setAutomine", [on]);
    if (on) await this.mine();
  }

  async mine(): Promise<void> {
    await this.node.send("evm_mine", []);
  }

  /** Events of a kind so far. */
  of<K extends TransactionEvent["kind"]>(kind: K): Extract<TransactionEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<TransactionEvent, { kind: K }> => event.kind === kind);
  }

  /** Waits for as many events of a kind. */
  async until(kind: TransactionEvent["kind"], count = 1): Promise<void> {
    for (let i = 0; i < 6000 && this.of(kind).length < count; i++) await delay(10);
    must(this.of(kind).length >= count, `no ${kind} among ${this.kinds()}`);
  }

  kinds(): string {
    return this.events.map(({ kind }) => kind).join(", ");
  }

  async used(): Promise<number> {
    return this.node.getTransactionCount(this.signer.address);
  }

  /** Fails unless so many payments were made, by so many transactions. */
  async mustHavePaid(times: number, transactions = times): Promise<void> {
    const paid = await this.node.getBalance(this.receiver);
    must(paid === BigInt(times), `${String(paid)} payments instead of ${String(times)} (${this.kinds()})`);
    const used = await this.used();
    must(used === transactions, `${String(used)} transactions instead of ${String(transactions)} (${this.kinds()})`);
  }

  async close(): Promise<void> {
    this.rpc.heal();
    this.#provider.destroy();
    await this.rpc.stop();
    await this.node.send("evm_setAutomine", [true]);
    await this.node.send("evm_mine", []);
  }
}

/** Runs a case on a bench of its own. */
export function onBench(run: (bench: QueueBench) => Promise<void>): (context: FaultContext) => Promise<void> {
  return async ({ directory }) => {
    const bench = await QueueBench.open(directory);
    try {
      await run(bench);
    } finally {
      await bench.close();
    }
  };
}

/** Fails with this sentence unless it holds. */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** The error of what must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<ChainError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof ChainError) return error;
  throw new Error(`failed with another kind of error: ${String(error)}`);
}

/** The same, for an error that has to say that something was sent. */
export async function sentFailureOf(promise: Promise<unknown>, hash: () => string | undefined): Promise<ChainError> {
  const error = await failureOf(promise);
  must(error.code === "SENT_UNCONFIRMED", `the error is ${error.code}: ${error.message}`);
  const expected = hash();
  must(expected !== undefined && error.message.includes(expected), `the hash is missing: ${error.message}`);
  return error;
}
