import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

import { Kysely, SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";

import type { Database } from "./tables.ts";

/** Statements that stay prepared; beyond, the one used longest ago is prepared again. */
const MAX_PREPARED = 256;

/** Node's SQLite as the query library expects a database. */
class NodeSqlite implements SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const made = statement(this.#db.prepare(sql));
    this.#prepared.set(sql, made);
    if (this.#prepared.size > MAX_PREPARED) {
      const [oldest] = this.#prepared.keys();
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return made;
  }

  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }
}

function statement(prepared: StatementSync): SqliteStatement {
  const given = (parameters: readonly unknown[]) => parameters as (null | number | bigint | string)[];
  return {
    reader: prepared.columns().length > 0,
    all: (parameters) => prepared.all(...given(parameters)),
    run: (parameters) => prepared.run(...given(parameters)),
    iterate: (parameters) => prepared.iterate(...given(parameters)),
  };
}

/**
 * Opens a SQLite database, made if missing.
 *
 * @param file `:memory:` for one that ends with the process.
 * @param isReader For the connection that answers: it sees whole transactions of the other, and writes nothing.
 */
export function openSqlite(file: string, isReader: boolean): Kysely<Database> {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { readOnly: isReader });
  db.exec("PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY");
  // Pages in memory, KiB.
  db.exec(`PRAGMA cache_size = ${isReader ? "-32768" : "-131072"}`);
  if (!isReader) {
    // Of the write-ahead log 64 MiB, instead of 4, before it is copied into the file: a page that many stretches change is copied once.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384");
  }
  return new Kysely<Database>({ dialect: new SqliteDialect({ database: new NodeSqlite(db) }) });
}
