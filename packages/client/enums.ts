/**
 * The contracts' enumerations as words, in the order of their numbers on chain. A test compares them with the
 * Solidity sources.
 */

/** Status of a node (`ISupply.NodeStatus`). */
export const NODE_STATUSES = ["none", "active", "draining", "unbonding", "withdrawn"] as const;
/** Where a node says its electricity comes from (`INodeRegistry.EnergySource`). */
export const ENERGY_SOURCES = [
  "unknown",
  "grid",
  "solar",
  "wind",
  "hydro",
  "geothermal",
  "nuclear",
  "storage",
] as const;
/** Status of a task (`ITaskRegistry.TaskStatus`). */
export const TASK_STATUSES = ["none", "open", "closing", "ended"] as const;
/** Status of a lease (`ILeaseRegistry.LeaseStatus`). */
export const LEASE_STATUSES = [
  "none",
  "active",
  "delivered",
  "disputed",
  "paid",
  "released",
  "expired",
  "rejected",
  "moving",
] as const;
/** Status of a round (`IRoundManager.RoundStatus`). */
export const ROUND_STATUSES = ["none", "seeding", "settling", "settled", "aborted"] as const;
/** How a report's energy was found out (`ITelemetry.Method`). What is estimated is never called measured. */
export const ENERGY_METHODS = ["none", "rapl", "nvml", "estimated"] as const;
/** Why a report was refused (`ITelemetry.Refusal`). */
export const REPORT_REFUSALS = [
  "none",
  "unknownNode",
  "notInMarket",
  "sequenceNotGrowing",
  "badSignature",
  "periodInvalid",
  "loadTooHigh",
  "unknownMethod",
  "powerAboveMaximum",
  "renewableAboveTotal",
  "sharesAboveTotal",
  "foreignLease",
  "sharesOutOfOrder",
  "tooManyShares",
  "idleAboveWork",
  "leaseOver",
] as const;
/** Whose energy (`IEnergyLedger.Scope`). */
export const ENERGY_SCOPES = ["network", "node", "task"] as const;
/** Why units moved (`IBalancer.Cause`). */
export const MOVE_CAUSES = ["load", "power"] as const;
/** How a lease's node does (`ILeaseRegistry.Health`). */
export const LEASE_HEALTHS = ["inTime", "suspect", "overdue"] as const;
/** Status of a batch of reassignments (`IReassignment.BatchStatus`). */
export const BATCH_STATUSES = ["none", "seeding", "drawing", "done", "aborted"] as const;
/** Whether a round can take a task, or what keeps it out (`ITaskRegistry.Admission`). */
export const ADMISSIONS = ["admissible", "nothingOpen", "deadlineNear", "depositTooLow", "noSupply"] as const;
/** Names of the governed parameters (`Param`). */
export const PARAMETERS = [
  "stakePerUnit",
  "unbondingPeriod",
  "feeBps",
  "roundInterval",
  "roundMaxTasks",
  "roundMaxUnits",
  "seedTimeout",
  "settleTimeout",
  "leaseGrace",
  "minCheckpointInterval",
  "maxCheckpointInterval",
  "minLeaseTime",
  "disputeWindow",
  "arbitrationTimeout",
  "disputeBondBps",
  "slashBps",
  "cooldown",
  "roundBounty",
  "expireBounty",
  "reportInterval",
  "reportTimeout",
  "balanceBand",
  "moveCooldown",
  "moveGrace",
  "maxLatency",
  "baselinePue",
  "submissionFee",
  "latencyFloor",
  "maxReassignments",
  "outageGrace",
  "loadFloor",
  "maxTaskTime",
  "seedPrice",
  "releaseFee",
  "releaseUnitFee",
  "releaseBar",
  "releaseMemory",
] as const;

export type NodeStatus = (typeof NODE_STATUSES)[number];
export type EnergySource = (typeof ENERGY_SOURCES)[number];
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type LeaseStatus = (typeof LEASE_STATUSES)[number];
export type LeaseHealth = (typeof LEASE_HEALTHS)[number];
export type BatchStatus = (typeof BATCH_STATUSES)[number];
export type RoundStatus = (typeof ROUND_STATUSES)[number];
export type EnergyMethod = (typeof ENERGY_METHODS)[number];
export type ReportRefusal = (typeof REPORT_REFUSALS)[number];
export type EnergyScope = (typeof ENERGY_SCOPES)[number];
export type MoveCause = (typeof MOVE_CAUSES)[number];
export type Admission = (typeof ADMISSIONS)[number];
export type ParameterName = (typeof PARAMETERS)[number];

/** Statuses of a lease that nothing changes any more. */
export const FINAL_LEASE_STATUSES: readonly LeaseStatus[] = ["paid", "released", "expired", "rejected"];

/**
 * The word for a number of an enumeration.
 *
 * @throws RangeError if the chain knows a word that this version does not.
 */
export function enumName<T extends string>(words: readonly T[], value: bigint | number): T {
  const found = words[Number(value)];
  if (found === undefined) {
    throw new RangeError(`The chain answered ${String(value)} where one of ${words.join(", ")} was expected.`);
  }
  return found;
}

/** The number of a word of an enumeration, as the contracts take it. */
export function numberOf<T extends string>(words: readonly T[], value: T): number {
  return words.indexOf(value);
}
