import { type Kysely, sql } from "kysely";

import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import { type Database, type FollowerTables, TABLES, type TableName } from "./tables.ts";
import type { Table } from "./columns.ts";

/** Version of the tables: a database of another one is emptied and filled again from the chain. */
const VERSION = 4;

/** Which database. */
export type DatabaseChoice =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string; readonly connections: number };

/** An open database. */
export interface OpenDatabase {
  readonly kind: DatabaseChoice["kind"];
  /** For the follower alone. */
  readonly writer: Kysely<Database>;
  /** For answers. */
  readonly reader: Kysely<Database>;
  readonly close: () => Promise<void>;
}

const FOLLOWER = ["identity", "positions", "journal"] as const satisfies readonly (keyof FollowerTables)[];

/**
 * Opens the database of a deployment's history, and makes its tables.
 *
 * @param identity Names chain and deployment. What the database holds of another one is dropped: it all comes from a chain.
 */
export async function openDatabase(choice: DatabaseChoice, identity: string): Promise<OpenDatabase> {
  const writer =
    choice.kind === "sqlite" ? openSqlite(choice.file, false) : openPostgres(choice.url, choice.connections);
  try {
    await prepare(writer, choice.kind, `history ${String(VERSION)} of ${identity}`);
  } catch (error) {
    await writer.destroy();
    throw error;
  }
  const reader = choice.kind === "sqlite" ? openSqlite(choice.file, true) : writer;
  return {
    kind: choice.kind,
    writer,
    reader,
    close: async () => {
      // The library closes only what it has used.
      await sql`select 1`.execute(reader);
      if (reader !== writer) await reader.destroy();
      await writer.destroy();
    },
  };
}

async function prepare(db: Kysely<Database>, kind: DatabaseChoice["kind"], identity: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // Two processes that begin at once on one database: the second waits.
    if (kind === "postgres") await sql`select pg_advisory_xact_lock(4712)`.execute(tx);
    await makeFollowerTables(tx);
    const before = await tx.selectFrom("identity").select("name").executeTakeFirst();
    if (before?.name !== identity) {
      for (const name of Object.keys(TABLES)) await tx.schema.dropTable(name).ifExists().execute();
      for (const name of FOLLOWER) await tx.deleteFrom(name).execute();
      await tx.insertInto("identity").values({ id: 1, name: identity }).execute();
    }
    for (const name of Object.keys(TABLES) as TableName[]) await makeTable(tx, TABLES[name], kind);
  });
}

async function makeFollowerTables(db: Kysely<Database>): Promise<void> {
  const make = (name: string) => db.schema.createTable(name).ifNotExists();
  await make("identity")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .execute();
  await make("positions")
    .addColumn("number", "bigint", (column) => column.primaryKey())
    .addColumn("hash", "text", (column) => column.notNull())
    .addColumn("timestamp", "bigint", (column) => column.notNull())
    .execute();
  await make("journal")
    .addColumn("position", "bigint", (column) => column.notNull())
    .addColumn("relation", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("before", "text")
    .addPrimaryKeyConstraint("journal_key", ["position", "relation", "key"])
    .execute();
}

async function makeTable(db: Kysely<Database>, table: Table, kind: DatabaseChoice["kind"]): Promise<void> {
  const { name, columns, key, indexes } = table;
  const number = kind === "sqlite" ? "integer" : "bigint";
  const isRowId = kind === "sqlite" && key.length === 1 && columns[key[0] ?? ""]?.kind === "int";
  let made = db.schema.createTable(name).ifNotExists();
  for (const [each, { kind: holds, nullable }] of Object.entries(columns)) {
    const type = holds === "int" ? number : holds === "bool" ? "integer" : "text";
    made = made.addColumn(each, type, (column) => {
      const full = nullable ? column : column.notNull();
      return isRowId && each === key[0] ? full.primaryKey() : full;
    });
  }
  if (!isRowId) made = made.addPrimaryKeyConstraint(`${name}_key`, [...key] as never);
  if (!isRowId && kind === "sqlite") made = made.modifyEnd(sql`without rowid`);
  await made.execute();
  for (const index of indexes) {
    let maker = db.schema
      .createIndex([name, ...index].join("_"))
      .ifNotExists()
      .on(name)
      .columns([...index]);
    // Rows without a value are not looked for by it.
    const first = index[0] ?? "";
    if (columns[first]?.nullable) maker = maker.where(sql.ref(first), "is not", null);
    await maker.execute();
  }
}
