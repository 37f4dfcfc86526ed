import { join } from "node:path";

import { parseEther, parseUnits } from "ethers";

import { checkDeployment, connect, type Contracts } from "./deployment.ts";
import { readDeployment } from "./deployment-file.ts";
import { devnetAt } from "./devnet.ts";
import { type KeySource, type OpenSigner, openSigner } from "./keys.ts";
import { type TransactionEvent, type TransactionQueueOptions, TransactionQueue } from "./tx/queue.ts";
import { LOCAL_CHAIN_ID } from "./chains.ts";
import { openProvider, type ProviderOptions, type RpcProvider } from "./provider.ts";
import { Reader } from "./readers.ts";

/** How endpoints are asked, as a configuration says it: `timeout` in seconds, `maxMiB` for one answer. */
export interface RequestOptions {
  readonly timeout?: number | undefined;
  readonly attempts?: number | undefined;
  readonly inFlight?: number | undefined;
  readonly perSecond?: number | undefined;
  readonly batch?: number | undefined;
  readonly maxMiB?: number | undefined;
  readonly maxBlocksBehind?: number | undefined;
}

/** The chain to work on, and who pays for gas. */
export interface SessionOptions {
  readonly network: {
    readonly rpcUrl: string;
    /** Other endpoints of the same chain, in order of preference. */
    readonly fallbackRpcUrls?: readonly string[];
    /** How endpoints are asked: seconds and MiB; see {@link ProviderOptions} for the defaults. */
    readonly requests?: RequestOptions | undefined;
    readonly chainId: number;
    readonly deployment?: string | undefined;
  };
  /** Maximum per gas in gwei, seconds until a transaction counts as stuck, maximum ETH an hour (0.05 if left out). */
  readonly fees: { readonly maxFeePerGas: string; readonly stuckAfter: number; readonly perHour?: string | undefined };
  /** Directory for the journals of transactions in flight. */
  readonly journals: string;
  readonly onEvent?: (event: TransactionEvent) => void;
  /** Told of endpoints that are dropped, fail or return. */
  readonly onEndpoint?: ProviderOptions["onEndpoint"];
  /** Asked before anything is sent; see {@link TransactionQueueOptions.confirm}. */
  readonly confirm?: TransactionQueueOptions["confirm"];
  /** Raised when the process is told to stop; see {@link TransactionQueueOptions.stop}. */
  readonly stop?: AbortSignal;
}

/** A connection to the protocol on one chain. */
export interface Session {
  readonly provider: RpcProvider;
  readonly contracts: Contracts;
  readonly reader: Reader;
  /** Opens the transaction queue of a key; one queue per key, no matter who asks. */
  readonly queue: (key: KeySource) => Promise<{ signer: OpenSigner; queue: TransactionQueue }>;
  readonly close: () => void;
}

/**
 * Connects to a chain and checks that it is the right one and holds the deployment.
 *
 * @throws WrongNetworkError, RpcUnavailableError, or a ChainError about the deployment.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { rpcUrl, chainId } = options.network;
  // The devnet of this machine has its own, which nobody has to name.
  const file = options.network.deployment ?? (chainId === LOCAL_CHAIN_ID ? devnetAt(rpcUrl)?.deployment : undefined);
  const provider = await openProvider(rpcUrl, providerOptions(options));
  const deployment = await deploymentOn(provider, file).catch((error: unknown) => {
    provider.destroy();
    throw error;
  });
  const contracts = connect(deployment, provider);
  // The promise is stored, not the queue: two who ask at once must not get two queues for one key.
  const queues = new Map<string, Promise<TransactionQueue>>();
  const openQueue = (signer: OpenSigner): Promise<TransactionQueue> => {
    return TransactionQueue.open(signer, provider, {
      maxFeePerGas: parseUnits(options.fees.maxFeePerGas, "gwei"),
      stuckAfterMs: options.fees.stuckAfter * 1000,
      ...(options.fees.perHour !== undefined && { budgetPerHour: parseEther(options.fees.perHour) }),
      journal: join(options.journals, `${String(chainId)}-${signer.address}.json`),
      ...(options.onEvent && { onEvent: options.onEvent }),
      ...(options.confirm && { confirm: options.confirm }),
      ...(options.stop && { stop: options.stop }),
    });
  };
  const queueOf = async (key: KeySource): Promise<{ signer: OpenSigner; queue: TransactionQueue }> => {
    const signer = (await openSigner(key, chainId)).connect(provider);
    let queue = queues.get(signer.address);
    if (!queue) {
      queue = openQueue(signer);
      queues.set(signer.address, queue);
      // What failed may be tried again.
      queue.catch(() => queues.delete(signer.address));
    }
    return { signer, queue: await queue };
  };
  // Anyone who asks again has the same key at hand: a keystore takes a second of CPU to open.
  const opened = new WeakMap<KeySource, ReturnType<typeof queueOf>>();
  return {
    provider,
    contracts,
    reader: new Reader(contracts),
    queue: async (key) => {
      const known = opened.get(key);
      if (known) return known;
      const opening = queueOf(key);
      opened.set(key, opening);
      opening.catch(() => opened.delete(key));
      return opening;
    },
    close: () => {
      provider.destroy();
    },
  };
}

function providerOptions({ network, onEndpoint }: SessionOptions): ProviderOptions {
  const { chainId, fallbackRpcUrls, requests = {} } = network;
  const { timeout, attempts, inFlight, perSecond, batch, maxMiB, maxBlocksBehind } = requests;
  return {
    chainId,
    fallbackUrls: fallbackRpcUrls,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    attempts,
    maxInFlight: inFlight,
    maxPerSecond: perSecond,
    batch,
    maxBytes: maxMiB === undefined ? undefined : maxMiB * 2 ** 20,
    maxBlocksBehind,
    onEndpoint,
  };
}

async function deploymentOn(provider: RpcProvider, file: string | undefined) {
  const deployment = await readDeployment(provider.chainId, file);
  await checkDeployment(deployment, provider);
  return deployment;
}
