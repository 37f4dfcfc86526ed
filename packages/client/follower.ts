import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { BlockReference } from "./block-reference.ts";
import { type EventLog, type LogFilter, LogScanner, type LogSource } from "./event-logs.ts";

/** Positions that are remembered: a reorganisation that goes deeper is taken for a new chain. */
const MEMORY = 256;

/** Blocks before the newest position that are looked at again: an endpoint may have lagged without a word. */
const OVERLAP = 16;

/** What a follower works with. */
export interface FollowerOptions {
  readonly source: LogSource;
  /** Which events are followed. */
  readonly filter: LogFilter;
  /** File of the database, made if missing; `:memory:` for one that ends with the process. */
  readonly file: string;
  /** Names what the database holds: chain, deployment and version of the tables. One of another name is emptied. */
  readonly identity: string;
  /** The SQL that makes the tables of those who follow; they are dropped where the identity is another one. */
  readonly tables: Readonly<Record<string, string>>;
}

/** Events of a stretch of blocks, to be taken in within the transaction that moves the cursor. */
export interface Stretch {
  readonly logs: readonly EventLog[];
  /** Last block. */
  readonly through: number;
}

/**
 * Follows a chain's events into a SQLite database, from its own cursor: what is taken in and how far it got are written in one
 * transaction, so that a process that is killed anywhere goes on from there. Where the chain was reorganised, blocks are undone
 * back to the newest position that both have in common.
 */
export class Follower {
  readonly db: DatabaseSync;
  readonly #scanner: LogScanner;
  readonly #filter: LogFilter;
  /** Events taken in lately, with their blocks. */
  readonly #recent = new Map<string, number>();
  /** Block after which this process has seen everything itself. */
  #since: number | undefined;

  constructor({ source, filter, file, identity, tables }: FollowerOptions) {
    this.#scanner = new LogScanner(source);
    this.#filter = filter;
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    this.db = new DatabaseSync(file);
    this.db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    this.db.exec("CREATE TABLE IF NOT EXISTS follower (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
    const before = this.db.prepare("SELECT value FROM follower WHERE key = 'identity'").get();
    if (before?.["value"] !== identity) {
      for (const name of Object.keys(tables)) this.db.exec(`DROP TABLE IF EXISTS ${name}`);
      this.db.exec("DROP TABLE IF EXISTS positions");
      this.db.prepare("INSERT OR REPLACE INTO follower VALUES ('identity', ?)").run(identity);
    }
    this.db.exec("CREATE TABLE IF NOT EXISTS positions (block INTEGER PRIMARY KEY, hash TEXT NOT NULL)");
    for (const [name, columns] of Object.entries(tables))
      this.db.exec(`CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
  }

  /** The newest position; undefined before the first. */
  get position(): BlockReference | undefined {
    return this.positions()[0];
  }

  /** Remembered positions, the newest first. */
  positions(): BlockReference[] {
    return this.db
      .prepare("SELECT block, hash FROM positions ORDER BY block DESC")
      .all()
      .map((row) => ({ number: Number(row["block"]), hash: String(row["hash"]), timestamp: 0 }));
  }

  /** Does something in a transaction: all of it is written, or nothing. */
  transaction<T>(work: () => T): T {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      const done = work();
      this.db.exec("COMMIT");
      return done;
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Begins at a block whose state was taken in as a whole. @param take Within the transaction. */
  begin(at: BlockReference, take: () => void): void {
    this.#recent.clear();
    this.#since = at.number;
    this.transaction(() => {
      take();
      this.db.exec("DELETE FROM positions");
      this.#remember(at);
    });
  }

  /**
   * Takes in the events of the blocks up to this one.
   *
   * @param to A block whose ancestor at the newest position is what it was: see {@link undo} where it is not.
   * @param take Within the transaction that moves the cursor; the same event is never taken in twice.
   */
  async advance(to: BlockReference, take: (stretch: Stretch) => void): Promise<void> {
    const from = this.position?.number;
    if (from === undefined || to.number <= from) return;
    for (const [key, block] of this.#recent) if (block < from - OVERLAP) this.#recent.delete(key);
    this.#since ??= from;
    const first = Math.max(this.#since, from - OVERLAP) + 1;
    await this.#scanner.each(this.#filter, first, to.number, (found, through) => {
      const logs = found.filter((log) => !this.#recent.has(keyOf(log)));
      this.transaction(() => {
        take({ logs, through });
        if (through === to.number) this.#remember(to);
      });
      for (const log of logs) if (log.block >= to.number - 2 * OVERLAP) this.#recent.set(keyOf(log), log.block);
    });
  }

  /**
   * Goes back to the newest position that is still of the chain.
   *
   * @param hashOf Hash of a block of the chain; undefined if it has none of that number.
   * @param take Within the transaction: undoes what came after that block; told undefined if no position is left.
   */
  async undo(
    hashOf: (block: number) => Promise<string | undefined>,
    take: (after: number | undefined) => void,
  ): Promise<void> {
    let common: number | undefined;
    for (const { number, hash } of this.positions()) {
      if ((await hashOf(number)) !== hash) continue;
      common = number;
      break;
    }
    this.#recent.clear();
    this.#since = common;
    this.transaction(() => {
      take(common);
      this.db.prepare("DELETE FROM positions WHERE block > ?").run(common ?? -1);
    });
  }

  /** Ends the work with the database. */
  close(): void {
    this.db.close();
  }

  #remember({ number, hash }: BlockReference): void {
    this.db.prepare("INSERT OR REPLACE INTO positions VALUES (?, ?)").run(number, hash);
    this.db
      .prepare("DELETE FROM positions WHERE block NOT IN (SELECT block FROM positions ORDER BY block DESC LIMIT ?)")
      .run(MEMORY);
  }
}

function keyOf({ blockHash, index }: EventLog): string {
  return `${blockHash} ${String(index)}`;
}
