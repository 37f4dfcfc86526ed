import { createHash } from "node:crypto";

import { Transaction } from "ethers";
import { z } from "zod";

import { writeDurably } from "@verai/system/durable";
import { readBounded, setAside } from "@verai/system/state-file";
import { ChainError } from "../errors.ts";
import type { Spending } from "./budget.ts";

/** Bytes that a journal may have. */
const MAX_BYTES = 2 ** 26;
/** The opener says what became of the damaged one. */
const TOLD_BY_THE_CALLER = { error: () => undefined };

const wei = z.string().regex(/^\d{1,40}$/);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);

const SENT = z.strictObject({
  hash,
  maxFeePerGas: wei,
  maxPriorityFeePerGas: wei,
  /** It does nothing but use up the nonce. */
  cancels: z.boolean(),
  /** What this one is for; left out: what the entry is for. */
  label: z.string().optional(),
  /** The maximum that its gas can cost, wei. */
  most: wei.optional(),
  /** The signed transaction, to be sent again if nodes have lost it. */
  raw: z
    .string()
    .regex(/^0x[0-9a-f]+$/)
    .optional(),
});

const ENTRY = z.strictObject({
  nonce: z.number().int().nonnegative(),
  /** What the transaction is for. */
  label: z.string(),
  /** Every transaction that was signed with this nonce, oldest first. */
  sent: z.array(SENT),
  /** Newest block when the first of them was signed. */
  since: z.number().int().nonnegative().optional(),
  /** Which of them was mined, in a block that may still be replaced. */
  mined: z.strictObject({ hash, block: z.number().int().nonnegative() }).optional(),
  /** It was reported as mined and is no longer: it is sent again, not taken back. */
  promised: z.boolean().optional(),
});

const SPENT = z.strictObject({ at: z.number().int().nonnegative(), wei });

const FILE = z.strictObject({
  version: z.literal(2).optional(),
  chainId: z.number().int(),
  address: z.string(),
  entries: z.array(z.unknown()),
  /** What was spent within the last hour; `at` in milliseconds since 1970, as it outlives the process. */
  spent: z.array(z.unknown()).optional(),
  /** SHA-256 of the rest. */
  checksum: z.string().optional(),
});

/** A signed transaction of a nonce. */
export type SentTransaction = z.output<typeof SENT>;

/** A nonce that was signed for and is not yet used at a safe block. */
export type JournalEntry = z.output<typeof ENTRY>;

/** Whose transactions a journal holds. */
export interface JournalOwner {
  readonly chainId: number;
  readonly address: string;
}

/** Signed transactions above this size are not kept once they are mined, characters. */
const MAX_KEPT_RAW = 8192;

/**
 * Remembers every transaction that one signer has signed until its nonce is used at a safe block, so that the next run
 * of the program takes them over. It holds nonces, hashes, fees and the signed transactions themselves, never a key.
 *
 * Written durably before a transaction is sent. Without a file it lasts as long as the process.
 */
export class Journal {
  readonly #file: string | undefined;
  readonly #owner: JournalOwner;
  #entries: JournalEntry[];
  /** What an earlier run spent within the last hour. */
  readonly spentBefore: readonly Spending[];
  /** What was wrong with the file, in one sentence; undefined if nothing was. */
  readonly damage: string | undefined;
  /** Asked for with each write. */
  spendings: () => readonly Spending[] = () => [];

  private constructor(
    file: string | undefined,
    owner: JournalOwner,
    read: { entries?: JournalEntry[]; spent?: Spending[]; damage?: string | undefined } = {},
  ) {
    this.#file = file;
    this.#owner = owner;
    this.#entries = read.entries ?? [];
    this.spentBefore = read.spent ?? [];
    this.damage = read.damage;
  }

  /**
   * Opens a journal. A damaged file is set aside as `*.bad`; entries that can still be read are kept.
   *
   * @throws {@link ChainError} `JOURNAL_INVALID` if the file cannot be read at all or is another signer's.
   */
  static async open(file: string | undefined, owner: JournalOwner): Promise<Journal> {
    if (file === undefined) return new Journal(file, owner);
    let text: string | undefined;
    try {
      text = (await readBounded(file, MAX_BYTES))?.toString("utf8");
    } catch (cause) {
      throw invalid(file, "it cannot be read", cause);
    }
    if (text === undefined) return new Journal(file, owner);
    const read = parse(text);
    if (read.owner && (read.owner.chainId !== owner.chainId || read.owner.address !== owner.address)) {
      throw invalid(file, `it belongs to ${read.owner.address} on chain ${String(read.owner.chainId)}`);
    }
    if (read.damage === undefined) return new Journal(file, owner, read);
    let aside: string;
    try {
      aside = await setAside(file, "The journal of transactions", read.damage, TOLD_BY_THE_CALLER);
    } catch (cause) {
      throw invalid(file, `it is damaged (${read.damage}) and cannot be set aside`, cause);
    }
    const kept = `${String(read.entries.length)} of its entries are kept`;
    const damage = `The journal of transactions ${file} was damaged (${read.damage}); it is set aside as ${aside}, and ${kept}.`;
    const journal = new Journal(file, owner, { ...read, damage });
    await journal.#save(journal.#entries);
    return journal;
  }

  /** Nonces that are not yet used at a safe block, ascending. */
  entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** The entry of a nonce. */
  get(nonce: number): JournalEntry | undefined {
    return this.#entries.find((entry) => entry.nonce === nonce);
  }

  /**
   * Adds or replaces the entry of a nonce; on disk when it returns.
   *
   * @throws {@link ChainError} `JOURNAL_FAILED`, and the journal stays as it was.
   */
  async put(entry: JournalEntry): Promise<void> {
    const others = this.#entries.filter(({ nonce }) => nonce !== entry.nonce);
    await this.#save([...others, entry].sort((a, b) => a.nonce - b.nonce));
  }

  /** Notes that a transaction was mined; in memory even if the file cannot be written. */
  async setMined(nonce: number, mined: { readonly hash: string; readonly block: number }): Promise<void> {
    const entry = this.get(nonce);
    if (!entry) return;
    const sent = entry.sent.map(({ raw, ...rest }) =>
      raw !== undefined && raw.length <= MAX_KEPT_RAW ? { ...rest, raw } : rest,
    );
    const marked = { ...entry, sent, mined };
    this.#entries = this.#entries.map((each) => (each === entry ? marked : each));
    await this.#save(this.#entries);
  }

  /** Forgets nonces that are used at a safe block; in memory even if the file cannot be written. */
  async remove(...nonces: readonly number[]): Promise<void> {
    const left = this.#entries.filter(({ nonce }) => !nonces.includes(nonce));
    if (left.length === this.#entries.length) return;
    this.#entries = left;
    await this.#save(left);
  }

  async #save(entries: JournalEntry[]): Promise<void> {
    if (this.#file !== undefined) {
      const now = Date.now();
      const spent = this.spendings().map(({ ageMs, wei }) => ({
        at: Math.max(0, Math.round(now - ageMs)),
        wei: String(wei),
      }));
      const content = { version: 2, ...this.#owner, entries, spent };
      const text = JSON.stringify({ ...content, checksum: checksumOf(content) }, undefined, 2);
      try {
        await writeDurably(this.#file, `${text}\n`);
      } catch (cause) {
        throw new ChainError(
          "JOURNAL_FAILED",
          true,
          `The journal of transactions ${this.#file} cannot be written (${String(cause)}); check its disk and permissions.`,
          { cause },
        );
      }
    }
    this.#entries = entries;
  }
}

/** What a journal's text holds; `damage` says what is wrong with it. */
function parse(text: string): {
  owner?: JournalOwner;
  entries: JournalEntry[];
  spent: Spending[];
  damage?: string;
} {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { entries: [], spent: [], damage: "it is not valid JSON" };
  }
  const file = FILE.safeParse(json);
  if (!file.success) return { entries: [], spent: [], damage: z.prettifyError(file.error).replaceAll(/\s+/g, " ") };
  const { chainId, address, checksum, ...rest } = file.data;
  const entries = file.data.entries.map((entry) => ENTRY.safeParse(entry));
  const spent = (file.data.spent ?? []).map((one) => SPENT.safeParse(one));
  const broken = [...entries, ...spent].filter(({ success }) => !success).length;
  const { version, entries: raw, spent: rawSpent } = rest;
  const expected = checksumOf({ version, chainId, address, entries: raw, spent: rawSpent });
  // Files of before there were checksums have none.
  const altered = (version !== undefined || checksum !== undefined) && checksum !== expected;
  const damage =
    broken > 0 ? `${String(broken)} entries are malformed` : altered ? "its checksum is another" : undefined;
  const now = Date.now();
  return {
    owner: { chainId, address },
    entries: unique(
      entries
        .flatMap(({ data }) => data ?? [])
        .map((entry) => (damage === undefined ? entry : vouched(entry, address))),
    ),
    spent: spent.flatMap(({ data }) => (data ? [{ ageMs: Math.max(0, now - data.at), wei: BigInt(data.wei) }] : [])),
    ...(damage !== undefined && { damage }),
  };
}

/** What of an entry is proven by the transactions that it holds. */
function vouched(entry: JournalEntry, address: string): JournalEntry {
  return { ...entry, sent: entry.sent.filter((sent) => isGenuine(sent, entry.nonce, address)) };
}

function isGenuine({ raw, hash: stated }: SentTransaction, nonce: number, address: string): boolean {
  if (raw === undefined) return false;
  try {
    const signed = Transaction.from(raw);
    return signed.hash === stated && signed.nonce === nonce && signed.from === address;
  } catch {
    return false;
  }
}

/** One entry a nonce, ascending; those without any transaction are left out. */
function unique(entries: readonly JournalEntry[]): JournalEntry[] {
  const byNonce = new Map(entries.filter(({ sent }) => sent.length > 0).map((entry) => [entry.nonce, entry]));
  return [...byNonce.values()].sort((a, b) => a.nonce - b.nonce);
}

function checksumOf(content: object): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function invalid(file: string, why: string, cause?: unknown): ChainError {
  return new ChainError(
    "JOURNAL_INVALID",
    false,
    `The journal of transactions ${file} cannot be used: ${why}. Name another file for this signer, or move this one away: ` +
      `what is still in flight is then waited for.`,
    { cause },
  );
}
