import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";

import type { Database } from "./tables.ts";

/** Number of the type int8: block numbers, ids and sums, all below 2^53. */
const INT8 = 20;

/** Bounds of a query, milliseconds: one that takes longer would only queue more behind it. */
const TIMEOUT_MS = 30_000;

/** Opens a PostgreSQL database. @param url With user and database; the password may come from PGPASSWORD or a pgpass file. */
export function openPostgres(url: string, connections: number): Kysely<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    query_timeout: TIMEOUT_MS * 4,
    application_name: "drmp-indexer",
    types: {
      getTypeParser: (id: number, format?: "text" | "binary") =>
        id === INT8 ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown),
    },
  });
  // An idle connection that the server ends is replaced at the next query.
  pool.on("error", () => undefined);
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}
