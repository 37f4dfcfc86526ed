import { MAX_AUDIT_CHANCE } from "./units.ts";

/**
 * The fee of a task that asks for audits, basis points: no less than what they cost, one and a half times their chance.
 *
 * @param feeBps - The usual fee.
 * @param auditChance - Chance that it asks for, basis points; 0: none.
 */
export function auditedFee(feeBps: number, auditChance: number): number {
  return Math.max(feeBps, Math.ceil((3 * auditChance) / 2));
}

/**
 * The highest chance of audits that the usual fee pays for, basis points: what tasks whose work can be audited ask for unless told otherwise.
 *
 * @param feeBps - The usual fee.
 */
export function paidAuditChance(feeBps: number): number {
  return Math.min(MAX_AUDIT_CHANCE, Math.floor((2 * feeBps) / 3));
}
