import { Contract, type Provider } from "ethers";

import type { L1Prices } from "@verai/client/l1-fee";
import { GAS_PRICE_ORACLE } from "../session/l1-fee.ts";

const ORACLE_ABI = ["l1BaseFee", "blobBaseFee", "baseFeeScalar", "blobBaseFeeScalar"].map(
  (name) => `function ${name}() view returns (uint256)`,
);

/** What a chain reckons its L1 data fee from now; undefined where it has no such fee, or its predeploy has no values. */
export async function readL1Prices(provider: Provider): Promise<L1Prices | undefined> {
  if ((await provider.getCode(GAS_PRICE_ORACLE)) === "0x") return undefined;
  const oracle = new Contract(GAS_PRICE_ORACLE, ORACLE_ABI, provider);
  const value = (name: string) => oracle.getFunction(name)() as Promise<bigint>;
  const read = Promise.all([
    value("l1BaseFee"),
    value("blobBaseFee"),
    value("baseFeeScalar"),
    value("blobBaseFeeScalar"),
  ]);
  // A chain that simulates the predeploys without their values reverts here: the fee is then unknown.
  const [baseFee, blobBaseFee, baseFeeScalar, blobBaseFeeScalar] = await read.catch(() => []);
  if (baseFee === undefined || blobBaseFee === undefined) return undefined;
  if (baseFeeScalar === undefined || blobBaseFeeScalar === undefined) return undefined;
  if (baseFee * baseFeeScalar + blobBaseFee * blobBaseFeeScalar === 0n) return undefined;
  return { baseFee, blobBaseFee, baseFeeScalar, blobBaseFeeScalar };
}
