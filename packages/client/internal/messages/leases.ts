import { END_REASONS, LEASE_STATUSES, enumName } from "../../enums.ts";
import { time } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of the lease registry and the checkpoint registry. */
export const LEASES: ErrorMessages = {
  "UnknownLease(uint32)": {
    say: (a) => `There is no lease ${a.text("leaseId")}; lease ids run from 1 to the registry's leaseCount.`,
  },
  "WrongLeaseStatus(uint32,uint8)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} is ${enumName(LEASE_STATUSES, a.int("status"))}, which does not allow this; read it again before acting on it.`,
  },
  "StaleFence(uint32,uint24,uint24)": {
    say: (a) =>
      `Fence ${a.text("given")} of lease ${a.text("leaseId")} is stale, the current one is ${a.text("current")}: the range has ` +
      `changed hands. Stop its work here.`,
  },
  "RangeMovedTooOften(uint32,uint24,uint256)": {
    say: (a) =>
      `The range of lease ${a.text("leaseId")} has had ${a.text("fence")} leases and moves only up to ${a.text("maximum")}; leave it where it is.`,
  },
  "NotLeaseOperator(uint32,address)": {
    say: (a) =>
      `${a.text("caller")} is not the operator of the node that holds lease ${a.text("leaseId")}; sign with that node's operator key.`,
  },
  "LeaseNotOverdue(uint32,uint40)": {
    say: (a) => `Lease ${a.text("leaseId")} is in time until ${time(a.int("due"))}; it can be expired only after that.`,
    retryable: true,
  },
  "NoLeaseOverdue()": {
    say: () =>
      "None of these leases is overdue; somebody else has expired them, or their nodes have posted checkpoints. Look again.",
    retryable: true,
  },
  "TaskDeadlinePassed(uint32,uint40)": {
    say: (a) =>
      `Task ${a.text("taskId")} took results until its deadline, ${time(a.int("deadline"))}; release the lease, its units are refunded.`,
  },
  "MoveGraceNotOver(uint32,uint40)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} moves, and its node has until ${time(a.int("due"))} for a last checkpoint; anyone may hand it over after that.`,
    retryable: true,
  },
  "DisputeWindowOpen(uint32,uint40)": {
    say: (a) =>
      `Until ${time(a.int("until"))} only the developer may accept lease ${a.text("leaseId")}; anyone may after that.`,
    retryable: true,
  },
  "DisputeWindowClosed(uint32,uint40)": {
    say: (a) =>
      `The time to dispute lease ${a.text("leaseId")} ended at ${time(a.int("since"))}; it can only be accepted now.`,
  },
  "ArbitrationOpen(uint32,uint40)": {
    say: (a) =>
      `The arbiter has until ${time(a.int("until"))} to rule on lease ${a.text("leaseId")}; it can be accepted after that.`,
    retryable: true,
  },
  "InvalidReason(uint8)": {
    say: (a) =>
      `A node does not give a lease back for ${enumName(END_REASONS, a.int("reason"))}; give one of givenBack to deadlinePassed.`,
  },
  "InvalidResult()": fixed("The result's digest is zero; deliver the digest of the result's CID."),
  "InvalidCheckpoint()": fixed("The checkpoint's digest is zero; post the digest of the checkpoint's CID."),
  "ProgressNotGrowing(uint32,uint40,uint40)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} has already recorded progress ${a.text("current")}; a checkpoint at ${a.text("given")} ` +
      `brings nothing new. Post one that has got further (basis points of a unit).`,
  },
  "ProgressTooHigh(uint32,uint40,uint40)": {
    say: (a) =>
      `Progress ${a.text("given")} of lease ${a.text("leaseId")} is more than its units can make, ${a.text("most")} basis points; ` +
      `post at most that.`,
  },
};
