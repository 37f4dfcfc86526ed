import { join } from "node:path";

import { parseEther, parseUnits } from "ethers";

import { checkDeployment, connect, type Contracts } from "./deployment.ts";
import { readDeployment } from "./deployment-file.ts";
import { type KeySource, type OpenSigner, openSigner } from "./keys.ts";
import { type LaneEvent, type LaneOptions, TransactionLane } from "./lane.ts";
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
  readonly onEvent?: (event: LaneEvent) => void;
  /** Told of endpoints that are dropped, fail or return. */
  readonly onEndpoint?: ProviderOptions["onEndpoint"];
  /** Asked before anything is sent; see {@link LaneOptions.confirm}. */
  readonly confirm?: LaneOptions["confirm"];
  /** Raised when the process is told to stop; see {@link LaneOptions.stop}. */
  readonly stop?: AbortSignal;
}

/** A connection to the protocol on one chain. */
export interface Session {
  readonly provider: RpcProvider;
  readonly contracts: Contracts;
  readonly reader: Reader;
  /** Opens the transaction lane of a key; one lane per key, no matter who asks. */
  readonly lane: (key: KeySource) => Promise<{ signer: OpenSigner; lane: TransactionLane }>;
  readonly close: () => void;
}

/**
 * Connects to a chain and checks that it is the right one and holds the deployment.
 *
 * @throws WrongNetwork, RpcUnavailable, or a ChainError about the deployment.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { rpcUrl, chainId, deployment: file } = options.network;
  const provider = await openProvider(rpcUrl, providerOptions(options));
  const deployment = await deploymentOn(provider, file).catch((error: unknown) => {
    provider.destroy();
    throw error;
  });
  const contracts = connect(deployment, provider);
  // The promise is stored, not the lane: two who ask at once must not get two lanes for one key.
  const lanes = new Map<string, Promise<TransactionLane>>();
  const openLane = (signer: OpenSigner): Promise<TransactionLane> => {
    return TransactionLane.open(signer, provider, {
      maxFeePerGas: parseUnits(options.fees.maxFeePerGas, "gwei"),
      stuckAfterMs: options.fees.stuckAfter * 1000,
      ...(options.fees.perHour !== undefined && { budgetPerHour: parseEther(options.fees.perHour) }),
      journal: join(options.journals, `${String(chainId)}-${signer.address}.json`),
      ...(options.onEvent && { onEvent: options.onEvent }),
      ...(options.confirm && { confirm: options.confirm }),
      ...(options.stop && { stop: options.stop }),
    });
  };
  return {
    provider,
    contracts,
    reader: new Reader(contracts),
    lane: async (key) => {
      const signer = (await openSigner(key, chainId)).connect(provider);
      let lane = lanes.get(signer.address);
      if (!lane) {
        lane = openLane(signer);
        lanes.set(signer.address, lane);
        // What failed may be tried again.
        lane.catch(() => lanes.delete(signer.address));
      }
      return { signer, lane: await lane };
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
