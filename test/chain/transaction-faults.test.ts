import { feeFaults } from "@verai/devnet/transaction-faults/fees";
import { type FaultCase, runCase } from "@verai/devnet/fault-case";
import { stopChain } from "@verai/devnet/transaction-faults/bench";
import { nonceFaults } from "@verai/devnet/transaction-faults/nonces";
import { queueFaults } from "@verai/devnet/transaction-faults/queue";
import { receiptFaults } from "@verai/devnet/transaction-faults/receipts";
import { sendingFaults } from "@verai/devnet/transaction-faults/sending";

/** What must hold in every change; `npm run faults -- --kind transactions` has all of it. */
const ESSENTIAL: Readonly<Record<string, readonly [readonly FaultCase[], readonly string[]]>> = {
  receipts: [
    receiptFaults,
    [
      "late by many looks",
      "-32603 while waiting",
      "an l1Fee of null",
      "without logs at first",
      "in a block that the chain does not have",
      "one that is faked while the transaction waits",
      "hidden for ever, although the block shows the transaction",
    ],
  ],
  sending: [
    sendingFaults,
    [
      "the answer is lost",
      "nonce too low, and mined",
      "insufficient funds",
      "its pool is full for a while",
      "it bounds what one transaction may pay",
      "words that nobody knows, for ever",
    ],
  ],
  fees: [
    feeFaults,
    [
      "a suggested tip of 400 gwei",
      "no method that suggests a tip",
      "a process that is started again and again keeps to its hourly budget",
    ],
  ],
  nonces: [
    nonceFaults,
    [
      "counts that are always one too low",
      "another program uses the nonce in a block that is not safe yet",
      "two processes with one key",
      "a reorganisation undoes what was confirmed, before it was safe",
      "what is confirmed stays in the journal until its block is safe",
      "a crash between noting and sending; the unsent one turns up later",
      "a gap after a restart",
      "a journal that is cut in half while a transaction is in flight",
    ],
  ],
  queue: [
    queueFaults,
    [
      "an urgent request comes while others wait",
      "the process stops behind a stuck transaction, and the next run settles it",
      "every answer hangs once the transaction is sent",
      "the caller gives up while the transaction is handed over",
    ],
  ],
};

describe("transaction queue, whatever the endpoint does", () => {
  after(() => stopChain());

  for (const [kind, [cases, names]] of Object.entries(ESSENTIAL)) {
    describe(kind, () => {
      for (const name of names) {
        it(name, async () => {
          const fault = cases.find((each) => each.name === `${kind}: ${name}`);
          if (!fault) throw new Error(`there is no case "${kind}: ${name}"`);
          const outcome = await runCase({ name: kind, guarantee: "", cases }, fault);
          if (!outcome.survived) throw new Error(outcome.failure);
        });
      }
    });
  }
});
