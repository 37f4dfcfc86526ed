import { join } from "node:path";

import { sql } from "kysely";

import { connectChecked } from "@verai/process/check/connect";
import { directoryFindings } from "@verai/process/check/files";
import { CheckList, type CheckReport, type Finding } from "@verai/process/check/finding";
import { clashFindings, type PortUse, takenFindings } from "@verai/process/check/ports";
import type { IndexerConfig } from "./config.ts";
import { databaseOf } from "./database-choice.ts";
import { openPostgres } from "./database/postgres.ts";

/** Room that a year of history needs, bytes: 1,000,000 leases take about 2 GiB. */
const MIN_FREE = 4 * 2 ** 30;

/** An indexer sends nothing. */
export const NO_FEES = { maxFeePerGas: "100000", stuckAfter: 30 } as const;

function ports({ api, service }: IndexerConfig): PortUse[] {
  return [
    { entry: "api.port", host: api.host, port: api.port },
    { entry: "service.port", host: service.host, port: service.port },
  ];
}

/** Everything of a configuration that can be judged without asking anybody. Pure. */
export function configFindings(config: IndexerConfig): Finding[] {
  return clashFindings(ports(config));
}

/** Looks at everything that `run` will use, and changes nothing. */
export async function checkIndexer(
  config: IndexerConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckReport> {
  const list = new CheckList();
  const { network, dataDir, database, fromBlock } = config;
  list.add(...configFindings(config), ...(await takenFindings(ports(config))));
  list.add(...(await directoryFindings("dataDir", dataDir, database ? 2 ** 20 : MIN_FREE)));
  await list.part("database", "a database that answers", async () => {
    const choice = databaseOf(config, env);
    if (choice.kind === "sqlite") {
      list.fact("database", `SQLite, ${choice.file}`);
      return;
    }
    const db = openPostgres(choice.url, 1);
    try {
      const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db);
      list.fact("database", `PostgreSQL ${rows[0]?.version ?? ""}`);
    } finally {
      await db.destroy();
    }
  });
  const session = await connectChecked(list, { network, fees: NO_FEES, journals: join(dataDir, "journals"), env });
  if (!session) return list.report;
  await list.part("network", "a chain that answers", async () => {
    const block = await session.reader.block();
    list.fact("network", `chain ${String(network.chainId)}, block ${String(block.number)}`);
    if (fromBlock > block.number) {
      list.add({
        level: "error",
        entry: "fromBlock",
        value: String(fromBlock),
        what: "is above the chain's newest block",
        bound: `at most ${String(block.number)}`,
        remedy: "set it to the block of the deployment",
      });
    }
  });
  session.close();
  return list.report;
}
