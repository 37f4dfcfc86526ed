import type { TransactionReceipt } from "ethers";

import { ChainError, RpcUnavailable } from "../errors.ts";
import { explain } from "../explain.ts";
import type { Cost } from "../lane-types.ts";
import type { Tower } from "./flight.ts";

/** What a mined transaction cost. The fee of the layer below is 0 if the endpoint does not answer any more. */
export async function costOf({ provider }: Tower, { hash, gasUsed, gasPrice }: TransactionReceipt): Promise<Cost> {
  // ethers drops the field that OP-stack chains add.
  const raw: unknown = await provider.send("eth_getTransactionReceipt", [hash]).catch(() => null);
  const l1Fee = typeof raw === "object" && raw !== null && "l1Fee" in raw ? BigInt(raw.l1Fee as string) : 0n;
  return { gasUsed, gasPrice, l1Fee };
}

/** Why a mined transaction reverted, found by calling it again where it stood. */
export async function whyReverted(tower: Tower, label: string, receipt: TransactionReceipt): Promise<ChainError> {
  const { provider, address } = tower;
  const details = { hash: receipt.hash, gasUsed: receipt.gasUsed };
  try {
    const sent = await provider.getTransaction(receipt.hash);
    if (sent?.gasLimit === receipt.gasUsed) {
      const message = `"${label}" ran out of gas (${String(receipt.gasUsed)}); try again with a larger margin.`;
      return new ChainError("OUT_OF_GAS", true, message, { details });
    }
    if (sent?.to) {
      const { to, data, value } = sent;
      await provider.call({ from: address, to, data, value, blockTag: receipt.blockNumber });
    }
  } catch (error) {
    const explained = explain(error);
    if (!(explained instanceof RpcUnavailable)) return explained;
  }
  const message = `"${label}" reverted on chain (${receipt.hash}) for a reason that is gone by now; look at the chain and try again.`;
  return new ChainError("REVERTED_ON_CHAIN", true, message, { details });
}
