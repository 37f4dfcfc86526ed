import type { TaskSpec } from "@verai/executor/spec";
import { isAuditedByDefault } from "@verai/executor/trainers/vouched";
import { paidAuditChance } from "@verai/protocol/money/audit-fee";

/**
 * Chance of audits that a task asks for, basis points: what its developer wants, else, where {@link isAuditedByDefault}, the highest that
 * the usual fee pays for. Pure.
 *
 * @param asked Undefined: the default.
 * @param spec Undefined for a sealed one.
 * @param feeBps The usual fee, basis points.
 */
export function auditChanceOf(
  asked: number | undefined,
  spec: Pick<TaskSpec, "trainer" | "checkpoint" | "confidential"> | undefined,
  feeBps: number,
): number {
  if (asked !== undefined) return asked;
  return spec && isAuditedByDefault(spec) ? paidAuditChance(feeBps) : 0;
}

/** What is said of it to people, as part of a sentence. */
export function auditsText(chance: number, asked: number | undefined): string {
  if (chance > 0) return `each segment with ${String(chance / 100)} % at least`;
  if (asked === 0) return "none, as asked for";
  return "none: the program is no built-in trainer with checkpoint.everySteps, or it is confidential";
}
