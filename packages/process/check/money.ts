import { formatEther, formatUnits, parseEther, parseUnits } from "ethers";

import type { Finding } from "./finding.ts";

/** What is wrong with the ETH that pays for an account's gas. Pure. */
export function gasFindings(entry: string, address: string, balance: bigint, low: string): Finding[] {
  const value = `${formatEther(balance)} ETH`;
  const about = { entry, value, bound: `${low} ETH or more`, remedy: `send ETH to ${address} on this chain` };
  if (balance === 0n) return [{ ...about, level: "error", what: `${address} cannot pay for gas` }];
  if (balance < parseEther(low)) return [{ ...about, level: "warning", what: `${address} holds little for gas` }];
  return [];
}

/** What is wrong with a cap of the gas price, in gwei, where the chain takes this much now, in wei. Pure. */
export function feeFindings(cap: string, taken: bigint): Finding[] {
  if (taken <= parseUnits(cap, "gwei")) return [];
  const now = formatUnits(taken, "gwei");
  return [
    {
      level: "error",
      entry: "fees.maxFeePerGas",
      value: `${cap} gwei`,
      what: `is below what the chain takes now, ${now} gwei, so that nothing could be sent`,
      bound: `${now} gwei or more`,
      remedy: "raise it, or wait until gas is cheaper",
      retryable: true,
    },
  ];
}
