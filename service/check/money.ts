import { formatEther, parseEther } from "ethers";

import type { Finding } from "./finding.ts";

/** What is wrong with the ETH that pays for an account's gas. Pure. */
export function gasFindings(entry: string, address: string, balance: bigint, low: string): Finding[] {
  const value = `${formatEther(balance)} ETH`;
  const about = { entry, value, bound: `${low} ETH or more`, remedy: `send ETH to ${address} on this chain` };
  if (balance === 0n) return [{ ...about, level: "error", what: `${address} cannot pay for gas` }];
  if (balance < parseEther(low)) return [{ ...about, level: "warning", what: `${address} holds little for gas` }];
  return [];
}
