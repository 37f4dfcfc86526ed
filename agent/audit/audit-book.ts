import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import type { OpenedAudit, SegmentId } from "@verai/client/audit-reads";
import { loadState, saveState, type StateKind, type StateLog } from "@verai/system/state-file";
import type { Examination } from "./examine.ts";

const natural = z.number().int().nonnegative();
const word = z.string().regex(/^0x[0-9a-f]{64}$/);

const link = z.object({
  sequence: natural,
  digest: word,
  traceRoot: word,
  progress: natural,
  at: natural,
  codec: natural,
  size: z.string().regex(/^\d{1,20}$/),
});

const DUTY = {
  what: "record of an audit",
  version: 1,
  schema: z.object({
    leaseId: natural,
    sequence: natural,
    epochId: natural,
    salt: word,
    before: link,
    end: link,
    /** Whether the segment is this node's own. */
    isProducer: z.boolean(),
    /** Block at which it was first seen, and chain time then, seconds. */
    block: natural,
    seenAt: natural,
    /** What this node has committed to or is about to, by salt and question: another chain draws another salt. */
    answers: z.record(z.string(), z.object({ answer: word, fresh: word, vouched: z.boolean(), salt: word })),
  }),
} satisfies StateKind<z.ZodType>;

const EXAMINED = {
  what: "outcome of an audit's examination",
  version: 1,
  maxBytes: 256 * 2 ** 20,
  schema: z.object({
    salt: word,
    vouched: z.boolean(),
    outcome: z.discriminatedUnion("kind", [
      z.object({
        kind: z.literal("verified"),
        units: natural,
        place: natural,
        unit: natural,
        leaves: z.array(z.object({ step: natural, digest: word })),
        hashes: z.array(word).optional(),
        cpuSeconds: z.number(),
      }),
      z.object({ kind: z.enum(["unavailable", "unusable", "failed"]), why: z.string() }),
    ]),
  }),
} satisfies StateKind<z.ZodType>;

const CURSOR = {
  what: "cursor of this node's audits",
  version: 1,
  schema: z.object({ nodeId: natural, chainId: natural, block: natural }),
} satisfies StateKind<z.ZodType>;

/** An audit in which this node has a part. */
export type Duty = Readonly<z.output<(typeof DUTY)["schema"]>>;

/** What a node answers to a question. */
export type GivenAnswer = Duty["answers"][string];

/** What came of an examination. */
export interface Examined {
  readonly vouched: boolean;
  readonly outcome: Examination;
}

/**
 * What a node has to remember of audits, on disk: whose segments it looks at, what it found, and above all what hides the answers that
 * it has committed to. That is durable before the commitment is sent: who cannot reveal loses a bond.
 */
export class AuditBook {
  readonly #directory: string;
  readonly #log: StateLog | undefined;
  #duties: Map<string, Duty> | undefined;

  constructor(directory: string, log?: StateLog) {
    this.#directory = directory;
    this.#log = log;
  }

  /** All audits that are remembered. O(audits), from memory after the first call. */
  async duties(): Promise<readonly Duty[]> {
    return [...(await this.#load()).values()];
  }

  /** Remembers an audit; one that is known keeps its answers. */
  async note(opened: OpenedAudit, isProducer: boolean, seen: { readonly number: number; readonly timestamp: number }) {
    const known = (await this.#load()).get(nameOf(opened));
    const isSame = known?.salt === opened.salt && known.end.digest === opened.end.digest;
    if (isSame) return;
    const at = { block: seen.number, seenAt: seen.timestamp };
    await this.#save({ ...opened, isProducer, ...at, answers: known?.answers ?? {} });
  }

  /**
   * What this node answers to a question: what it answered before, or this with a new salt, written down durably.
   */
  async answer(duty: Duty, question: number, given: Omit<GivenAnswer, "salt">): Promise<GivenAnswer> {
    const now = (await this.#load()).get(nameOf(duty)) ?? duty;
    const known = answerIn(now, question);
    if (known) return known;
    const answer = { ...given, salt: `0x${randomBytes(32).toString("hex")}` };
    await this.#save({ ...now, answers: { ...now.answers, [keyOf(duty.salt, question)]: answer } });
    return answer;
  }

  /** What came of the examination; undefined if there was none yet. */
  async examined(duty: Duty): Promise<Examined | undefined> {
    const kept = await loadState(join(this.#directory, `${nameOf(duty)}.examined.json`), EXAMINED, this.#log);
    return kept?.salt === duty.salt ? kept : undefined;
  }

  /** Keeps what came of the examination. */
  async keepExamined(duty: Duty, { vouched, outcome }: Examined): Promise<void> {
    const kept =
      outcome.kind === "verified"
        ? { ...outcome, leaves: [...outcome.leaves], hashes: outcome.hashes && [...outcome.hashes] }
        : outcome;
    const file = join(this.#directory, `${nameOf(duty)}.examined.json`);
    await saveState(file, EXAMINED, { salt: duty.salt, vouched, outcome: kept });
  }

  /** Forgets an audit that is over. */
  async forget(id: SegmentId): Promise<void> {
    (await this.#load()).delete(nameOf(id));
    for (const kind of ["json", "examined.json"]) {
      await rm(join(this.#directory, `${nameOf(id)}.${kind}`), { force: true });
    }
  }

  /** Block up to which the chain's events were looked at; undefined: none, or those of another chain. */
  async cursor(nodeId: number, chainId: number): Promise<number | undefined> {
    const state = await loadState(join(this.#directory, "cursor.json"), CURSOR, this.#log);
    return state?.nodeId === nodeId && state.chainId === chainId ? state.block : undefined;
  }

  /** Notes the block up to which they were. */
  async moveCursor(nodeId: number, chainId: number, block: number): Promise<void> {
    await saveState(join(this.#directory, "cursor.json"), CURSOR, { nodeId, chainId, block });
  }

  async #save(duty: Duty): Promise<void> {
    await saveState(join(this.#directory, `${nameOf(duty)}.json`), DUTY, duty);
    (await this.#load()).set(nameOf(duty), duty);
  }

  async #load(): Promise<Map<string, Duty>> {
    if (this.#duties) return this.#duties;
    const duties = new Map<string, Duty>();
    for (const name of await readdir(this.#directory).catch(() => [])) {
      if (!/^\d+-\d+\.json$/.test(name)) continue;
      const duty = await loadState(join(this.#directory, name), DUTY, this.#log);
      if (duty) duties.set(nameOf(duty), duty);
    }
    return (this.#duties ??= duties);
  }
}

/** What a node answered to a question; undefined if it has not. */
export function answerIn({ salt, answers }: Duty, question: number): GivenAnswer | undefined {
  return answers[keyOf(salt, question)];
}

function keyOf(salt: string, question: number): string {
  return `${salt} ${String(question)}`;
}

/** Name of an audit's files. */
export function nameOf({ leaseId, sequence }: SegmentId): string {
  return `${String(leaseId)}-${String(sequence)}`;
}
