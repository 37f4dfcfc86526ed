import { TASK_STATUSES, enumName } from "../../enums.ts";
import { neighbours, time, ver } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the task registry's errors. */
export const TASKS: ErrorMessages = {
  "UnknownTask(uint32)": {
    say: (a) => `There is no task ${a.text("taskId")}; task ids run from 1 to the registry's taskCount.`,
  },
  "NotTaskOwner(uint32,address)": {
    say: (a) => `${a.text("caller")} did not submit task ${a.text("taskId")}; sign with the key that did.`,
  },
  "IntakePaused()": {
    say: () =>
      "The guardian has paused new tasks and new rounds; try again when intake is open. Claims and exits go on.",
    retryable: true,
  },
  "NoUnits()": fixed("A task needs at least one unit of work; give the number of units."),
  "TooManyUnits(uint256,uint256)": {
    say: (a) => `A task can have at most ${a.text("most")} units, not ${a.text("units")}; split it into several tasks.`,
  },
  "PriceNotOnGrid(uint256,uint256)": {
    say: (a) =>
      `The price ${ver(a.int("price"))} is not a whole number of ${ver(a.int("grid"))}; ` +
      `use ${neighbours(a.int("price"), a.int("grid"))} VER.`,
  },
  "PriceTooHigh(uint256,uint256)": {
    say: (a) =>
      `The price ${ver(a.int("price"))} is above the highest possible, ${ver(a.int("most"))}; offer at most that.`,
  },
  "PriceIsZero()": fixed("A maximum price of zero serves nobody; offer more than zero VER per unit."),
  "PriceNotRaised(uint32,uint256,uint256)": {
    say: (a) =>
      `Task ${a.text("taskId")} already offers ${ver(a.int("current"))} a unit, and ${ver(a.int("price"))} is not above it; a price can only be raised.`,
  },
  "NoClasses()": fixed("The task accepts no class of nodes; name at least one."),
  "TooManyClasses(uint256,uint256)": {
    say: (a) => `A task can accept at most ${a.text("most")} classes, not ${a.text("classes")}; leave some out.`,
  },
  "ClassesNotAscending(uint8)": {
    say: (a) =>
      `Class ${a.text("classId")} is out of order or given twice; give the classes in ascending order, each once.`,
  },
  "SurchargeCountMismatch(uint256,uint256)": {
    say: (a) =>
      `${a.text("surcharges")} surcharges are given for ${a.text("classes")} classes; give one per class, or none at all.`,
  },
  "IntervalOutOfBounds(uint32,uint256,uint256)": {
    say: (a) =>
      `A checkpoint interval of ${a.text("interval")} s is not allowed; use ${a.text("min")} s to ${a.text("max")} s.`,
  },
  "UnitTimeOutOfBounds(uint32,uint256,uint256)": {
    say: (a) =>
      `A longest time of ${a.text("maxUnitTime")} s for a unit is not allowed; use ${a.text("min")} s (the checkpoint interval) to ${a.text("max")} s.`,
  },
  "AuditChanceTooHigh(uint16,uint256)": {
    say: (a) =>
      `A chance of audits of ${a.text("chance")} basis points is too high; ask for ${a.text("most")} at most.`,
  },
  "DeadlineNotOver(uint32,uint40)": {
    say: (a) =>
      `Task ${a.text("taskId")} runs until ${time(a.int("deadline"))}; before that only its owner can end it, by cancel.`,
    retryable: true,
  },
  "DeadlineTooSoon(uint40,uint256)": {
    say: (a) =>
      `The deadline ${time(a.int("deadline"))} leaves too little time for a lease; the earliest possible is ${time(a.int("earliest"))}.`,
  },
  "DeadlineTooLate(uint40,uint256)": {
    say: (a) =>
      `The deadline ${time(a.int("deadline"))} is too late; the latest possible is ${time(a.int("latest"))}: choose an earlier one.`,
  },
  "NothingToEnqueue()": {
    say: () =>
      "None of these tasks is parked, can be served now, and has a round deposit that pays for its stay in the queue; `npx hardhat task:status` says why. Its owner needs no deposit for the stay.",
    retryable: true,
  },
  "InvalidSpec()": fixed("The spec's digest is zero; pin the spec first and submit the digest of its CID."),
  "UnsupportedCodec(uint16)": {
    say: (a) => `Codec 0x${a.int("codec").toString(16)} is not supported; use a CIDv1 of raw (0x55) or dag-pb (0x70).`,
  },
  "TaskNotOpen(uint32,uint8)": {
    say: (a) =>
      `Task ${a.text("taskId")} is ${enumName(TASK_STATUSES, a.int("status"))}; only an open task can be cancelled, closed, raised or funded.`,
  },
  "NothingToAllocate()": {
    say: () =>
      "Nothing that is listed serves a task at the head of the queue at its price; wait for nodes, or for tasks that pay more.",
    retryable: true,
  },
  "NotEnoughOpenUnits(uint32,uint32,uint32)": {
    say: (a) =>
      `Task ${a.text("taskId")} has ${a.text("open")} open units, not the ${a.text("asked")} asked for; plan again from the chain.`,
  },
};
