import { type Kysely, sql } from "kysely";

import { PageError } from "@verai/process/endpoint";
import { shown } from "../database/columns.ts";
import { type Database, tableOf, type TableName } from "../database/tables.ts";

/** Anything that can be asked: a connection, or a transaction. */
export type Asked = Kysely<Database>;

/** Tables and columns by names that are data: they come from the tables' definitions, never from a request. */
export type AnyTables = Kysely<Record<string, Record<string, unknown>>>;

/** A page that is asked for. */
export interface PageQuery {
  readonly table: TableName;
  /** Columns with the value that they have to have; those without a value are left out. */
  readonly filters: Readonly<Record<string, string | number | undefined>>;
  /** Columns that entries are ordered by; the last ones are unique. */
  readonly orderBy: readonly string[];
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Bounds of the first column ordered by, both included. */
  readonly between?: readonly [from: number | undefined, to: number | undefined];
}

/** Entries of a page, and where the next one begins. */
export interface PageOfRows {
  readonly items: Record<string, unknown>[];
  readonly next: string | null;
}

/**
 * Reads a page by an index: filters that no index of the table has together are refused, so that no request reads more rows
 * than it answers with.
 */
export async function readPage(db: Asked, query: PageQuery): Promise<PageOfRows> {
  const { table, orderBy, order, limit, cursor, between } = query;
  const { columns } = tableOf(table);
  const filters = Object.entries(query.filters).filter(([, value]) => value !== undefined);
  requireIndex(
    table,
    filters.map(([name]) => name),
    orderBy,
  );
  let ask = (db as unknown as AnyTables).selectFrom(table).selectAll();
  for (const [name, value] of filters) ask = ask.where(name, "=", value);
  const [from, to] = between ?? [];
  const first = orderBy[0] ?? "";
  if (from !== undefined) ask = ask.where(first, ">=", from);
  if (to !== undefined) ask = ask.where(first, "<=", to);
  if (cursor !== undefined) {
    const after = readCursor(cursor, orderBy, table);
    const places = sql.join(orderBy.map((name) => sql.ref(name)));
    const values = sql.join(after.map((value) => sql.val(value)));
    ask = ask.where(
      order === "asc" ? sql<boolean>`(${places}) > (${values})` : sql<boolean>`(${places}) < (${values})`,
    );
  }
  for (const name of orderBy) ask = ask.orderBy(name, order);
  const rows = await ask.limit(limit + 1).execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map((row) => shown(columns, row)),
    next: last ? makeCursor(orderBy.map((name) => last[name] as string | number)) : null,
  };
}

/** The row of a key. @throws PageError 404 if there is none. */
export async function readOne(
  db: Asked,
  table: TableName,
  key: Readonly<Record<string, string | number>>,
): Promise<Record<string, unknown>> {
  let ask = (db as unknown as AnyTables).selectFrom(table).selectAll();
  for (const [name, value] of Object.entries(key)) ask = ask.where(name, "=", value);
  const row = await ask.executeTakeFirst();
  if (row) return shown(tableOf(table).columns, row);
  throw new PageError(404, `History has no entry of ${table} with ${Object.values(key).join(", ")} up to this block.`);
}

function requireIndex(table: TableName, filters: readonly string[], orderBy: readonly string[]): void {
  const { key, indexes } = tableOf(table);
  const isServed = [key, ...indexes].some(
    (index) =>
      index.length === filters.length + orderBy.length &&
      filters.every((name) => index.indexOf(name) >= 0 && index.indexOf(name) < filters.length) &&
      orderBy.every((name, i) => index[filters.length + i] === name),
  );
  if (isServed) return;
  throw new PageError(
    400,
    `The filters ${filters.join(" and ")} cannot be used together here: leave one out, and filter what you get.`,
  );
}

function makeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

function readCursor(cursor: string, orderBy: readonly string[], table: TableName): (string | number)[] {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    values = undefined;
  }
  const { columns } = tableOf(table);
  const fits =
    Array.isArray(values) &&
    values.length === orderBy.length &&
    orderBy.every((name, i) => {
      const value: unknown = (values as unknown[])[i];
      return columns[name]?.kind === "int"
        ? Number.isSafeInteger(value)
        : typeof value === "string" && !value.includes("\0");
    });
  if (fits) return values as (string | number)[];
  throw new PageError(400, "The cursor is none of this list: take `next` of an answer with the same filters.");
}
