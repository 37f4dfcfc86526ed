import { createContext, use } from "react";
import { z } from "zod/mini";

import { CONTRACT_NAMES, type ContractName } from "@verai/client/contract-names";
import { bounded } from "./api/bounded.ts";

const address = z.string().check(z.regex(/^0x[0-9a-fA-F]{40}$/));
const url = z.string().check(z.regex(/^https?:\/\/[^\s;,'"]+$/));

/** What config.json beside index.html says. Whatever it names is also in the content security policy, and nothing else. */
const schema = z.object({
  /** What people call the network, such as "BASE Sepolia". */
  network: z.string().check(z.minLength(1), z.maxLength(60)),
  chainId: z.int().check(z.positive()),
  /** JSON-RPC endpoint of the chain. */
  rpcUrl: url,
  /** API of an indexer. */
  indexerUrl: url,
  /** Addresses of the contracts, by name. */
  deployment: z.record(z.string(), address),
  /** Doors of nodes: they have specs held, and fetch results. */
  doorUrls: z._default(z.array(url).check(z.maxLength(32)), []),
  /** A block explorer, to link to; without a slash at its end. */
  explorerUrl: z.optional(url),
  /** The relay that carries out what passkey accounts sign; see src/wallet. */
  relayUrl: z.optional(url),
  /** The paymaster that pays for it; left out: the relay is both. */
  paymasterUrl: z.optional(url),
});

/** By what this copy of the application knows its network. */
export type Config = z.output<typeof schema>;

const MAX_BYTES = 64 * 1024;

/** Reads config.json beside the page. @throws Error saying what is wrong with it. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("./config.json", { signal: AbortSignal.timeout(10_000) });
  if (!response.ok)
    throw new Error(`config.json beside this page cannot be read: the server answers ${String(response.status)}.`);
  const parsed = schema.safeParse(JSON.parse(await bounded(response, MAX_BYTES)));
  if (!parsed.success) throw new Error(`config.json beside this page does not fit: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export const ConfigContext = createContext<Config | undefined>(undefined);

/** The configuration of this copy. */
export function useConfig(): Config {
  const config = use(ConfigContext);
  if (!config) throw new Error("There is no configuration above this component.");
  return config;
}

/** Address of a contract. @throws Error if the deployment does not name it. */
export function addressOf({ deployment }: Config, name: ContractName): `0x${string}` {
  const found = deployment[name];
  if (found === undefined) throw new Error(`config.json names no address of ${name}.`);
  return found as `0x${string}`;
}

/** The contract at an address of the deployment; undefined for any other. */
export function contractAt({ deployment }: Config, at: string): ContractName | undefined {
  return CONTRACT_NAMES.find((name) => deployment[name]?.toLowerCase() === at.toLowerCase());
}
