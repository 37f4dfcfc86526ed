import { join } from "node:path";

import { ConfigError } from "@verai/process/config";
import type { IndexerConfig } from "./config.ts";
import type { DatabaseChoice } from "./database/open.ts";

/**
 * The database that a configuration names.
 *
 * @throws ConfigError if the environment has no address of PostgreSQL.
 */
export function databaseOf(
  { database, dataDir }: Pick<IndexerConfig, "database" | "dataDir">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): DatabaseChoice {
  if (!database) return { kind: "sqlite", file: join(dataDir, "history.db") };
  const { postgresUrlEnv, connections } = database;
  const url = env[postgresUrlEnv] ?? "";
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: "postgres", url, connections };
  throw new ConfigError(
    `The environment variable ${postgresUrlEnv} ${url === "" ? "is not set" : "holds no address of PostgreSQL"}: set it to postgres://user@host/name.`,
  );
}
