import { setTimeout as sleep } from "node:timers/promises";

import type { Container } from "dockerode";

import type { BoundedLog } from "../log.ts";
import { statusOf } from "./engine.ts";
import { framesOf } from "./stream.ts";

/** Milliseconds until the log is read again: after a stream that has ended, and after one that failed. */
const [AGAIN_MS, RETRY_MS] = [50, 500];
/** Milliseconds that the rest of the log gets after the unit's end, twice: for what is being read, and for a last look. */
const GRACE_MS = 5000;

/**
 * Copies a container's log into ours while it runs, and what is missing once it has ended.
 *
 * Following alone is not enough: an engine gives up a follower that its log's rotation has overtaken, and ends the stream
 * as if the log were complete. So each entry comes with its time, and the log is read again from the last one that is
 * here. What the engine itself has rotated away meanwhile is lost; the end never is.
 */
export class LogCopy {
  readonly #container: Pick<Container, "logs">;
  readonly #log: Pick<BoundedLog, "append">;
  readonly #place: LogPlace;
  readonly #copying: Promise<void>;
  #reading = new AbortController();
  #ended = false;

  /** @param since From when on entries are not in our log yet, milliseconds since 1970; 0 from its beginning. */
  constructor(container: Pick<Container, "logs">, log: Pick<BoundedLog, "append">, since: number) {
    this.#container = container;
    this.#log = log;
    this.#place = new LogPlace(since);
    this.#copying = this.#copy();
  }

  /** Copies the rest; to be called once the container has ended. Takes ten seconds at most, and never rejects. */
  async finish(): Promise<void> {
    this.#ended = true;
    for (const _ of ["what is being read", "a last look"]) {
      const timer = setTimeout(() => this.#reading.abort(), GRACE_MS);
      await Promise.race([this.#copying, sleep(GRACE_MS + RETRY_MS, undefined, { ref: false })]);
      clearTimeout(timer);
    }
  }

  async #copy(): Promise<void> {
    for (;;) {
      // What begins to be read after the end is all that there is.
      const last = this.#ended;
      this.#reading = new AbortController();
      try {
        await this.#read(this.#reading.signal);
        if (last) return;
        await sleep(AGAIN_MS);
      } catch (error) {
        if (last || statusOf(error) === 404) return;
        if (!this.#ended) await sleep(RETRY_MS);
      }
    }
  }

  async #read(abortSignal: AbortSignal): Promise<void> {
    this.#place.startOver();
    const stream = (await this.#container.logs({
      follow: true,
      stdout: true,
      stderr: true,
      timestamps: true,
      since: this.#place.sinceSeconds,
      abortSignal,
    })) as unknown as AsyncIterable<Buffer>;
    let isNew = true;
    // Waiting for each piece holds back a program that writes faster than the disk.
    for await (const { first, bytes } of framesOf(stream)) {
      const { time, rest } = first ? splitTime(bytes) : { time: undefined, rest: bytes };
      if (time !== undefined) isNew = this.#place.advance(time);
      if (isNew) await this.#log.append(rest);
    }
  }
}

/**
 * How far a log has been copied. What comes after the last entry that is here is new, whatever its time: the parts of a long
 * line have the time of its first part, and may come after later entries of the other stream.
 */
export class LogPlace {
  /** Time of the last entry that is here, nanoseconds since 1970, and how many of that time. */
  #last: bigint;
  #copied = 0;
  /** Of those, how many have come by in this reading. */
  #seen = 0;
  #caughtUp = false;

  /** @param since Milliseconds since 1970. */
  constructor(since: number) {
    this.#last = BigInt(Math.floor(since)) * 1_000_000n;
  }

  /** From when on to read, seconds since 1970: not after the last entry that is here. */
  get sinceSeconds(): number {
    return Number(this.#last / 1_000_000n) / 1000;
  }

  startOver(): void {
    this.#seen = 0;
    this.#caughtUp = false;
  }

  /** The next entry of this reading has come. @returns whether it is not here yet. */
  advance(time: bigint): boolean {
    if (!this.#caughtUp) {
      if (time < this.#last) return false;
      if (time === this.#last && ++this.#seen <= this.#copied) return false;
      this.#caughtUp = true;
    }
    if (time > this.#last) [this.#last, this.#copied] = [time, 1];
    else if (time === this.#last) this.#copied += 1;
    return true;
  }
}

/** An entry's time, as Docker (UTC, nine digits) and Podman (an offset, up to nine) write it, off its beginning. */
export function splitTime(entry: Buffer): { time: bigint | undefined; rest: Buffer } {
  const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /;
  const found = pattern.exec(entry.subarray(0, 40).toString("latin1"));
  if (!found) return { time: undefined, rest: entry };
  const [whole, seconds = "", fraction = "", zone = "Z"] = found;
  const time = BigInt(Date.parse(seconds + zone)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  return { time, rest: entry.subarray(whole.length) };
}
