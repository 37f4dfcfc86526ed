/** The contracts' enumerations as words, in the order of their numbers on chain; `npm run abi` takes them from the sources. */
import { ENUMS } from "./generated/enums.ts";

/** Status of a node (`ISupply.NodeStatus`). */
export const NODE_STATUSES = ENUMS.NodeStatus;
/** Where a node says its electricity comes from (`INodeRegistry.EnergySource`). */
export const ENERGY_SOURCES = ENUMS.EnergySource;
/** Status of a task (`ITaskRegistry.TaskStatus`). */
export const TASK_STATUSES = ENUMS.TaskStatus;
/** Status of a lease (`ILeaseRegistry.LeaseStatus`). */
export const LEASE_STATUSES = ENUMS.LeaseStatus;
/** How far an audit is, or how it ended (`IAudits.AuditStatus`). */
export const AUDIT_STATUSES = ENUMS.AuditStatus;
/** Why a lease ended (`ILeaseRegistry.EndReason`). */
export const END_REASONS = ENUMS.EndReason;
/** Status of a round (`IRoundManager.RoundStatus`). */
export const ROUND_STATUSES = ENUMS.RoundStatus;
/** How a report's energy was measured (`ITelemetry.Method`). What is estimated is never called measured. */
export const ENERGY_METHODS = ENUMS.Method;
/** Why a report was refused (`ITelemetry.Refusal`). */
export const REPORT_REFUSALS = ENUMS.Refusal;
/** Whose energy (`IEnergyLedger.Scope`). */
export const ENERGY_SCOPES = ENUMS.Scope;
/** Why units moved (`IBalancer.Cause`). */
export const MOVE_CAUSES = ENUMS.Cause;
/** How a lease's node does (`ILeaseRegistry.Health`). */
export const LEASE_HEALTHS = ENUMS.Health;
/** Status of a batch of reassignments (`IReassignment.BatchStatus`). */
export const BATCH_STATUSES = ENUMS.BatchStatus;
/** Whether a round can take a task, or what keeps it out (`ITaskRegistry.Admission`). */
export const ADMISSIONS = ENUMS.Admission;
/** Names of the governed parameters (`Param`). */
export const PARAMETERS = ENUMS.Param;

export type NodeStatus = (typeof NODE_STATUSES)[number];
export type EnergySource = (typeof ENERGY_SOURCES)[number];
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type LeaseStatus = (typeof LEASE_STATUSES)[number];
export type AuditStatus = (typeof AUDIT_STATUSES)[number];
export type EndReason = (typeof END_REASONS)[number];
export type LeaseHealth = (typeof LEASE_HEALTHS)[number];
export type BatchStatus = (typeof BATCH_STATUSES)[number];
export type RoundStatus = (typeof ROUND_STATUSES)[number];
export type EnergyMethod = (typeof ENERGY_METHODS)[number];
export type ReportRefusal = (typeof REPORT_REFUSALS)[number];
export type EnergyScope = (typeof ENERGY_SCOPES)[number];
export type MoveCause = (typeof MOVE_CAUSES)[number];
export type Admission = (typeof ADMISSIONS)[number];
export type ParameterName = (typeof PARAMETERS)[number];

/** Final statuses of a lease. */
export const FINAL_LEASE_STATUSES: readonly LeaseStatus[] = ["paid", "released", "expired", "rejected"];

const RUNNING_AUDIT_STATUSES: readonly AuditStatus[] = ["verifying", "opening", "revealing", "voting", "counting"];

/** Whether an audit has begun and not ended. */
export function isAuditRunning(status: AuditStatus): boolean {
  return RUNNING_AUDIT_STATUSES.includes(status);
}

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
