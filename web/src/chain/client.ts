import { type Chain, createPublicClient, defineChain, http, type PublicClient } from "viem";
import { base, baseSepolia } from "viem/chains";

import { useConfig, type Config } from "../config.ts";

/** The chain of a configuration, as viem and wagmi take it. */
export function chainOf({ chainId, network, rpcUrl }: Config): Chain {
  const known: Chain | undefined = [base, baseSepolia].find(({ id }) => id === chainId);
  return (
    known ??
    defineChain({
      id: chainId,
      name: network,
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [rpcUrl] } },
    })
  );
}

/** How the chain is asked: in batches, each with a bound in time. */
export const transportOf = ({ rpcUrl }: Config) =>
  http(rpcUrl, { batch: { batchSize: 50 }, timeout: 10_000, retryCount: 1 });

const clients = new WeakMap<Config, PublicClient>();

/** The one client that reads the chain of a configuration. */
export function chainClient(config: Config): PublicClient {
  const known = clients.get(config);
  if (known) return known;
  const made: PublicClient = createPublicClient({ chain: chainOf(config), transport: transportOf(config) });
  clients.set(config, made);
  return made;
}

/** The client that reads the chain. */
export function useChainClient(): PublicClient {
  return chainClient(useConfig());
}
