import type { AnyTables } from "../api/pages.ts";
import type { OpenDatabase } from "../database/open.ts";
import { TABLES, tableOf, type TableName } from "../database/tables.ts";

/** Everything that a database has of history, by table. */
export async function dump({ writer }: OpenDatabase): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const name of Object.keys(TABLES) as TableName[]) {
    let query = (writer as unknown as AnyTables).selectFrom(name).selectAll();
    for (const column of tableOf(name).key) query = query.orderBy(column);
    found[name] = (await query.execute()).map((row) => ({ ...row }));
  }
  return found;
}
