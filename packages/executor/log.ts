import { type FileHandle, open, rename, stat } from "node:fs/promises";

import { isSystemError } from "./errors.ts";

/**
 * A log file that never outgrows its bound: at half of it the file is moved to `<path>.1`, replacing the one before, and
 * begun again. Kept across attempts. A disk that is full loses lines, never the workload.
 */
export class BoundedLog {
  readonly #path: string;
  readonly #half: number;
  #file: FileHandle | undefined;
  #size = 0;
  #queue: Promise<void> = Promise.resolve();
  #lost = 0;

  private constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#half = Math.max(1, Math.floor(maxBytes / 2));
  }

  /** @param maxBytes Bound on the file and its predecessor together. */
  static async open(path: string, maxBytes: number): Promise<BoundedLog> {
    const log = new BoundedLog(path, maxBytes);
    await log.#open();
    return log;
  }

  /** Bytes that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  /** Appends; resolves when written (or lost). Calls are written in their order. */
  append(chunk: Uint8Array | string): Promise<void> {
    const bytes = Buffer.from(chunk);
    this.#queue = this.#queue.then(async () => {
      for (let at = 0; at < bytes.length; at += this.#half) {
        const part = bytes.subarray(at, at + this.#half);
        try {
          if (this.#size + part.length > this.#half) await this.#rotate();
          await this.#file?.appendFile(part);
          this.#size += part.length;
        } catch {
          this.#lost += part.length;
        }
      }
    });
    return this.#queue;
  }

  async close(): Promise<void> {
    await this.#queue;
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  async #open(): Promise<void> {
    this.#file = await open(this.#path, "a", 0o600);
    this.#size = (await this.#file.stat()).size;
  }

  async #rotate(): Promise<void> {
    const full = this.#file;
    await rename(this.#path, `${this.#path}.1`);
    await this.#open();
    await full?.close();
  }
}

/** The end of a {@link BoundedLog}, also while it is written; empty if there is none. */
export async function logTail(path: string, maxBytes: number): Promise<string> {
  const current = await endOf(path, maxBytes);
  const before = current.length < maxBytes ? await endOf(`${path}.1`, maxBytes - current.length) : Buffer.alloc(0);
  return Buffer.concat([before, current]).toString("utf8");
}

async function endOf(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    const file = await open(path, "r");
    try {
      const length = Math.min(size, maxBytes);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
}
