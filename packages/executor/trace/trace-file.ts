import { type FileHandle, open } from "node:fs/promises";

import { systemCode, writeDurably } from "@verai/system/durable";

/** Digest of a unit's state after so many steps. */
export interface TraceEntry {
  readonly step: number;
  /** SHA-256 of the state's CID (dag-pb): 0x and 64 hexadecimal digits. */
  readonly digest: string;
}

/** Entries that are kept of one unit; with more, the oldest go. */
const MAX_TRACE_ENTRIES = 65_536;

/** Bytes that surely hold a whole line and a half written one. */
const TAIL_BYTES = 256;
const LINE = /^(\d{1,9}) (0x[0-9a-f]{64})$/;

/**
 * The digests of a unit's local checkpoints, on disk, by growing step. Each entry is durable once {@link add} has returned; a
 * line that was half written when the process ended is dropped.
 */
export class TraceFile {
  readonly path: string;
  readonly #max: number;
  #entries: TraceEntry[];
  #file: FileHandle | undefined;

  private constructor(path: string, entries: TraceEntry[], max: number) {
    this.path = path;
    this.#entries = entries;
    this.#max = max;
  }

  /** Opens a trace; one that is missing is empty. O(entries). @param max Entries that are kept. */
  static async open(path: string, max = MAX_TRACE_ENTRIES): Promise<TraceFile> {
    const { entries, whole } = await read(path);
    const trace = new TraceFile(path, entries, max);
    if (!whole) await trace.#rewrite();
    return trace;
  }

  /** By growing step. */
  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  /** Step of the newest entry; -1 if there is none. */
  get newest(): number {
    return this.#entries.at(-1)?.step ?? -1;
  }

  /**
   * Appends an entry, durably. One that is not newer than the newest is passed over: a program that begins again from an older
   * checkpoint comes to the same state. O(1), and O(entries) each time half of the most have been added beyond it.
   *
   * @returns Whether it was appended.
   */
  async add({ step, digest }: TraceEntry): Promise<boolean> {
    if (step <= this.newest) return false;
    this.#entries.push({ step, digest });
    if (this.#entries.length > 1.5 * this.#max) {
      this.#entries = this.#entries.slice(-this.#max);
      await this.#rewrite();
      return true;
    }
    this.#file ??= await open(this.path, "a", 0o600);
    await this.#file.writeFile(lineOf({ step, digest }));
    await this.#file.datasync();
    return true;
  }

  /** Drops what is older than a step. O(entries). */
  async dropBefore(step: number): Promise<void> {
    const kept = this.#entries.filter((entry) => entry.step >= step);
    if (kept.length === this.#entries.length) return;
    this.#entries = kept;
    await this.#rewrite();
  }

  /** Closes its file; the next {@link add} opens it again. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #rewrite(): Promise<void> {
    await this.close();
    await writeDurably(this.path, this.#entries.map(lineOf).join(""));
  }
}

/** What a trace file has. A missing one has nothing. O(entries). */
export async function readTrace(path: string): Promise<readonly TraceEntry[]> {
  return (await read(path)).entries;
}

/** Step of the newest entry of a trace file; undefined if there is no file, -1 if it has no whole entry. O(1). */
export async function newestTraced(path: string): Promise<number | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length);
    // Without what follows the last end of a line: it may be half written.
    const lines = tail.toString("latin1", 0, bytesRead).split("\n").slice(0, -1);
    return Number(LINE.exec(lines.at(-1) ?? "")?.[1] ?? -1);
  } finally {
    await file.close();
  }
}

/** @returns The entries up to the first line that is none, and whether that was all. */
async function read(path: string): Promise<{ entries: TraceEntry[]; whole: boolean }> {
  const entries: TraceEntry[] = [];
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { entries, whole: true };
    throw error;
  }
  try {
    const text = await file.readFile("latin1");
    for (const line of text.split("\n").slice(0, -1)) {
      const match = LINE.exec(line);
      const step = Number(match?.[1]);
      if (!match || step <= (entries.at(-1)?.step ?? -1)) return { entries, whole: false };
      entries.push({ step, digest: match[2] ?? "" });
    }
    return { entries, whole: text === "" || text.endsWith("\n") };
  } finally {
    await file.close();
  }
}

function lineOf({ step, digest }: TraceEntry): string {
  return `${String(step)} ${digest}\n`;
}
