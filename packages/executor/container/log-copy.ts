import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import type { Container } from "dockerode";

import type { BoundedLog } from "../log.ts";
import { settles } from "../time-outs.ts";
import { statusOf } from "./engine.ts";
import { type FramePiece, framesOf } from "./stream.ts";

/** Milliseconds until a log is read again: at first, and at most while nothing new comes or reading fails. */
const [AGAIN_MS, RETRY_MS, LAST_MS] = [50, 500, 10_000];
/** Silence after which a log is read again, milliseconds: a connection that is cut without a word looks the same. */
const IDLE_MS = 240_000;
/** Milliseconds that the rest of the log gets after the unit's end, twice: for what is being read, and for a last look. */
const GRACE_MS = 5000;

/** A log that an engine keeps, and lets be followed. */
export interface LogSource {
  /**
   * Begins to read it.
   *
   * @param sinceSeconds From about when on, seconds since 1970.
   * @param last Its unit has ended: what comes now is all that there is.
   * @returns Entries, each of which begins with its time, whole or in pieces.
   */
  open(sinceSeconds: number, signal: AbortSignal, last: boolean): Promise<AsyncIterable<FramePiece>>;
  /** Whether an error says that the log is gone for good. */
  isGone(error: unknown): boolean;
}

/** The log of a container. */
export function containerLog(container: Pick<Container, "logs">): LogSource {
  return {
    open: async (since, abortSignal) => {
      const options = { follow: true, stdout: true, stderr: true, timestamps: true, since, abortSignal } as const;
      const stream = (await container.logs(options)) as unknown as AsyncIterable<Buffer> & Partial<Readable>;
      // It can fail before it is read.
      stream.on?.("error", () => undefined);
      return framesOf(stream);
    },
    isGone: (error) => statusOf(error) === 404,
  };
}

/**
 * Copies a unit's log into ours while it runs, and what is missing once it has ended.
 *
 * Following alone is not enough: an engine gives up a follower that its log's rotation has overtaken, and ends the stream
 * as if the log were complete; connections are cut, or stay silent. So each entry comes with its time, and the log is read
 * again from the last one that is here. What the engine itself has rotated away meanwhile is lost; the end never is.
 */
export class LogCopy {
  readonly #source: LogSource;
  readonly #log: Pick<BoundedLog, "append">;
  readonly #place: LogPlace;
  readonly #copying: Promise<void>;
  readonly #idleMs: number;
  #reading = new AbortController();
  #pausing = new AbortController();
  #ended = false;
  #stopped = false;

  /**
   * @param since From when on entries are not in our log yet, milliseconds since 1970; 0 from its beginning.
   * @param idleMs Silence after which the log is read again.
   */
  constructor(source: LogSource, log: Pick<BoundedLog, "append">, since: number, idleMs = IDLE_MS) {
    this.#source = source;
    this.#log = log;
    this.#place = new LogPlace(since);
    this.#idleMs = idleMs;
    this.#copying = this.#copy();
  }

  /** Copies the rest; to be called once the unit has ended. Takes ten seconds or so at most, and never rejects. */
  async finish(): Promise<void> {
    this.#ended = true;
    this.#pausing.abort();
    for (const _ of ["what is being read", "a last look"]) {
      const timer = setTimeout(() => this.#reading.abort(), GRACE_MS);
      const ended = await settles(this.#copying, GRACE_MS + RETRY_MS);
      clearTimeout(timer);
      if (ended) return;
    }
  }

  /** Gives up copying, though the unit goes on: its agent leaves. */
  stop(): void {
    this.#stopped = true;
    this.#pausing.abort();
    this.#reading.abort();
  }

  async #copy(): Promise<void> {
    let pause = AGAIN_MS;
    while (!this.#stopped) {
      // What begins to be read after the end is all that there is.
      const last = this.#ended;
      this.#reading = new AbortController();
      try {
        const some = await this.#read(this.#reading, last);
        if (last) return;
        pause = some ? AGAIN_MS : Math.min(LAST_MS, 2 * pause);
      } catch (error) {
        if (last || this.#source.isGone(error)) return;
        pause = Math.min(LAST_MS, Math.max(RETRY_MS, 2 * pause));
      }
      if (!this.#ended) await sleep(pause, undefined, { signal: this.#pausing.signal }).catch(() => undefined);
    }
  }

  /** @returns whether there was anything new. */
  async #read(reading: AbortController, last: boolean): Promise<boolean> {
    this.#place.startOver();
    let [isNew, some] = [true, false];
    const idle = setTimeout(() => reading.abort(), this.#idleMs);
    idle.unref();
    try {
      const pieces = await this.#source.open(this.#place.sinceSeconds, reading.signal, last);
      // Waiting for each piece holds back a program that writes faster than the disk.
      for await (const { first, bytes } of pieces) {
        idle.refresh();
        const { time, rest } = first ? splitTime(bytes) : { time: undefined, rest: bytes };
        if (time !== undefined) isNew = this.#place.advance(time);
        if (isNew) await this.#log.append(rest);
        some ||= isNew;
      }
      return some;
    } finally {
      clearTimeout(idle);
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
