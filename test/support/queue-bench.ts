import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ContractFactory, parseEther, parseUnits, Wallet } from "ethers";
import hre from "hardhat";

import { ChainError } from "@verai/client/errors";
import { type OpenSigner, openSigner } from "@verai/client/keys";
import {
  type TransactionEvent,
  type TransactionQueueOptions,
  type Payload,
  TransactionQueue,
} from "@verai/client/tx/queue";
import { openProvider, type RpcProvider } from "@verai/client/provider";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import type { VerToken } from "../../types/contracts/index.ts";

/** Chain id of the simulated chain. */
export const CHAIN = 31337;
/** Cap of the fee per gas in the tests that are not about it. */
export const CAP = parseUnits("100", "gwei");
/** Who is paid in the tests. */
export const SOMEBODY = "0x00000000000000000000000000000000000b0b00";

/** A real node behind a proxy, a token on it, and queues of a signer that is fresh for each test. */
export class QueueBench {
  readonly events: TransactionEvent[] = [];
  readonly rpcProxy: RpcProxy;
  /** Straight to the node; queues go through the proxy. */
  readonly node: RpcProvider;
  /** VER, all of it held by the first test account, which is connected to the node. */
  readonly token: VerToken;
  readonly treasury: OpenSigner;
  /** For journals. */
  readonly folder: string;
  signer = new Wallet(Wallet.createRandom().privateKey);
  readonly #provider: RpcProvider;
  readonly #stop: () => Promise<void>;

  private constructor(parts: {
    rpcProxy: RpcProxy;
    node: RpcProvider;
    provider: RpcProvider;
    token: VerToken;
    treasury: OpenSigner;
    folder: string;
    stop: () => Promise<void>;
  }) {
    this.rpcProxy = parts.rpcProxy;
    this.node = parts.node;
    this.token = parts.token;
    this.treasury = parts.treasury;
    this.folder = parts.folder;
    this.#provider = parts.provider;
    this.#stop = parts.stop;
  }

  static async start(): Promise<QueueBench> {
    const server = await hre.network.createServer("default", "127.0.0.1");
    const { port } = await server.listen();
    const url = `http://127.0.0.1:${String(port)}`;
    const rpcProxy = new RpcProxy(url);
    await rpcProxy.plug();
    const options = { chainId: CHAIN, attempts: 2, backoffMs: 10 };
    const [provider, node] = await Promise.all([openProvider(rpcProxy.url, options), openProvider(url, options)]);
    const treasury = (await openSigner({ testAccount: 0 }, CHAIN)).connect(node);
    const { abi, bytecode } = await hre.artifacts.readArtifact("VerToken");
    const supply = parseEther("1000");
    const factory = new ContractFactory(abi, bytecode, treasury);
    const deployed = await factory.deploy(treasury.address, supply, treasury.address, supply);
    const token = (await deployed.waitForDeployment()) as unknown as VerToken;
    const folder = await mkdtemp(join(tmpdir(), "drmp-queue-"));
    const stop = async () => {
      await rpcProxy.cut();
      await server.close();
    };
    return new QueueBench({ rpcProxy, node, provider, token, treasury, folder, stop });
  }

  async stop(): Promise<void> {
    this.#provider.destroy();
    this.node.destroy();
    await this.#stop();
    await rm(this.folder, { recursive: true });
  }

  /** A new signer with 100 ETH, so that no test stands in another's way, on a chain that mines at once. */
  async reset(): Promise<void> {
    this.events.length = 0;
    this.rpcProxy.calls.length = 0;
    this.rpcProxy.losesAnswersTo = [];
    this.signer = new Wallet(Wallet.createRandom().privateKey);
    await this.node.send("hardhat_setBalance", [this.signer.address, "0x56bc75e2d63100000"]);
    await this.automine(true);
  }

  async mine(): Promise<void> {
    await this.node.send("evm_mine", []);
  }

  async automine(on: boolean): Promise<void> {
    if (on) await this.mine();
    await this.node.send("evm_setAutomine", [on]);
  }

  async queue(options: Partial<TransactionQueueOptions> = {}): Promise<TransactionQueue> {
    return TransactionQueue.open(this.signer, this.#provider, {
      maxFeePerGas: CAP,
      pollMs: 15,
      stuckAfterMs: 5000,
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  /** Events of a kind so far. */
  of<K extends TransactionEvent["kind"]>(kind: K): Extract<TransactionEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<TransactionEvent, { kind: K }> => event.kind === kind);
  }

  /** Waits for as many events of a kind. */
  async until(kind: TransactionEvent["kind"], count = 1): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      if (this.of(kind).length >= count) return;
      await delay(10);
    }
    throw new Error(`no ${kind} among ${this.events.map((event) => event.kind).join(", ")}`);
  }

  /** Transactions of the signer that were mined. */
  async used(): Promise<number> {
    return this.node.getTransactionCount(this.signer.address);
  }

  /** Wei that {@link SOMEBODY} holds. */
  async paid(): Promise<bigint> {
    return this.node.getBalance(SOMEBODY);
  }
}

/** A plain payment, which the balance of its receiver tells apart. */
export function pay(value = 1n, to = SOMEBODY): () => Payload {
  return () => ({ to, value });
}

/** The error of what must fail. Never rejects, because it may be awaited only later. */
export async function failure(promise: Promise<unknown>): Promise<ChainError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  return error instanceof ChainError ? error : new ChainError("NOT_A_CHAIN_ERROR", false, String(error));
}
