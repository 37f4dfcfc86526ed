import type { Hex, PublicClient } from "viem";
import type { Config as WagmiConfig } from "wagmi";
import { getCallsStatus } from "wagmi/actions";

import type { Config } from "../config.ts";
import { ActionError } from "./explain.ts";
import { receiptOf } from "./relay.ts";
import { hashOf, type SentEntry } from "./sent.ts";

/** Something was sent, and the chain has not said within the time for it what became of it. */
export class UnknownOutcome extends ActionError {
  constructor(what: string, cause?: unknown) {
    super(
      "NotKnownYet",
      `${what} was sent, and the chain has not said yet what became of it: it may still be carried out. This page keeps looking.`,
      cause,
    );
  }
}

/** What became of something that was sent; undefined as long as the chain does not tell. @throws if it cannot be asked. */
export async function outcomeOf(
  config: Config,
  client: PublicClient,
  wagmi: WagmiConfig,
  entry: SentEntry,
): Promise<{ readonly done: boolean; readonly transaction: Hex } | undefined> {
  switch (entry.kind) {
    case "transaction": {
      const receipt = await client.getTransactionReceipt({ hash: hashOf(entry) }).catch((error: unknown) => {
        if (error instanceof Error && error.name === "TransactionReceiptNotFoundError") return undefined;
        throw error;
      });
      return receipt && { done: receipt.status === "success", transaction: receipt.transactionHash };
    }
    case "operation": {
      const found = await receiptOf(config, hashOf(entry));
      return found && { done: found.success, transaction: found.receipt.transactionHash };
    }
    case "batch": {
      const { status, receipts } = await getCallsStatus(wagmi, { id: entry.id });
      const last = receipts?.at(-1);
      return last && { done: status === "success", transaction: last.transactionHash };
    }
  }
}
