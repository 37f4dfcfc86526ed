import type { TaskSpec } from "../spec.ts";

/** Built-in trainers whose arithmetic is their own, so that every machine comes to the same bits. */
export const VOUCHED_TRAINERS: readonly string[] = ["digits"];

/**
 * Whether the protocol vouches that a task's program is reproducible: then a mismatch is fraud. Of any other only its developer says
 * so. Pure.
 */
export function isVouched({ trainer }: Pick<TaskSpec, "trainer">): boolean {
  return trainer !== undefined && VOUCHED_TRAINERS.includes(trainer);
}

/**
 * Whether a task asks for audits unless its developer says otherwise: its program is vouched for, its local checkpoints are
 * numbered by step, and it is not confidential, for its key would go to the nodes that verify as well. Pure.
 */
export function isAuditedByDefault(spec: Pick<TaskSpec, "trainer" | "checkpoint" | "confidential">): boolean {
  return isVouched(spec) && spec.checkpoint.everySteps !== undefined && spec.confidential !== true;
}
