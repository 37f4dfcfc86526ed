import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { z } from "zod";

import { ChainError } from "../errors.ts";

const wei = z.string().regex(/^\d+$/);

const ENTRY = z.strictObject({
  nonce: z.number().int().nonnegative(),
  /** What the transaction is for. */
  label: z.string(),
  /** Every transaction that was signed with this nonce, oldest first. */
  sent: z.array(
    z.strictObject({
      hash: z.string().regex(/^0x[0-9a-f]{64}$/),
      maxFeePerGas: wei,
      maxPriorityFeePerGas: wei,
      /** It does nothing but use up the nonce. */
      cancels: z.boolean(),
    }),
  ),
});

const FILE = z.strictObject({ chainId: z.number().int(), address: z.string(), entries: z.array(ENTRY) });

/** A nonce in flight. */
export type JournalEntry = z.output<typeof ENTRY>;

/** Whose transactions a journal holds. */
export interface JournalOwner {
  readonly chainId: number;
  readonly address: string;
}

/**
 * Remembers which transactions of one signer are in flight, so that the next run of the program takes them over. It
 * holds nonces, hashes and fees, never a key nor a signed transaction.
 *
 * Written before a transaction is sent, by atomic rename. Without a file it lasts as long as the process.
 */
export class Journal {
  readonly #file: string | undefined;
  readonly #owner: JournalOwner;
  #entries: JournalEntry[];

  private constructor(file: string | undefined, owner: JournalOwner, entries: JournalEntry[]) {
    this.#file = file;
    this.#owner = owner;
    this.#entries = entries;
  }

  /** @throws {@link ChainError} `JOURNAL_INVALID` if the file is damaged or another signer's. */
  static async open(file: string | undefined, owner: JournalOwner): Promise<Journal> {
    if (file === undefined) return new Journal(file, owner, []);
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Journal(file, owner, []);
      throw invalid(file, "it cannot be read", cause);
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw invalid(file, "it is not valid JSON", cause);
    }
    const parsed = FILE.safeParse(json);
    if (!parsed.success) throw invalid(file, z.prettifyError(parsed.error), parsed.error);
    const { chainId, address, entries } = parsed.data;
    if (chainId !== owner.chainId || address !== owner.address) {
      throw invalid(file, `it belongs to ${address} on chain ${String(chainId)}`);
    }
    return new Journal(file, owner, entries);
  }

  /** Nonces in flight, ascending. */
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

  /** Forgets a nonce, which is settled; in memory even if the file cannot be written. */
  async remove(nonce: number): Promise<void> {
    if (!this.get(nonce)) return;
    this.#entries = this.#entries.filter((entry) => entry.nonce !== nonce);
    await this.#save(this.#entries);
  }

  async #save(entries: JournalEntry[]): Promise<void> {
    if (this.#file !== undefined) {
      try {
        await writeAtomically(this.#file, JSON.stringify({ ...this.#owner, entries }, undefined, 2));
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

async function writeAtomically(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${String(process.pid)}.tmp`;
  try {
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
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
