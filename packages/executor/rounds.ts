/**
 * How the units of one task agree on the rounds in which they train one model, for programs.
 *
 * In each round every unit trains from the same state, and contributes what it has changed. Unit 0 writes the round's record:
 * who took part, and the state that they all began from, each by the SHA-256 of its file. All units average exactly the files
 * that the record names, in its order, and so have the same state after it, to the bit. The chain says who runs unit 0: there
 * is one lease of it, and records under a later fence win.
 *
 * A unit that was away takes the newest record, the state that it names, and its files, and has the state of all others.
 * Whatever it reads is held against its SHA-256, so it does not matter from whom it came.
 */
import { createHash } from "node:crypto";
import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { writeFileAtomically } from "./checkpoints.ts";
import type { UnitEnvironment } from "./environment.ts";
import { isSystemError, WorkloadError } from "./errors.ts";
import {
  EXCHANGE_READY,
  type ExchangeKind,
  exchangeName,
  parseExchangeName,
  parseHeldName,
  wantName,
} from "./exchange.ts";

/** Pause between two looks at what has arrived, milliseconds. */
const POLL_MS = 100;
/** Longest wait until the agent has asked the other units, milliseconds. */
const READY_MS = 120_000;
/** Longest wait for a file that a record names before a newer record is looked for, milliseconds. */
const FILE_MS = 60_000;
/** Bytes of the base's SHA-256 at the beginning of a contribution. */
const BASE_BYTES = 32;
const MAX_RECORD_BYTES = 64 * 1024;
/** Files of so many rounds stay in `out/`; states of one more than can be asked for. */
const KEPT_ROUNDS = 4;

/** Who took part in a round. */
export interface RoundRecord {
  /** The first round is 1. */
  readonly round: number;
  /** SHA-256 of the state that all members began the round with, hex. */
  readonly before: string;
  /** By ascending unit, each with the SHA-256 of its contribution. */
  readonly members: readonly { readonly unit: number; readonly sha256: string }[];
}

/** What a unit goes on from: its state after a round, and what brings it to the next. */
export interface Advance {
  readonly record: RoundRecord;
  /** The state before the round if it is not the one that the unit has. */
  readonly state?: Buffer;
  /** The members' contributions, in the record's order. */
  readonly contributions: readonly Buffer[];
}

/** Where a unit is. */
export interface Position {
  /** Rounds that are complete. */
  readonly round: number;
  /** SHA-256 of the state after them, hex. */
  readonly digest: string;
}

/** SHA-256 in hex, by which records name files. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** One unit's view of the rounds. Every wait ends when `goesOn` says no. */
export class Rounds {
  readonly #directory: string;
  readonly #unit: number;
  readonly #count: number;
  readonly #quorum: number;
  readonly #graceMs: number;
  readonly #goesOn: () => boolean;
  /** Contributions of other units by path, with the base that they name. */
  readonly #bases = new Map<string, string>();
  /** When unit 0 first saw the quorum of a round, milliseconds. */
  #quorumAt: { readonly round: number; readonly at: number } | undefined;

  /**
   * @param goesOn Asked while it waits; false ends the wait.
   * @throws {@link WorkloadError} `ENVIRONMENT_INVALID` if the spec has no `exchange`.
   */
  constructor({ directories, exchange, unitIndex, unitCount }: UnitEnvironment, goesOn: () => boolean = () => true) {
    if (directories.exchange === undefined || exchange === undefined) {
      throw new WorkloadError("ENVIRONMENT_INVALID", 'DRMP_EXCHANGE_DIR is not set: the spec needs an "exchange".');
    }
    this.#directory = directories.exchange;
    this.#unit = unitIndex;
    this.#count = unitCount;
    this.#quorum = Math.min(exchange.quorum, unitCount);
    this.#graceMs = exchange.graceSeconds * 1000;
    this.#goesOn = goesOn;
  }

  /** Waits until the agent has asked the other units what they have: a record of before must not be written twice. */
  async ready(): Promise<boolean> {
    const end = performance.now() + READY_MS;
    const isReady = () => exists(join(this.#directory, "in", EXCHANGE_READY));
    while (!(await isReady())) {
      if (performance.now() > end) {
        throw new WorkloadError("EXCHANGE_INVALID", "The agent has not asked the other units yet: try again.");
      }
      if (!(await this.#pause())) return false;
    }
    return true;
  }

  /** Publishes this unit's contribution to a round. */
  async contribute(round: number, base: string, payload: Uint8Array): Promise<void> {
    const path = this.#own("delta", round);
    // Another program has seen it already; this one would be the same, to the bit.
    if ((await baseOf(path)) === base) return;
    await writeFileAtomically(path, Buffer.concat([Buffer.from(base, "hex"), payload]));
  }

  /** Publishes the state after a round for those who come back, and lets go of what is old. */
  async publishState(round: number, state: Uint8Array): Promise<void> {
    await writeFileAtomically(this.#own("state", round), state);
    for (const name of await namesIn(join(this.#directory, "out"))) {
      const parsed = parseExchangeName(name);
      if (parsed && parsed.round <= round - KEPT_ROUNDS)
        await rm(this.#own(parsed.kind, parsed.round), { force: true });
    }
  }

  /**
   * What brings a unit forward; undefined if there is nothing newer. After rounds without this unit it begins from the state
   * that the newest record names.
   */
  async advance(position: Position): Promise<Advance | undefined> {
    for (;;) {
      const rounds = (await this.#rounds("record")).filter((round) => round > position.round);
      if (rounds.length === 0) return undefined;
      const [next, newest] = [Math.min(...rounds), Math.max(...rounds)];
      for (const round of next === position.round + 1 && newest !== next ? [next, newest] : [newest]) {
        const record = await this.record(round);
        if (!record) continue;
        const isNext = record.round === position.round + 1 && record.before === position.digest;
        // Round by round while the files are here; else at once to the newest.
        if (!isNext && round !== newest) continue;
        const taken = await this.#take(record, isNext);
        if (taken) return taken;
      }
      if (!(await this.#pause())) return undefined;
    }
  }

  /** A round's record, under the highest fence; undefined if there is none yet. */
  async record(round: number): Promise<RoundRecord | undefined> {
    const others = (await this.#held("record", round)).filter(({ unit }) => unit === 0);
    // What this unit writes itself is under the newest fence.
    const paths = [this.#unit === 0 ? this.#own("record", round) : undefined, ...others.map(({ path }) => path)];
    for (const path of paths) {
      const bytes = path === undefined ? undefined : await read(path, MAX_RECORD_BYTES);
      if (bytes !== undefined) return parseRecord(bytes, round, this.#count);
    }
    return undefined;
  }

  /**
   * For unit 0: writes the record of a round once all units that took part in the one before have contributed, or so many as
   * the quorum and the grace is over. Its own contribution is one like the others: where it comes late, it is left out.
   *
   * @returns Whether the round has a record, or a later one has.
   */
  async conclude(position: Position): Promise<boolean> {
    const round = position.round + 1;
    if ((await this.#rounds("record")).some((each) => each >= round)) return true;
    if (this.#unit !== 0) return false;
    const members = await this.#contributions(round, position.digest);
    const before = await this.record(position.round);
    const expected = before?.members.map(({ unit }) => unit) ?? Array.from({ length: this.#count }, (_, unit) => unit);
    if (members.length < this.#quorum) return false;
    if (this.#quorumAt?.round !== round) this.#quorumAt = { round, at: performance.now() };
    const isWhole = expected.every((unit) => members.some((member) => member.unit === unit));
    if (!isWhole && performance.now() - this.#quorumAt.at < this.#graceMs) return false;
    const named = await Promise.all(
      members.map(async ({ unit, path }) => ({ unit, sha256: digestOf(await readFile(path)) })),
    );
    const record: RoundRecord = { round, before: position.digest, members: named };
    await writeFileAtomically(this.#own("record", round), `${JSON.stringify(record)}\n`);
    return true;
  }

  /**
   * Waits for a round's record; unit 0 writes it.
   *
   * @param waiting Told how long it has been, seconds.
   * @returns Whether there is one; false if it is to end.
   */
  async concluded(position: Position, waiting?: (seconds: number) => Promise<void>): Promise<boolean> {
    const since = performance.now();
    while (!(await this.conclude(position))) {
      if (!(await this.#pause())) return false;
      await waiting?.((performance.now() - since) / 1000);
    }
    return true;
  }

  /** Contributions to a round that were made from this state, by ascending unit; of several of a unit the one of the highest fence. */
  async #contributions(round: number, base: string): Promise<{ unit: number; path: string }[]> {
    const own = { unit: this.#unit, path: this.#own("delta", round) };
    const found = new Map<number, string>();
    for (const { unit, path } of [own, ...(await this.#held("delta", round))]) {
      if (found.has(unit) || unit >= this.#count) continue;
      const named = this.#bases.get(path) ?? (await baseOf(path));
      if (named === undefined) continue;
      // Its own is written again where it goes on from another state.
      if (path !== own.path) this.#bases.set(path, named);
      if (named === base) found.set(unit, path);
    }
    if (this.#bases.size > 1000) this.#bases.clear();
    return [...found].map(([unit, path]) => ({ unit, path })).sort((a, b) => a.unit - b.unit);
  }

  /** Collects what a record names; undefined if it cannot be had. @param has Whether this unit has the state before it. */
  async #take(record: RoundRecord, has: boolean): Promise<Advance | undefined> {
    const end = performance.now() + FILE_MS;
    const want = join(this.#directory, "out", wantName("state", record.round - 1));
    const found = new Map<string, Buffer>();
    let state: Buffer | undefined;
    try {
      for (;;) {
        if (!has) state ??= await this.#find("state", record.round - 1, record.before);
        for (const { unit, sha256 } of record.members) {
          const bytes = found.get(sha256) ?? (await this.#find("delta", record.round, sha256, unit));
          if (bytes) found.set(sha256, bytes);
        }
        const contributions = record.members.flatMap(({ sha256 }) => found.get(sha256)?.subarray(BASE_BYTES) ?? []);
        const isWhole = contributions.length === record.members.length;
        if (isWhole && (has || state)) return { record, contributions, ...(state === undefined ? {} : { state }) };
        if (!has && state === undefined) await writeFileAtomically(want, "");
        const isOld = (await this.#rounds("record")).some((round) => round > record.round + 1);
        if (performance.now() > end || isOld || !(await this.#pause())) return undefined;
      }
    } finally {
      await rm(want, { force: true });
    }
  }

  /** A file by its content, wherever it came from. */
  async #find(kind: ExchangeKind, round: number, sha256: string, unit?: number): Promise<Buffer | undefined> {
    const own = unit === undefined || unit === this.#unit ? [this.#own(kind, round)] : [];
    const held = await this.#held(kind, round);
    const others = held.filter((each) => unit === undefined || each.unit === unit).map(({ path }) => path);
    for (const path of [...own, ...others]) {
      const bytes = await read(path, Infinity);
      if (bytes !== undefined && digestOf(bytes) === sha256) return bytes;
    }
    return undefined;
  }

  /** Rounds of which there is a file of a kind, unit 0's own included. */
  async #rounds(kind: ExchangeKind): Promise<number[]> {
    const names = await Promise.all(["in", "out"].map((side) => namesIn(join(this.#directory, side))));
    return names
      .flat()
      .map(parseExchangeName)
      .flatMap((name) => (name?.kind === kind ? [name.round] : []));
  }

  /** Files that the agent has laid there, highest fence first. */
  async #held(kind: ExchangeKind, round: number): Promise<{ unit: number; fence: number; path: string }[]> {
    const directory = join(this.#directory, "in", exchangeName(kind, round));
    return (await namesIn(directory))
      .flatMap((name) => {
        const held = parseHeldName(name);
        return held ? [{ ...held, path: join(directory, name) }] : [];
      })
      .sort((a, b) => b.fence - a.fence || (a.path < b.path ? -1 : 1));
  }

  #own(kind: ExchangeKind, round: number): string {
    return join(this.#directory, "out", exchangeName(kind, round));
  }

  async #pause(): Promise<boolean> {
    if (!this.#goesOn()) return false;
    await sleep(POLL_MS);
    return this.#goesOn();
  }
}

/** @throws {@link WorkloadError} `EXCHANGE_INVALID` if it is no record of this round. */
function parseRecord(bytes: Uint8Array, round: number, count: number): RoundRecord {
  const wrong = (why: string) => new WorkloadError("EXCHANGE_INVALID", `The record of round ${round} ${why}.`);
  let record: Partial<RoundRecord> | null;
  try {
    record = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<RoundRecord> | null;
  } catch {
    throw wrong("is not JSON");
  }
  const isDigest = (text: unknown) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
  const { before = "", members } = record ?? {};
  if (record?.round !== round || !isDigest(before)) throw wrong("names another round or no state");
  if (!Array.isArray(members) || members.length === 0 || members.length > count) throw wrong("names no members");
  const named = members as RoundRecord["members"];
  for (const [i, { unit, sha256 }] of named.entries()) {
    const isNext = Number.isInteger(unit) && unit > (named[i - 1]?.unit ?? -1) && unit < count;
    if (!isNext || !isDigest(sha256)) throw wrong("has members that are not units in ascending order");
  }
  return { round, before, members: named };
}

/** The state that a contribution names; undefined if there is none. */
async function baseOf(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BASE_BYTES), 0, BASE_BYTES, 0);
    return bytesRead < BASE_BYTES ? undefined : buffer.toString("hex");
  } finally {
    await file.close();
  }
}

async function read(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size <= maxBytes ? await readFile(path) : undefined;
  } catch (error) {
    // Let go meanwhile, as it is of an old round.
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await read(path, Infinity)) !== undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  });
}
