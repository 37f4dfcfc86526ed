import { time } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of receipts, reassignment and its turns with rounds. */
export const FAILOVER: ErrorMessages = {
  "TooManyReplicas(uint8,uint256)": {
    say: (a) => `A task can ask for at most ${a.text("most")} copies of a checkpoint, not ${a.text("replicas")}.`,
  },
  "TooFewReceipts(uint32,uint256,uint256)": {
    say: (a) =>
      `A checkpoint of lease ${a.text("leaseId")} needs ${a.text("needed")} receipts of other nodes that hold it, not ` +
      `${a.text("given")}; ask more of its holders.`,
  },
  "TooManyReceipts(uint256,uint256)": {
    say: (a) =>
      `A checkpoint can carry at most ${a.text("most")} receipts, not ${a.text("given")}; post those that are needed.`,
  },
  "ReceiptsOutOfOrder(uint8)": {
    say: (a) =>
      `The receipt of candidate ${a.text("candidate")} is out of order or given twice; give receipts in ascending order of their candidates.`,
  },
  "NotHolder(uint32,uint8)": {
    say: (a) =>
      `Candidate ${a.text("candidate")} is not, or no longer, a holder of lease ${a.text("leaseId")}'s checkpoints; ask those that holdersOf names now.`,
    retryable: true,
  },
  "InvalidReceipt(uint32)": {
    say: (a) =>
      `The receipt of node ${a.text("nodeId")} is not signed by its operator for this very checkpoint on this chain; ask it again.`,
  },
  "BatchPending()": {
    say: () =>
      "Ranges of failed nodes wait and go before the next round; open and draw a batch of reassignments first.",
    retryable: true,
  },
  "NoOrphans()": fixed("No range of a failed node waits, so there is no batch to open."),
  "BatchOpen(uint32)": {
    say: (a) => `Batch ${a.text("batchId")} is open; the next one can be opened when it is drawn or aborted.`,
    retryable: true,
  },
  "NoBatchOpen()": fixed("No batch of reassignments is open (somebody may have drawn it already); open one first."),
  "BatchTooSoon(uint256)": {
    say: (a) =>
      `Only ranges that move wait, and these share a seed; the next batch can be opened from ${time(a.int("until"))} on.`,
    retryable: true,
  },
  "RoundHasPriority(uint256)": {
    say: (a) => `A waiting round may go first; the next batch can be opened from ${time(a.int("until"))} on.`,
    retryable: true,
  },
  "BatchNotTimedOut(uint32,uint256)": {
    say: (a) => `Batch ${a.text("batchId")} has until ${time(a.int("until"))}; it can be aborted only after that.`,
    retryable: true,
  },
};
