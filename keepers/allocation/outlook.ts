import { hexlify } from "ethers";

import { nodeStates } from "@verai/client/node-state";
import type { Reader } from "@verai/client/readers";
import { roundSnapshot } from "@verai/client/snapshot";
import { readReportStates } from "@verai/client/telemetry";
import { explainRound, explanationText, type RoundExplanation } from "@verai/protocol/allocation/explain/round";
import { type PlanRefusal, planRoundWith, type RoundPlan } from "@verai/protocol/allocation/round-plan";
import type { Solver } from "@verai/protocol/allocation/solver";
import { type AllocationStep, nextStep } from "./allocation-plan.ts";
import { readAllocationView } from "./allocation-view.ts";

/** What the allocation keeper would do now. */
export interface Outlook {
  readonly step: AllocationStep;
  /** What it would post, if a round waits to be settled, or why it would not. */
  readonly plan?: RoundPlan | PlanRefusal;
  /** Why the plan is as it is: every task of the round, and every node there is. */
  readonly explanation?: RoundExplanation;
}

/** Looks at the chain, and plans and explains the round that waits to be settled, if one does. Sends nothing. */
export async function lookAhead(
  reader: Reader,
  solvers: readonly [Solver, ...Solver[]],
  minRoundAge: number,
): Promise<Outlook> {
  const block = await reader.block();
  const step = nextStep(await readAllocationView(reader, block, minRoundAge));
  const snapshot = step.kind === "settle" ? await roundSnapshot(reader, block) : undefined;
  if (!snapshot) return { step };
  const plan = planRoundWith(snapshot, solvers);
  if (plan.kind === "refusal") return { step, plan };
  const [nodes, classes, reportStates] = await Promise.all([
    reader.nodes(block),
    reader.classes(block),
    readReportStates(reader, block),
  ]);
  const throttled = new Set(reportStates.filter((reportState) => reportState.throttled).map(({ nodeId }) => nodeId));
  return {
    step,
    plan,
    explanation: explainRound(snapshot, plan, nodeStates(nodes, classes, block.timestamp, throttled)),
  };
}

/** An outlook for people. */
export function outlookText({ step, plan, explanation }: Outlook): string {
  const what = step.kind === "wait" ? "Nothing to do" : `Would ${step.kind}`;
  const lines = [`${what}: ${step.why}.`];
  if (plan?.kind === "refusal") lines.push(`Would not post: ${plan.why}`);
  if (explanation) lines.push(explanationText(explanation).trim());
  return `${lines.join("\n\n")}\n`;
}

/** An outlook for programs: one line; bytes in hexadecimal, large numbers as decimal text. */
export function outlookJson({ step, plan, explanation }: Outlook): string {
  const shown = { step, ...(plan && { plan }), ...(explanation && { explanation }) };
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? hexlify(value) : value;
  };
  return `${JSON.stringify(shown, plain)}\n`;
}
