import { BASE_CHAIN_ID, BASE_SEPOLIA_CHAIN_ID } from "@verai/client/chains";

/** Block explorers by chain id; a local chain has none. */
const EXPLORERS: Readonly<Record<number, string>> = {
  [BASE_CHAIN_ID]: "https://basescan.org",
  [BASE_SEPOLIA_CHAIN_ID]: "https://sepolia.basescan.org",
};

/** Where a transaction can be looked at; undefined on a local chain. */
export function transactionLink(chainId: number, hash: string): string | undefined {
  const base = EXPLORERS[chainId];
  return base && `${base}/tx/${hash}`;
}

/** Where an address can be looked at; undefined on a local chain. */
export function addressLink(chainId: number, address: string): string | undefined {
  const base = EXPLORERS[chainId];
  return base && `${base}/address/${address}`;
}
