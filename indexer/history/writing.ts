import { stored } from "../database/columns.ts";
import { type Row, tableOf, type TableName } from "../database/tables.ts";
import type { Before } from "./changes.ts";

/** Rows of a table that one statement can write. */
export interface Writing {
  readonly rows: readonly Row<TableName>[];
  /** Columns that are written where the database has the row. */
  readonly set: readonly string[];
}

/** Rows in one statement, the most first: few sizes, so that every statement stays prepared. */
const SIZES = [64, 16, 4, 1];

/**
 * Groups rows by the columns that have to be written. An engine renews every index with a column that a statement sets, whatever
 * its value: of the indexed columns only those that have changed are set, of the others all. Pure; O(rows × indexed columns).
 *
 * @param before What the database has of a row; undefined where that is not known, or nothing.
 */
export function groupsOf<T extends TableName>(
  name: T,
  rows: readonly Row<T>[],
  before: (row: Row<TableName>) => Before | undefined = () => undefined,
): Writing[] {
  const { columns, key, indexes } = tableOf(name);
  const others = Object.keys(columns).filter((column) => !key.includes(column));
  const indexed = [...new Set(indexes.flat())].filter((column) => !key.includes(column));
  const groups = new Map<string, { rows: Row<TableName>[]; set: string[] }>();
  for (const row of rows as readonly Row<TableName>[]) {
    const had = before(row);
    const now = row as unknown as Record<string, unknown>;
    const same = had ? indexed.filter((column) => stored(now[column]) === had[column]) : [];
    const mask = same.join();
    const group = groups.get(mask);
    if (group) group.rows.push(row);
    else groups.set(mask, { rows: [row], set: others.filter((column) => !same.includes(column)) });
  }
  return [...groups.values()];
}

/** Sizes of the statements that write so many rows. */
export function sizesOf(rows: number): number[] {
  const sizes: number[] = [];
  let left = rows;
  for (const size of SIZES) for (; left >= size; left -= size) sizes.push(size);
  return sizes;
}
