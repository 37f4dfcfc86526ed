import { AUDIT_STATUSES, enumName } from "../../enums.ts";
import { time } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of audits. */
export const AUDITS: ErrorMessages = {
  "WrongAuditStatus(uint32,uint32,uint8)": {
    say: (a) =>
      `The audit of checkpoint ${a.text("sequence")} of lease ${a.text("leaseId")} is ${enumName(AUDIT_STATUSES, a.int("status"))}, ` +
      `which does not allow this; read it again before acting on it.`,
  },
  "EpochTooSoon(uint256)": {
    say: (a) => `The next epoch of audits can be opened from ${time(a.int("from"))} on; wait until then.`,
    retryable: true,
  },
  "NotPosted(uint32)": {
    say: (a) =>
      `These links do not lead to the newest checkpoint of lease ${a.text("leaseId")}; one may have been posted meanwhile. Read its events again.`,
    retryable: true,
  },
  "TooManyLinks(uint256)": {
    say: (a) =>
      `${a.text("given")} checkpoints were posted after the segment, too many to be given at once; audits are opened sooner.`,
  },
  "NotOfEpoch(uint40,uint40,uint40)": {
    say: (a) =>
      `The segment was posted at ${time(a.int("at"))}; the epoch has those after ${time(a.int("from"))} up to ${time(a.int("to"))}. ` +
      `Name the epoch that it belongs to.`,
  },
  "EpochWithoutSeed(uint32)": {
    say: (a) => `Epoch ${a.text("epochId")} of audits has no seed; wait for the oracle, or for the next epoch.`,
    retryable: true,
  },
  "EpochOver(uint32,uint256)": {
    say: (a) =>
      `Audits of epoch ${a.text("epochId")} could be opened until ${time(a.int("until"))}; it is too late for them.`,
  },
  "NotDrawn(uint32,uint32,uint256)": {
    say: (a) =>
      `The seed did not draw checkpoint ${a.text("sequence")} of lease ${a.text("leaseId")}, whose chance was ${a.text("chance")} basis points.`,
  },
  "WrongSalt(bytes32)": {
    say: (a) =>
      `The salt of the segment is ${a.text("salt")}, by the seed of its epoch; give this one, or name the epoch that it belongs to.`,
  },
  "NotNodeOperator(uint32,address)": {
    say: (a) =>
      `${a.text("caller")} is not the operator of node ${a.text("nodeId")}, whose turn it is; sign with that node's operator key.`,
  },
  "OutOfTime(uint40)": {
    say: (a) =>
      `This step of the audit ends at ${time(a.int("due"))}: before, its node acts; after that, anyone moves the audit on.`,
  },
  "WrongSegment(uint32,uint32)": {
    say: (a) =>
      `What is given is not what the audit of checkpoint ${a.text("sequence")} of lease ${a.text("leaseId")} is of; give the segment of its event.`,
  },
  "NotOfTrace(uint32,uint32)": {
    say: (a) =>
      `These leaves do not belong to the trace root of checkpoint ${a.text("sequence")} of lease ${a.text("leaseId")}, or are not those that were drawn.`,
  },
  "TaskExcluded(uint32)": {
    say: (a) => `The program of task ${a.text("taskId")} is not reproducible: it has no audits any longer.`,
  },
  "NoSuchMember(uint16)": {
    say: (a) => `The panel has no member ${a.text("place")} that this is open to; read the panel again.`,
  },
  "NotSuccessor(uint32,uint32)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} does not go on from the work of lease ${a.text("convicted")} that was found wrong; leave it.`,
  },
  "TermsOutOfBounds()": fixed("A term of audits is outside its hard bounds; IAuditEpochs.Terms names them."),
  "ChanceNotPaid(uint256,uint256)": {
    say: (a) =>
      `A chance of ${a.text("chance")} basis points costs one and a half times as much, more than the fee of ${a.text("feeBps")}; lower the chance or raise the fee.`,
  },
  "WindowTooShort(uint256,uint256)": {
    say: (a) =>
      `An audit can begin ${a.text("needed")} s after a delivery, but the dispute window is ${a.text("window")} s; raise DisputeWindow or shorten the terms.`,
  },
  "WrongTrace(uint32,bool)": {
    say: (a) =>
      a.text("audited") === "true"
        ? `The task of lease ${a.text("leaseId")} asks for audits: its checkpoints need trace roots; update the agent.`
        : `The task of lease ${a.text("leaseId")} asks for no audits: its checkpoints have no trace roots; update the agent.`,
  },
  "NothingToAudit(uint32,uint40)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} has posted nothing for audits since ${time(a.int("since"))}; name another lease, or wait until one has.`,
    retryable: true,
  },
  "Expelled(uint32)": {
    say: (a) => `An audit found work of node ${a.text("nodeId")} wrong: it does not come back. Register another node.`,
  },
  "NotCommitted(uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} committed to something else; reveal the answer and the salt that it committed to.`,
  },
};
