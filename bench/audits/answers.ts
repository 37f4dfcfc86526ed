import { answerTo, freshLeaf } from "@verai/agent/audit/answer";
import { PANEL_QUESTION, probeAt, unitAt } from "@verai/protocol/audits/draws";
import { keccak } from "@verai/protocol/audits/bytes";
import { ANSWER_UNAVAILABLE, NO_HEAD } from "@verai/protocol/audits/segments";
import { openTrace, type ProvedOpening, traceAnswer, traceLeaf } from "@verai/protocol/audits/trace";
import { traceOf } from "./cheats.ts";
import type { Posted } from "./parties.ts";
import { dataOf, leafOf, PROGRAM, segmentFrom } from "./program.ts";

/** What a node says of a segment. */
export interface Said {
  readonly answer: string;
  /** The leaf that a panel's round asks for; zero elsewhere. */
  readonly fresh: string;
}

/** What the producer opens for a question. */
export function openingOf({ run, units }: Posted, salt: string, question: number): ProvedOpening {
  const traces = traceOf(run.start, units);
  const place = unitAt(salt, traces.length);
  return openTrace(traces, place, probeAt(salt, question, traces[place]?.leaves.length ?? 1));
}

/**
 * What an honest node says of a segment: it runs the drawn unit again from the state before, and answers with the agent's own code.
 *
 * @param question - The verifier's; a panel also answers it, as far as it was opened.
 * @param round - Of the panel; undefined for the single verifier.
 */
export function honestly(posted: Posted, salt: string, question: number, round?: number): Said {
  const { run, before, units } = posted;
  const place = unitAt(salt, units.length);
  const unit = run.start + place;
  const from = before[place];
  if (!from) throw new RangeError(`The segment has no unit ${String(place)}.`);
  const steps = (units[place]?.states.length ?? 0) * PROGRAM.leafEvery;
  const leaves = segmentFrom(from, dataOf(run.taskId, unit), steps).map(leafOf);
  const end = units[place]?.states.at(-1);
  const same = end !== undefined && leaves.at(-1)?.digest === leafOf(end).digest;
  const examination = same
    ? ({ kind: "verified", units: units.length, place, unit, leaves, cpuSeconds: 0 } as const)
    : ({ kind: "unusable", why: "the state is another one than the program comes to" } as const);
  const fresh = round === undefined ? undefined : freshLeaf(examination, salt, PANEL_QUESTION + round);
  return { answer: answerTo(examination, salt, question) ?? NO_HEAD, fresh: fresh ?? NO_HEAD };
}

/** What a node says that has got everything from the producer, work or not. */
export function withProducer(posted: Posted, salt: string, question: number, round?: number): Said {
  const answer = traceAnswer(openingOf(posted, salt, question));
  if (round === undefined) return { answer, fresh: NO_HEAD };
  const { unit, probe } = openingOf(posted, salt, PANEL_QUESTION + round);
  return { answer, fresh: traceLeaf(unit, probe) };
}

/** What colluding nodes agree on against an honest producer: another state, or that its states are not to be had. */
export function againstProducer({ segment: { leaseId, end } }: Posted, round?: number): Said {
  if ((leaseId + end.sequence) % 2 === 0) return { answer: ANSWER_UNAVAILABLE, fresh: NO_HEAD };
  const answer = keccak(NO_HEAD, [leaseId, 4], [end.sequence, 4]);
  return { answer, fresh: round === undefined ? NO_HEAD : keccak(answer, [round, 1]) };
}

/** What a verifier says that does not run anything: all that is public, with the posted state for the one that it would have to know. */
export function lazily(posted: Posted, salt: string, question: number): Said {
  const opening = openingOf(posted, salt, question);
  return {
    answer: traceAnswer({ ...opening, probe: { ...opening.probe, digest: opening.end.digest } }),
    fresh: NO_HEAD,
  };
}
