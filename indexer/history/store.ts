import { CompiledQuery, type Kysely, type Transaction } from "kysely";

import type { BlockReference } from "@verai/client/block-reference";
import type { ChainStretch, FollowerStore } from "@verai/client/chain-follower";
import { load, stored } from "../database/columns.ts";
import { type Database, MUTABLE, type Row, TABLES, tableOf, type TableName } from "../database/tables.ts";
import { apply } from "./apply.ts";
import type { BlockTimes } from "./block-times.ts";
import { Changes, keyOf } from "./changes.ts";
import { groupsOf, sizesOf, type Writing } from "./writing.ts";
import type { EventDecoder } from "./events.ts";
import { touchedBy } from "./keys.ts";

/** Positions that can be gone back to: a reorganisation that goes deeper begins again. */
const MEMORY = 256;

/** Ids in one look for rows, and rows in one statement of the journal. */
const AT_ONCE = 400;

/** What a stretch has changed. */
export interface Written {
  readonly position: BlockReference;
  readonly events: number;
  readonly changes: Changes;
}

/** History in a database: rows, what they were before, and the position, each stretch in one transaction. */
export class HistoryStore implements FollowerStore {
  readonly #db: Kysely<Database>;
  readonly #decoder: EventDecoder;
  readonly #times: BlockTimes;
  readonly #onWritten: (written: Written) => void;
  readonly #onUndone: (after: number | undefined) => void;
  readonly #upserts = new Map<string, CompiledQuery>();

  constructor(options: {
    readonly db: Kysely<Database>;
    readonly decoder: EventDecoder;
    readonly times: BlockTimes;
    readonly onWritten?: (written: Written) => void;
    readonly onUndone?: (after: number | undefined) => void;
  }) {
    this.#db = options.db;
    this.#decoder = options.decoder;
    this.#times = options.times;
    this.#onWritten = options.onWritten ?? (() => undefined);
    this.#onUndone = options.onUndone ?? (() => undefined);
  }

  async positions(): Promise<BlockReference[]> {
    return this.#db.selectFrom("positions").selectAll().orderBy("number", "desc").execute();
  }

  async take(stretch: ChainStretch): Promise<void> {
    const { logs, position, undoable } = stretch;
    const timeOf = await this.#times.of(stretch);
    const events = logs.map((log) => this.#decoder.decode(log, timeOf(log.block)));
    const changes = await this.#db.transaction().execute(async (tx) => {
      const held = await loadTouched(tx, touchedBy(events));
      apply(events, held);
      for (const name of Object.keys(TABLES) as TableName[]) {
        const before = (row: Row<TableName>) => held.before(row);
        for (const writing of groupsOf(name, held.changed(name), before)) await this.#write(tx, name, writing);
      }
      if (undoable) await note(tx, position.number, held);
      await remember(tx, position, undoable);
      return held;
    });
    this.#onWritten({ position, events: events.length, changes });
  }

  async undo(after: number | undefined): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      if (after === undefined) {
        for (const name of Object.keys(TABLES) as TableName[]) await tx.deleteFrom(name).execute();
        for (const name of ["journal", "positions"] as const) await tx.deleteFrom(name).execute();
        return;
      }
      const undone = await tx
        .selectFrom("journal")
        .selectAll()
        .where("position", ">", after)
        .orderBy("position", "desc")
        .execute();
      // Of several states of a row the oldest is the one to go back to.
      const rows = new Map<string, (typeof undone)[number]>();
      for (const row of undone) rows.set(`${row.relation} ${row.key}`, row);
      for (const name of MUTABLE) {
        const mine = [...rows.values()].filter(({ relation }) => relation === name);
        for (const { key, before } of mine) if (before === null) await remove(tx, name, key);
        const back = mine.flatMap(({ before }) => (before === null ? [] : [parse(name, before)]));
        for (const writing of groupsOf(name, back)) await this.#write(tx, name, writing);
      }
      await tx.deleteFrom("events").where("block", ">", after).execute();
      await tx.deleteFrom("journal").where("position", ">", after).execute();
      await tx.deleteFrom("positions").where("number", ">", after).execute();
    });
    this.#onUndone(after);
  }

  async #write(tx: Transaction<Database>, name: TableName, { rows, set }: Writing): Promise<void> {
    const columns = Object.keys(TABLES[name].columns);
    let from = 0;
    for (const size of sizesOf(rows.length)) {
      const parameters: unknown[] = [];
      for (const row of rows.slice(from, from + size)) {
        for (const column of columns) parameters.push(stored((row as unknown as Record<string, unknown>)[column]));
      }
      from += size;
      const { sql } = this.#statement(name, columns, set, size);
      await tx.executeQuery(CompiledQuery.raw(sql, parameters));
    }
  }

  /** The statement that writes so many rows, built once. */
  #statement(name: TableName, columns: readonly string[], set: readonly string[], rows: number): CompiledQuery {
    const key = `${name} ${String(rows)} ${set.join()}`;
    const known = this.#upserts.get(key);
    if (known) return known;
    const dummy = Object.fromEntries(columns.map((column) => [column, 0]));
    // The names of tables and columns are data here: their types are those of every table at once.
    const db = this.#db as unknown as Kysely<Record<string, Record<string, unknown>>>;
    const made = db
      .insertInto(name)
      .values(Array.from({ length: rows }, () => dummy))
      .onConflict((conflict) =>
        conflict
          .columns([...TABLES[name].key])
          .doUpdateSet((build) => Object.fromEntries(set.map((each) => [each, build.ref(`excluded.${each}`)]))),
      )
      .compile();
    this.#upserts.set(key, made);
    return made;
  }
}

/** Rows of the database that events may change. */
async function loadTouched(tx: Transaction<Database>, touched: ReturnType<typeof touchedBy>): Promise<Changes> {
  const changes = new Changes();
  const ids = async (name: TableName, column: string, values: Iterable<number | string>) => {
    const all = [...values];
    for (let from = 0; from < all.length; from += AT_ONCE) {
      await put(tx, changes, name, [[column, all.slice(from, from + AT_ONCE)]]);
    }
  };
  await ids("leases", "id", touched.leases);
  const [nodes, tasks] = [new Set(touched.nodes), new Set(touched.tasks)];
  for (const { nodeId, taskId } of changes.all("leases")) {
    nodes.add(nodeId);
    tasks.add(taskId);
  }
  await ids("nodes", "id", nodes);
  await ids("tasks", "id", tasks);
  await ids("rounds", "id", touched.rounds);
  await ids("rounds", "requestId", touched.requests);
  await ids("batches", "id", touched.batches);
  await ids("batches", "requestId", touched.requests);
  await ids("classes", "id", touched.classes);
  await ids("keepers", "address", touched.keepers);
  const starts = [...new Set([...touched.hours, ...touched.days])];
  for (let from = 0; from < starts.length; from += AT_ONCE) {
    const some = starts.slice(from, from + AT_ONCE);
    await put(tx, changes, "networkPeriods", [
      ["period", ["hour", "day"]],
      ["start", some],
    ]);
    if (touched.classes.size === 0) continue;
    await put(tx, changes, "classPeriods", [
      ["classId", [...touched.classes]],
      ["period", ["hour", "day"]],
      ["start", some],
    ]);
  }
  const every = [...nodes];
  for (let from = 0; from < every.length; from += AT_ONCE) {
    await put(tx, changes, "nodeDays", [
      ["nodeId", every.slice(from, from + AT_ONCE)],
      ["start", [...touched.days]],
    ]);
  }
  for (const name of ["checkpoints", "audits"] as const) {
    const leases = [...new Set(touched[name].filter(([id]) => !touched.granted.has(id)).map(([id]) => id))];
    const sequences = [...new Set(touched[name].map(([, sequence]) => sequence))];
    for (let from = 0; from < leases.length; from += AT_ONCE) {
      await put(tx, changes, name, [
        ["leaseId", leases.slice(from, from + AT_ONCE)],
        ["sequence", sequences],
      ]);
    }
  }
  return changes;
}

async function put(
  tx: Transaction<Database>,
  changes: Changes,
  name: TableName,
  conditions: readonly (readonly [column: string, values: readonly (number | string)[]])[],
): Promise<void> {
  if (conditions.some(([, values]) => values.length === 0)) return;
  const db = tx as unknown as Transaction<Record<string, Record<string, unknown>>>;
  let query = db.selectFrom(name).selectAll();
  for (const [column, values] of conditions) query = query.where(column, "in", [...values]);
  for (const row of await query.execute()) changes.put(name, row);
}

/** Notes what changed rows were before. */
async function note(tx: Transaction<Database>, position: number, changes: Changes): Promise<void> {
  const rows = MUTABLE.flatMap((name) =>
    changes.changed(name).map((row) => {
      const before = changes.before(row);
      return { position, relation: name, key: keyOf(name, row), before: before ? JSON.stringify(before) : null };
    }),
  );
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await tx
      .insertInto("journal")
      .values(rows.slice(from, from + AT_ONCE))
      .execute();
  }
}

async function remember(tx: Transaction<Database>, { number, hash, timestamp }: BlockReference, undoable: boolean) {
  if (!undoable) {
    await tx.deleteFrom("positions").execute();
    await tx.deleteFrom("journal").execute();
  }
  await tx.insertInto("positions").values({ number, hash, timestamp }).execute();
  const last = await tx
    .selectFrom("positions")
    .select("number")
    .orderBy("number", "desc")
    .offset(MEMORY)
    .limit(1)
    .executeTakeFirst();
  if (!last) return;
  await tx.deleteFrom("positions").where("number", "<=", last.number).execute();
  const oldest = await tx
    .selectFrom("positions")
    .select((build) => build.fn.min("number").as("number"))
    .executeTakeFirst();
  await tx
    .deleteFrom("journal")
    .where("position", "<=", Number(oldest?.number ?? 0))
    .execute();
}

async function remove(tx: Transaction<Database>, name: TableName, key: string): Promise<void> {
  const { key: columns, columns: kinds } = TABLES[name];
  const parts = key.split("/");
  const db = tx as unknown as Transaction<Record<string, Record<string, unknown>>>;
  let query = db.deleteFrom(name);
  for (const [i, column] of columns.entries()) {
    const part = parts[i] ?? "";
    const isNumber = (kinds as Record<string, { kind: string }>)[column]?.kind === "int";
    query = query.where(column, "=", isNumber ? Number(part) : part);
  }
  await query.execute();
}

function parse<T extends TableName>(name: T, json: string): Row<T> {
  return load(tableOf(name), JSON.parse(json) as Record<string, unknown>) as unknown as Row<T>;
}
