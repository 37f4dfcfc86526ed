import { createHash } from "node:crypto";
import { join } from "node:path";

import { z } from "zod";

import { ChainError } from "@verai/client/errors";
import { writeDurably } from "@verai/system/durable";
import { readBounded, setAside } from "@verai/system/state-file";

/** Bytes that a record may have. */
const MAX_BYTES = 2 ** 20;
/** The opener says what became of the damaged one. */
const TOLD_BY_THE_CALLER = { error: () => undefined };

/** What makes two submissions the same one. */
export interface SubmissionIdentity {
  readonly chainId: number;
  /** Hash of the chain's first block where chains come and go under one id, as on the local one; else empty. */
  readonly genesis: string;
  /** Address of the registry of tasks. */
  readonly registry: string;
  /** Who pays. */
  readonly owner: string;
  /** Digest of the spec. */
  readonly spec: string;
  /** The terms as they were given. */
  readonly terms: object;
  /** Tells apart what is submitted more than once on purpose. */
  readonly name: string;
}

/** A transaction that was signed to submit the task; `block`: the newest one then. */
const SIGNED = z.strictObject({
  nonce: z.number().int().nonnegative(),
  hash: z.string().regex(/^0x[0-9a-f]{64}$/),
  block: z.number().int().nonnegative().optional(),
});

const RECORD = z.strictObject({
  version: z.literal(1),
  identity: z.string(),
  signed: z.array(SIGNED),
  taskId: z.number().int().positive().optional(),
});

/** A transaction that was signed to submit the task. */
export type SignedSubmission = z.output<typeof SIGNED>;

/**
 * Remembers that a task was submitted, from before its transaction is sent: a program that is killed at any line and run again
 * learns what became of it, and does not pay for a second one. One small file for each submission.
 */
export class Submission {
  readonly #file: string;
  readonly #identity: string;
  #signed: readonly SignedSubmission[];
  #taskId: number | undefined;
  /** The record was damaged, so that only the chain can tell; undefined if it was not. */
  readonly damage: string | undefined;

  private constructor(file: string, identity: string, read: Partial<z.output<typeof RECORD>>, damage?: string) {
    this.#file = file;
    this.#identity = identity;
    this.#signed = read.signed ?? [];
    this.#taskId = read.taskId;
    this.damage = damage;
  }

  /**
   * Opens the record of a submission; a damaged one is set aside as `*.bad`.
   *
   * @throws {@link ChainError} `SUBMISSION_UNREADABLE`: without the record nothing may be paid for.
   */
  static async open(directory: string, identity: SubmissionIdentity): Promise<Submission> {
    const text = stable(identity);
    const digest = createHash("sha256").update(text).digest("hex");
    const file = join(directory, `${digest.slice(0, 32)}.json`);
    try {
      const found = (await readBounded(file, MAX_BYTES))?.toString("utf8");
      if (found === undefined) return new Submission(file, digest, {});
      const parsed = RECORD.safeParse(parseJson(found));
      if (parsed.success && parsed.data.identity === digest) return new Submission(file, digest, parsed.data);
      return new Submission(file, digest, {}, await setAside(file, "The record", "it is damaged", TOLD_BY_THE_CALLER));
    } catch (cause) {
      throw new ChainError(
        "SUBMISSION_UNREADABLE",
        false,
        `The record of this submission ${file} cannot be read (${String(cause)}), so it is not known whether it is paid for; check its disk and permissions.`,
        { cause },
      );
    }
  }

  /** The task that came of it; undefined if none is known. */
  get taskId(): number | undefined {
    return this.#taskId;
  }

  /** Every transaction that was signed for it, oldest first. */
  get signed(): readonly SignedSubmission[] {
    return this.#signed;
  }

  /** Notes a transaction; on disk when it returns, and only then may it be sent. */
  async note(signed: SignedSubmission): Promise<void> {
    this.#signed = [...this.#signed, signed];
    await this.#save();
  }

  /** Notes the task that came of it. */
  async done(taskId: number): Promise<void> {
    this.#taskId = taskId;
    await this.#save();
  }

  async #save(): Promise<void> {
    const record = {
      version: 1,
      identity: this.#identity,
      signed: this.#signed,
      ...(this.#taskId !== undefined && { taskId: this.#taskId }),
    };
    await writeDurably(this.#file, `${JSON.stringify(record, undefined, 2)}\n`);
  }
}

/** JSON with the names of all objects in order, so that equal things have equal texts. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
