import type { FaultKind } from "@verai/devnet/fault-case";
import { stopChain } from "@verai/devnet/transaction-faults/bench";
import { feeFaults } from "@verai/devnet/transaction-faults/fees";
import { nonceFaults } from "@verai/devnet/transaction-faults/nonces";
import { queueFaults } from "@verai/devnet/transaction-faults/queue";
import { receiptFaults } from "@verai/devnet/transaction-faults/receipts";
import { sendingFaults } from "@verai/devnet/transaction-faults/sending";
import { closeMarket, submissionFaults } from "@verai/devnet/transaction-faults/submissions";

/** Faults around sending transactions, on a real chain behind an endpoint that misbehaves. */
export const transactionFaults: FaultKind = {
  name: "transactions",
  guarantee: "a request is paid at most once, and anyone who waits learns whether it was sent",
  cases: [...receiptFaults, ...sendingFaults, ...feeFaults, ...nonceFaults, ...queueFaults, ...submissionFaults],
  close: async () => {
    await stopChain();
    await closeMarket();
  },
};
