import { z } from "zod";

import { fees, keySource, network, service } from "../service/schema.ts";

/** Configuration of a keeper process. Times in seconds. */
export const keeperConfig = z.strictObject({
  network: network.extend({
    /** Another endpoint of the same chain: a lease is expired only if this one sees it overdue, too. */
    confirmRpcUrl: z.url().optional(),
  }),
  fees,
  /** Key that pays for gas and earns bounties. Without one the keeper only says what it would do. */
  key: keySource.optional(),
  /** Which keepers this process runs. */
  keepers: z
    .array(z.enum(["allocation", "failover"]))
    .nonempty()
    .default(["allocation", "failover"]),
  /** Journals of transactions in flight. */
  dataDir: z.string(),
  /** Seconds between two looks at the chain. */
  interval: z.number().positive().default(4),
  allocation: z
    .strictObject({
      /** Time that the last task submitted waits for company before a round opens: the more tasks, the better the joint optimum. */
      batchSeconds: z.number().nonnegative().default(10),
    })
    .prefault({}),
  service,
});

export type KeeperConfig = z.output<typeof keeperConfig>;
