import { time } from "../format.ts";
import type { ErrorMessages } from "./message.ts";

/** Basis points as per cent. */
function percent(bps: bigint): string {
  return `${String(Number(bps) / 100)} %`;
}

/** The average that a sum over so many nodes comes to, as per cent. */
function average(loads: bigint, nodes: bigint): string {
  return nodes === 0n ? "0 %" : percent(loads / nodes);
}

/** Sentences for the errors of telemetry, the energy ledger and the balancer. */
export const TELEMETRY: ErrorMessages = {
  "MalformedBatch(uint256)": {
    say: (a) => `The batch of reports ends within the one that starts at byte ${a.text("offset")}; pack it again.`,
  },
  "NodeNotSilent(uint32,uint256)": {
    say: (a) =>
      `Node ${a.text("nodeId")} is in time with its reports until ${time(a.int("silentFrom"))}; it lapses only after that.`,
    retryable: true,
  },
  "AlreadyLapsed(uint32)": {
    say: (a) => `Node ${a.text("nodeId")} has lapsed already; nothing is left to do until it reports again.`,
  },
  "AlreadyThrottled(uint32)": {
    say: (a) => `Node ${a.text("nodeId")} is throttled already; nothing is left to do.`,
  },
  "NotThrottled(uint32)": {
    say: (a) => `Node ${a.text("nodeId")} is not throttled; nothing is left to do.`,
  },
  "PowerWithinThreshold(uint32,uint32,uint32,uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} drew ${a.text("watts")} W in its last report and ${a.text("previousWatts")} W in the one before; ` +
      `it is throttled only when both are above its threshold of ${a.text("threshold")} W (0: never).`,
  },
  "PowerAboveThreshold(uint32,uint32,uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} drew ${a.text("watts")} W in its last report, which is above its threshold of ${a.text("threshold")} W; ` +
      `it is freed by a report within it.`,
  },
  "ClassEnergyOutOfBounds(uint8,uint40,uint24)": {
    say: (a) =>
      `Class ${a.text("classId")} cannot have a baseline of ${a.text("baselineJoules")} J and a grid intensity of ` +
      `${a.text("gridIntensity")} mg/kWh; the maximum is 1,728,000,000 J and 2,000,000 mg/kWh.`,
  },
  "NotOperator(uint32,address)": {
    say: (a) =>
      `Only the operator of node ${a.text("nodeId")} reports its energy, not ${a.text("caller")}; sign with the operator key.`,
  },
  "NotInMarket(uint32)": {
    say: (a) => `Node ${a.text("nodeId")} has left the market; its energy is no longer booked.`,
  },
  "PeriodInvalid(uint32,uint32,uint256)": {
    say: (a) =>
      `A report of the energy of node ${a.text("nodeId")} can cover 1 to ${a.text("longest")} s now, not ${a.text("period")} s: ` +
      `what earlier reports cover, or lies half a day back, is not covered again.`,
    retryable: true,
  },
  "UnknownMethod(uint8)": {
    say: (a) => `Energy is determined by method 1 (RAPL), 2 (NVML) or 3 (estimated), not by ${a.text("method")}.`,
  },
  "EnergyAboveMaximum(uint32,uint40,uint256)": {
    say: (a) =>
      `Node ${a.text("nodeId")} can draw ${a.text("most")} J in the period at most, not ${a.text("joules")} J; ` +
      `if the machine does draw that, raise its maximum with node:update --power-max.`,
  },
  "RenewableAboveTotal(uint32,uint40,uint40)": {
    say: (a) =>
      `Of ${a.text("joules")} J of node ${a.text("nodeId")} no ${a.text("renewableJoules")} J can be renewable; report less.`,
  },
  "TooManyShares(uint256)": {
    say: (a) => `A report of energy names 64 leases at most, not ${a.text("shares")}; report more often.`,
  },
  "SharesOutOfOrder(uint32)": {
    say: (a) => `The share of lease ${a.text("leaseId")} is out of order: leases ascend from 1, each once.`,
  },
  "ForeignLease(uint32,uint32)": {
    say: (a) => `Lease ${a.text("leaseId")} is not of node ${a.text("nodeId")}; leave its share out.`,
  },
  "ShareTimeInvalid(uint32,uint32,uint256)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} can have 1 to ${a.text("longest")} s of the period, not ${a.text("seconds_")} s; ` +
      `after its end it has none.`,
  },
  "ShareAboveMaximum(uint32,uint40,uint256)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} can have taken ${a.text("most")} J in its time at most, not ${a.text("joules")} J.`,
  },
  "SharesAboveTotal(uint32,uint256,uint40)": {
    say: (a) =>
      `The leases of node ${a.text("nodeId")} share ${a.text("shared")} J, more than its ${a.text("joules")} J; report less of them.`,
  },
  "IdleAboveWork(uint32,uint32,uint256)": {
    say: (a) =>
      `Node ${a.text("nodeId")} can have ${a.text("most")} idle-harvested unit-seconds in the period at most, not ${a.text("idleUnitSeconds")}.`,
  },
  "LeaseNotCreditable(uint32)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} does not count against a baseline: it has to be paid, and energy reported on it.`,
  },
  "AlreadyCredited(uint32)": {
    say: (a) => `Lease ${a.text("leaseId")} has been credited already; leave it out.`,
  },
  "UnitsOutOfRange(uint32,uint24,uint24)": {
    say: (a) => `Of lease ${a.text("leaseId")} 1 to ${a.text("count")} units can move, not ${a.text("units")}.`,
  },
  "LeaseNotActive(uint32)": {
    say: (a) => `Lease ${a.text("leaseId")} is not active, or overdue, so it cannot move; plan again from the chain.`,
  },
  "NodeNotReporting(uint32)": {
    say: (a) => `Node ${a.text("nodeId")} has not reported recently; work moves only from nodes that report in time.`,
  },
  "MaxLatencyOutOfBounds(uint8,uint16,uint64,uint64)": {
    say: (a) =>
      `The highest latency of class ${a.text("classId")} cannot be ${a.text("milliseconds")} ms; ` +
      `its bounds are ${a.text("min")} to ${a.text("max")} ms, and 0 for the common one.`,
  },
  "NoHeadwayYet(uint32)": {
    say: (a) =>
      `Lease ${a.text("leaseId")} has shown no headway yet; it may move once it has posted a checkpoint and run for an interval.`,
    retryable: true,
  },
  "RangeCooling(uint32,uint256)": {
    say: (a) => `The units of lease ${a.text("leaseId")} moved lately; they may again from ${time(a.int("until"))} on.`,
    retryable: true,
  },
  "TaskTooLate(uint32,uint40)": {
    say: (a) =>
      `Task ${a.text("taskId")} ends at ${time(a.int("deadline"))}, too soon for its units to move; leave them where they are.`,
  },
  "SourceInBand(uint32,uint256,uint256,uint256)": {
    say: (a) =>
      `Node ${a.text("nodeId")} has a load of ${percent(a.int("load"))}, which is not above the band around the average ` +
      `${average(a.int("loads"), a.int("capacity"))} and above the floor of loads; plan again from the chain.`,
  },
  "MoveOvershootsSource(uint32,uint24)": {
    say: (a) =>
      `Without ${a.text("units")} units node ${a.text("nodeId")} would come below the average by more than one unit's worth; move fewer.`,
  },
  "NotEnoughSupply(uint32,uint24)": {
    say: (a) =>
      `The classes that may take ${a.text("units")} units of task ${a.text("taskId")} list fewer of them at what it pays; ` +
      `move fewer, or wait until some are free.`,
    retryable: true,
  },
};
