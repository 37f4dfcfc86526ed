import type { FaultKind } from "./frame.ts";
import { stopChain } from "./transactions/bench.ts";
import { feeFaults } from "./transactions/fees.ts";
import { nonceFaults } from "./transactions/nonces.ts";
import { queueFaults } from "./transactions/queue.ts";
import { receiptFaults } from "./transactions/receipts.ts";
import { sendingFaults } from "./transactions/sending.ts";
import { closeMarket, submissionFaults } from "./transactions/submissions.ts";

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
