import { probeAt } from "@verai/protocol/audits/draws";
import { ANSWER_UNAVAILABLE, ANSWER_UNUSABLE } from "@verai/protocol/audits/segments";
import { traceAnswer, traceLeaf } from "@verai/protocol/audits/trace";
import type { Examination } from "./examine.ts";

/**
 * What a node that has examined a segment answers to a question: the opening that an honest producer makes, in one word.
 * Undefined: nothing is to be answered. Pure.
 *
 * @param salt What the draws of the segment follow from.
 */
export function answerTo(examination: Examination, salt: string, question: number): string | undefined {
  switch (examination.kind) {
    case "failed":
      return undefined;
    case "unavailable":
      return ANSWER_UNAVAILABLE;
    case "unusable":
      return ANSWER_UNUSABLE;
    case "verified": {
      const { units, place, unit, leaves } = examination;
      const [probe, end] = [leaves[probeAt(salt, question, leaves.length)], leaves.at(-1)];
      return probe && end && traceAnswer({ units, place, unit, count: leaves.length, probe, end });
    }
  }
}

/** The leaf that a member of a panel shows beside its answer: that of a question which nobody has opened. Pure. */
export function freshLeaf(examination: Examination, salt: string, question: number): string | undefined {
  if (examination.kind !== "verified") return undefined;
  const { unit, leaves } = examination;
  const leaf = leaves[probeAt(salt, question, leaves.length)];
  return leaf && traceLeaf(unit, leaf);
}
