import { z } from "zod";

import { eth, fees, keySource, network, path, rpcUrl, service, wholeWithin, within } from "@verai/process/schema";

/** Configuration of a keeper process. Times in seconds. */
export const keeperConfig = z.strictObject({
  network: network.extend({
    /** A second endpoint of the same chain: a lease is expired only if this one also sees it overdue. */
    confirmRpcUrl: rpcUrl.optional(),
  }),
  fees,
  /** Key that pays for gas and earns bounties. Without one the keeper only says what it would do. */
  key: keySource.optional(),
  /** ETH below which the balance counts as low: it is logged, and `/metrics` has it for alerts. */
  lowFunds: eth.default("0.001"),
  /**
   * How final a block must be before the keeper expires an overdue lease, or aborts a round or batch after its time-out:
   * the newest block, the newest that has been posted to the L1, or the newest that is final there.
   */
  finality: z
    .enum(["latest", "safe", "finalized"], { error: 'has to be "latest", "safe" or "finalized"' })
    .default("safe"),
  /** Which keepers this process runs. */
  keepers: z
    .array(z.enum(["allocation", "failover", "reports", "balancing", "audits"]))
    .nonempty()
    .default(["allocation", "failover", "reports", "balancing", "audits"]),
  /** Journals of transactions in flight. */
  dataDir: path,
  /** Seconds between two reads of the chain. */
  interval: within(0.1, 600, "seconds").default(4),
  /** Rounds. */
  allocation: z
    .strictObject({
      /** Seconds that the newest task waits for others before a round opens: the more tasks, the better the joint optimum. */
      minRoundAge: within(0, 3600, "seconds").default(10),
      /** Maximum seconds by which this keeper lets others post first, so that keepers do not pay for the same thing; turns change each round. */
      staggerSeconds: within(0, 600, "seconds").default(6),
    })
    .prefault({}),
  /** Reports. */
  reports: z
    .strictObject({
      /** Multiaddrs at which agents' reports are received; the peer id is made at the first start, and stays. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/4003"]),
      /** Multiaddrs that agents reach this keeper by, if they differ. */
      announce: z.array(z.string()).default([]),
      /** Seconds that a report waits for others, so that they share the cost of a transaction. */
      batchSeconds: within(0, 3600, "seconds").default(20),
      /** Maximum number of reports in a transaction. */
      batchReports: wholeWithin(1, 200, "reports").default(100),
      /** What a node has to pay for the posting of a report, micro-VER; its owner pays in advance. */
      minFee: wholeWithin(0, 65_535, "micro-VER").default(0),
    })
    .prefault({}),
  /** Balancing of loads. */
  balancing: z
    .strictObject({
      /** Percentage points beyond the band at which a node starts to give or take work: noise below a quarter of it moves nothing. */
      hysteresis: within(0, 50, "percentage points").default(2),
      /**
       * Worth, in VER an hour, of bringing a node that lies a whole band from the average one percentage point nearer; more
       * in proportion to the distance. Work moves only where that gains more than the move costs.
       */
      pointValue: within(0, 1e6, "VER an hour").default(0.008),
      /** Seconds for which a move is counted on to help: until what moved has ended, or the market has filled the node again. */
      lasting: within(1, 604_800, "seconds").default(480),
      /** Seconds that a unit stands still while it moves. */
      pause: within(0, 86_400, "seconds").default(180),
      /** Price of gas that the transactions of a move are reckoned with, gwei. */
      gasPrice: within(0, 1e6, "gwei").default(0.006),
      /** VER that an ETH is worth. */
      verPerEth: within(0, 1e12, "VER").default(3000),
      /** Maximum share of the granted units that moves for their load, percent. */
      mostMoved: within(0, 10_000, "percent").default(29.5),
    })
    .prefault({}),
  service,
});

export type KeeperConfig = z.output<typeof keeperConfig>;
