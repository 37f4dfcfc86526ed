import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, open, readdir, rm, utimes } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";

import { z } from "zod";

import { DrmpError } from "@verai/errors/drmp-error";

import { monotonicMs, pause } from "./clock.ts";
import { removeDrafts, systemCode, writeDurably } from "./durable.ts";
import { type Life, lifeOf, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

/** Folder of a data directory that holds the claims to it. */
export const LOCK_FOLDER = "lock";

/** How long a process that cannot be seen from here is watched for a sign of life, and how often a holder gives one, ms. */
const WATCH_MS = 15_000;
const BEAT_MS = 3_000;

/** Longest wait for others that start at the same moment, and the pause between two looks at them, ms. */
const CONTEND_MS = 5_000;
const LOOK_MS = 50;

const CLAIM = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  boot: z.string().optional(),
  namespace: z.string().optional(),
  started: z.string().optional(),
  program: z.string().default("a program"),
  since: z.string().default("an unknown time"),
});
type Claim = z.output<typeof CLAIM>;

/** A data directory that another process works in, or that cannot be locked. The message names both, and the remedy. */
export class DataDirectoryError extends DrmpError {
  override readonly name = "DataDirectoryError";
  declare readonly code: "DIRECTORY_IN_USE" | "DIRECTORY_UNUSABLE";

  constructor(code: DataDirectoryError["code"], message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** How a directory is locked. */
export interface LockOptions {
  readonly log?: { warn(fields: object, message: string): void };
  /** Called once if the lock is lost: somebody deleted it, or took it over while this process was suspended elsewhere. */
  readonly onLost?: (error: DataDirectoryError) => void;
  /** How long a holder that cannot be seen from here is watched for a sign of life, milliseconds. */
  readonly watchMs?: number;
}

/** Claims of this process, deleted when it exits by itself. */
const claims = new Set<string>();
process.on("exit", () => {
  for (const file of claims) for (const each of [file, heldOf(file)]) rmSync(each, { force: true });
});

/**
 * The sole use of a directory by one process, among all processes on all machines that see the directory. It needs no
 * lock of the file system.
 *
 * A process that wants the directory puts a claim, a file of a name of its own, into its folder `lock`, and only then looks for
 * others': of two, at least one sees the other. A claim whose process is dead is deleted, by its own name, which no other
 * claim ever has. A process that cannot be seen from here (another machine, another container) is watched for a while:
 * who holds a directory touches its claim every three seconds.
 */
export class DataDirectory {
  readonly path: string;
  readonly #claim: string;
  readonly #onLost: LockOptions["onLost"];
  readonly #beating: NodeJS.Timeout;

  private constructor(path: string, claim: string, onLost: LockOptions["onLost"]) {
    this.path = path;
    this.#claim = claim;
    this.#onLost = onLost;
    this.#beating = setInterval(() => void this.#beat(), BEAT_MS).unref();
  }

  /**
   * Takes a directory, which is made if missing; nothing else in it is changed.
   *
   * @throws {@link DataDirectoryError} `DIRECTORY_IN_USE` if another process holds it, `DIRECTORY_UNUSABLE` if it cannot be
   * written to.
   */
  static async lock(directory: string, options: LockOptions = {}): Promise<DataDirectory> {
    const path = resolve(directory);
    const folder = join(path, LOCK_FOLDER);
    const self = await ownIdentity();
    const claim = join(folder, `${randomUUID()}.json`);
    let lock: DataDirectory | undefined;
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      // By itself: a recursive one says nothing of a file system that is read-only.
      await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
        if (systemCode(error) !== "EEXIST") throw error;
      });
      const program = (process.argv[1] ?? process.title).split(sep).slice(-2).join("/");
      const content = { ...self, program, since: new Date().toISOString() };
      claims.add(claim);
      await writeDurably(claim, JSON.stringify(content));
      // From now on it shows that it lives: others may be watching for it already.
      lock = new DataDirectory(path, claim, options.onLost);
      await contend(path, claim, self, options);
      await writeDurably(heldOf(claim), "");
      await removeDrafts(folder);
      return lock;
    } catch (error) {
      if (lock) clearInterval(lock.#beating);
      await withdraw(claim);
      throw explain(path, error);
    }
  }

  /** Gives the directory back. */
  async release(): Promise<void> {
    clearInterval(this.#beating);
    await withdraw(this.#claim);
  }

  async #beat(): Promise<void> {
    try {
      const now = new Date();
      await utimes(this.#claim, now, now);
    } catch (error) {
      // Released meanwhile, or a disk that does not answer now.
      if (systemCode(error) !== "ENOENT" || !claims.has(this.#claim)) return;
      clearInterval(this.#beating);
      this.#onLost?.(
        new DataDirectoryError(
          "DIRECTORY_IN_USE",
          `The lock of the data directory ${this.path} was taken away (${this.#claim} is gone): another process may work in it now.`,
        ),
      );
    }
  }
}

/** Waits until no other claim is left. @throws {@link DataDirectoryError} if one is held by a living process. */
async function contend(path: string, own: string, self: ProcessIdentity, options: LockOptions): Promise<void> {
  const { log, watchMs = WATCH_MS } = options;
  const watch = new Watch(watchMs);
  const end = monotonicMs() + CONTEND_MS;
  for (let told = false; ;) {
    const others = await otherClaims(path, own, self, watch);
    for (const { file, life, claim } of others.filter(({ life }) => life === "dead")) {
      log?.warn({ directory: path, life, holder: claim }, "A process ended without giving the data directory back");
      await withdraw(file);
    }
    const left = others.filter(({ life }) => life !== "dead");
    if (left.length === 0) return;
    const rival = left.find(({ life, file, held }) => life === "alive" && (held || file < own));
    // Of those that start at the same moment, the one whose claim comes first in the order of names stays.
    if (rival) throw inUse(path, rival.claim, self);
    const unseen = left.find(({ life }) => life === "unknown");
    if (!unseen && monotonicMs() > end) throw inUse(path, left[0]?.claim, self);
    if (unseen && !told) {
      const { host, pid } = unseen.claim ?? {};
      log?.warn(
        { directory: path, host, pid, seconds: watchMs / 1000 },
        "The data directory was in use by a process that cannot be seen from here; waiting for a sign of life",
      );
      told = true;
    }
    await pause(LOOK_MS);
  }
}

interface Other {
  readonly file: string;
  readonly claim: Claim | undefined;
  readonly life: Life;
  readonly held: boolean;
}

async function otherClaims(path: string, own: string, self: ProcessIdentity, watch: Watch): Promise<Other[]> {
  const folder = join(path, LOCK_FOLDER);
  const names = new Set(await readdir(folder));
  const files = [...names].filter((name) => /^[0-9a-f-]{36}\.json$/.test(name)).map((name) => join(folder, name));
  const others = files.filter((file) => file !== own);
  const looks = others.map(async (file): Promise<Other | undefined> => {
    const seen = await readClaim(file);
    if (seen === undefined) return undefined;
    const { claim, touched } = seen;
    // Claims appear whole: what is none was left by a machine that lost its power.
    let life: Life = claim ? await lifeOf(claim, self) : "dead";
    if (life === "unknown") life = watch.look(file, touched);
    return { file, claim, life, held: names.has(basename(heldOf(file))) };
  });
  return (await Promise.all(looks)).filter((each) => each !== undefined);
}

/** @returns undefined if the claim was withdrawn meanwhile. */
async function readClaim(file: string): Promise<{ claim: Claim | undefined; touched: number } | undefined> {
  try {
    // Opened again each time: that is when network file systems ask their server.
    const handle = await open(file, "r");
    try {
      const { mtimeMs } = await handle.stat();
      return { claim: parseClaim(await handle.readFile("utf8")), touched: mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "EISDIR") return { claim: undefined, touched: 0 };
    throw error;
  }
}

function parseClaim(text: string): Claim | undefined {
  try {
    return CLAIM.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Watches claims for signs of life. Times of files are only compared with each other: their clock may be another's. */
class Watch {
  readonly #ms: number;
  readonly #seen = new Map<string, { readonly touched: number; readonly since: number }>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  look(file: string, touched: number): Life {
    const before = this.#seen.get(file);
    if (!before) {
      this.#seen.set(file, { touched, since: monotonicMs() });
      return "unknown";
    }
    if (before.touched !== touched) return "alive";
    return monotonicMs() - before.since >= this.#ms ? "dead" : "unknown";
  }
}

function heldOf(claim: string): string {
  return claim.replace(/\.json$/, ".held");
}

async function withdraw(claim: string): Promise<void> {
  claims.delete(claim);
  for (const file of [claim, heldOf(claim)]) await rm(file, { force: true }).catch(() => undefined);
}

function inUse(path: string, claim: Claim | undefined, self: ProcessIdentity): DataDirectoryError {
  const { pid, host, program, since } = claim ?? { pid: "unknown", host: "an unknown host", program: "", since: "now" };
  const isOwn = pid === self.pid && host === self.host && claim?.started === self.started;
  return new DataDirectoryError(
    "DIRECTORY_IN_USE",
    `The data directory ${path} is in use by ${isOwn ? "this very process" : `process ${String(pid)}`} on ${host} ` +
      `(${program}, since ${since}), and one process at a time may work in it: ` +
      (isOwn ? "use another directory." : `stop that process first, or use another data directory.`),
  );
}

function explain(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof DataDirectoryError || code === undefined) return error;
  const remedies: Record<string, string> = {
    ENOSPC: "its disk is full; free some space",
    EDQUOT: "this user's quota is used up; free some space",
    EACCES: "let this user own it and write to it",
    EPERM: "let this user own it and write to it",
    EROFS: "its file system is read-only; use another directory, or mount it for writing",
    ENOTDIR: "a file is in its place or above it; move that away, or use another directory",
    EEXIST: "a file is in its place or above it; move that away, or use another directory",
  };
  return new DataDirectoryError(
    "DIRECTORY_UNUSABLE",
    `The data directory ${path} cannot be locked (${code}): ${remedies[code] ?? "check that its disk is in order"}.`,
    { cause: error },
  );
}
