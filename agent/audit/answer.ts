import { ZERO_WORD } from "@verai/protocol/audits/bytes";
import { probeAt } from "@verai/protocol/audits/draws";
import { ANSWER_UNAVAILABLE, ANSWER_UNUSABLE } from "@verai/protocol/audits/segments";
import { openOwn, type ProvedOpening, traceAnswer, traceLeaf } from "@verai/protocol/audits/trace";
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

/**
 * What shows at once that a segment is right: the opening that its producer would make, by who has run it again. Undefined where what was
 * found is not what was posted, or the hashes of the segment's other units are not known. Pure.
 *
 * @param root The trace root that was posted.
 */
export function openingTo(
  examination: Examination,
  salt: string,
  question: number,
  root: string,
): ProvedOpening | undefined {
  if (examination.kind !== "verified" || examination.leaves.length === 0) return undefined;
  const { units, place, unit, leaves, hashes } = examination;
  const all = Array.from({ length: units }, (_, i) => hashes?.[i] ?? ZERO_WORD);
  return openOwn({ unit, leaves }, place, probeAt(salt, question, leaves.length), all, root);
}

/** The leaf that a member of a panel shows beside its answer: that of a question which nobody has opened. Pure. */
export function freshLeaf(examination: Examination, salt: string, question: number): string | undefined {
  if (examination.kind !== "verified") return undefined;
  const { unit, leaves } = examination;
  const leaf = leaves[probeAt(salt, question, leaves.length)];
  return leaf && traceLeaf(unit, leaf);
}
