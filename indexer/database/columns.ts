import { z } from "zod";

/** What a column holds: a whole number, text, an amount in wei of any size, yes and no, or JSON. */
export type Kind = "int" | "text" | "wei" | "bool" | "json";

/** A column: the one definition of the database's, the reducers' and the API's field. */
export interface Column<K extends Kind = Kind, N extends boolean = boolean> {
  readonly kind: K;
  readonly nullable: N;
  /** What it holds, with its unit. */
  readonly about: string;
  /** The shape of JSON. */
  readonly shape?: z.ZodType;
}

/** Columns by name. */
export type Columns = Readonly<Record<string, Column>>;

interface InMemory {
  readonly int: number;
  readonly text: string;
  readonly wei: bigint;
  readonly bool: boolean;
  readonly json: string;
}

interface InDatabase {
  readonly int: number;
  readonly text: string;
  readonly wei: string;
  readonly bool: number;
  readonly json: string;
}

type Of<C extends Column, By extends InMemory | InDatabase> =
  | By[C["kind"]]
  | (C["nullable"] extends true ? null : never);

/** A row as the reducers change it. */
export type RowOf<C extends Columns> = { -readonly [Name in keyof C]: Of<C[Name], InMemory> };

/** A row as the database has it. */
export type StoredOf<C extends Columns> = { -readonly [Name in keyof C]: Of<C[Name], InDatabase> };

/** A table. */
export interface Table<C extends Columns = Columns> {
  readonly name: string;
  readonly about: string;
  readonly columns: C;
  /** Columns of the primary key. */
  readonly key: readonly string[];
  /** Columns of further indexes. */
  readonly indexes: readonly (readonly string[])[];
}

const column =
  <K extends Kind>(kind: K) =>
  (about: string): Column<K, false> => ({ kind, nullable: false, about });

const nullable =
  <K extends Kind>(kind: K) =>
  (about: string): Column<K, true> => ({ kind, nullable: true, about });

export const int = column("int");
export const text = column("text");
export const wei = column("wei");
export const bool = column("bool");
export const json = (about: string, shape: z.ZodType): Column<"json", false> => ({
  kind: "json",
  nullable: false,
  about,
  shape,
});
export const maybeInt = nullable("int");
export const maybeText = nullable("text");

/** Defines a table. */
export function table<const C extends Columns>(
  name: string,
  about: string,
  columns: C,
  key: readonly (keyof C & string)[],
  indexes: readonly (readonly (keyof C & string)[])[] = [],
): Table<C> {
  return { name, about, columns, key, indexes };
}

const blanks = new WeakMap<Table, object>();

/** A row with every number 0, every text empty and whatever may be missing missing. */
export function blank<C extends Columns>(table: Table<C>): RowOf<C> {
  let made = blanks.get(table);
  if (!made) {
    const value = ({ kind, nullable: may }: Column) =>
      may ? null : kind === "int" ? 0 : kind === "wei" ? 0n : kind === "bool" ? false : "";
    made = Object.fromEntries(Object.entries(table.columns).map(([name, each]) => [name, value(each)]));
    blanks.set(table, made);
  }
  return { ...made } as RowOf<C>;
}

/** A row of the database as the reducers change it. */
export function load<C extends Columns>(table: Table<C>, stored: Readonly<Record<string, unknown>>): RowOf<C> {
  const row = blank(table) as Record<string, unknown>;
  for (const name in row) {
    const value = stored[name];
    const kind = table.columns[name]?.kind;
    if (value === null || value === undefined) row[name] = null;
    else if (kind === "wei") row[name] = BigInt(value as string);
    else if (kind === "bool") row[name] = value === 1 || value === true;
    else row[name] = value;
  }
  return row as RowOf<C>;
}

/** A value as the database takes it. */
export function stored(value: unknown): number | string | null {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "boolean") return value ? 1 : 0;
  return value as number | string | null;
}

const SHAPES = {
  int: z.number().int(),
  text: z.string(),
  wei: z.string().regex(/^-?\d{1,78}$/),
  bool: z.boolean(),
  json: z.unknown(),
} as const;

/** The schema of a row in an answer of the API. */
export function rowSchema(columns: Columns): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(columns).map(([name, { kind, nullable: may, about, shape: given }]) => {
        const shape = given ?? SHAPES[kind];
        return [name, (may ? shape.nullable() : shape).describe(about)];
      }),
    ),
  );
}

/** A row of the database as an answer of the API. */
export function shown(columns: Columns, stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { kind }]) => {
      const value = stored[name] ?? null;
      if (value === null) return [name, null];
      return [name, kind === "bool" ? value === 1 : kind === "json" ? (JSON.parse(value as string) as unknown) : value];
    }),
  );
}
