import { blank, load } from "../database/columns.ts";
import { type Row, tableOf, type TableName } from "../database/tables.ts";

/** Key of a row as text. */
function keyText(parts: readonly (string | number)[]): string {
  return parts.length === 1 ? String(parts[0]) : parts.join("/");
}

/** A row as the database has it. */
export type Before = Readonly<Record<string, unknown>>;

/** Rows that a stretch of blocks makes and changes, held in memory until they are written in one transaction. */
export class Changes {
  /** Rows by table and key, as they are now. */
  readonly #rows = new Map<TableName, Map<string, Row<TableName>>>();
  readonly #changed = new Map<TableName, Set<string>>();
  readonly #before = new WeakMap<object, Before>();

  /** Puts a row that the database has. */
  put<T extends TableName>(table: T, before: Before): void {
    const row = load(tableOf(table), before) as unknown as Row<T>;
    this.#of(table).set(keyOf(table, row), row);
    this.#before.set(row, before);
  }

  /** What the database has of a row; undefined if it was made here. */
  before<T extends TableName>(row: Row<T>): Before | undefined {
    return this.#before.get(row);
  }

  /** A row to read from; undefined if there is none. */
  peek<T extends TableName>(table: T, ...key: (string | number)[]): Row<T> | undefined {
    return this.#of(table).get(keyText(key));
  }

  /** All rows of a table that are held. */
  all<T extends TableName>(table: T): IterableIterator<Row<T>> {
    return this.#of(table).values();
  }

  /** A row to change; made if there is none. */
  row<T extends TableName>(table: T, make: Partial<Row<T>>, ...key: (string | number)[]): Row<T> {
    const text = keyText(key);
    const rows = this.#of(table);
    let row = rows.get(text);
    if (!row) {
      row = Object.assign(blank(tableOf(table)) as unknown as Row<T>, make);
      rows.set(text, row);
    }
    let changed = this.#changed.get(table);
    if (!changed) this.#changed.set(table, (changed = new Set()));
    changed.add(text);
    return row;
  }

  /** Rows that were made or changed. */
  changed<T extends TableName>(table: T): Row<T>[] {
    const rows = this.#of(table);
    return [...(this.#changed.get(table) ?? [])].flatMap((key) => rows.get(key) ?? []);
  }

  #of<T extends TableName>(table: T): Map<string, Row<T>> {
    let rows = this.#rows.get(table);
    if (!rows) this.#rows.set(table, (rows = new Map<string, Row<TableName>>()));
    return rows;
  }
}

/** Key of a row. */
export function keyOf<T extends TableName>(table: T, row: Row<T>): string {
  const parts = row as unknown as Record<string, string | number>;
  return keyText(tableOf(table).key.map((name) => parts[name] ?? ""));
}
