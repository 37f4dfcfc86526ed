import { z } from "zod";

import { network, path, service, wholeWithin, within } from "@verai/process/schema";

/** Configuration of an indexer. */
export const indexerConfig = z.strictObject({
  network,
  /** First block that can have an event: that of the deployment. Everything before it is left out. */
  fromBlock: wholeWithin(0, 2 ** 40, "blocks").default(0),
  /** Directory for the lock and the SQLite database. */
  dataDir: path,
  /** Where history is kept: a file in `dataDir` if left out. */
  database: z
    .strictObject({
      /** Environment variable with the address of a PostgreSQL database, `postgres://user@host/name`; it may hold a password. */
      postgresUrlEnv: z
        .string()
        .regex(/^[A-Z][A-Z0-9_]{0,63}$/, { error: "has to be the name of an environment variable" }),
      /** Maximum of connections to it. */
      connections: wholeWithin(2, 100, "connections").default(10),
    })
    .optional(),
  /** Seconds between two looks at the chain. */
  interval: within(0.1, 600, "seconds").default(2),
  /** The API. */
  api: z
    .strictObject({
      /** Address to listen on. */
      host: z.string().default("127.0.0.1"),
      /** TCP port; 0 picks a free one. */
      port: z.number().int().min(0).max(65535).default(9480),
      /** Maximum of readers of live updates at once. */
      liveReaders: wholeWithin(0, 1_000, "readers").default(500),
    })
    .prefault({}),
  service,
});

export type IndexerConfig = z.output<typeof indexerConfig>;
