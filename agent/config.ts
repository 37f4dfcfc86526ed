import { z } from "zod";

import { ENERGY_SOURCES } from "../chain/words.ts";
import { fees, keySource, network, service, ver } from "../service/schema.ts";
import { executorConfig } from "./executor-config.ts";

/** Configuration of a node agent. Amounts of VER as people write them: "0.012". Paths are relative to the working directory. */
export const agentConfig = z.strictObject({
  network,
  fees,
  /** The node's operator key: the agent signs with it. */
  operator: keySource,
  /** The owner's key. Needed to register and to claim; leave it out to do that from your wallet. */
  owner: keySource.optional(),
  /** Everything that the agent remembers: identity, checkpoints, work. */
  dataDir: z.string(),
  /** MiB that stay free on the disk of `dataDir`; with less, the node takes no new leases. */
  minFree: z.number().positive().default(64),
  node: z.strictObject({
    /** Class by name, such as "cpu/eu". */
    class: z.string(),
    /** Units that this machine runs at once: every leased unit runs, so that every lease gets its checkpoints in time. */
    capacity: z.number().int().positive(),
    /** VER for a unit. */
    ask: ver,
    /** Average watts above which the node wants no more work. */
    powerThreshold: z.number().int().nonnegative(),
    energySource: z.enum(ENERGY_SOURCES),
  }),
  store: z
    .strictObject({
      /** Multiaddrs to listen on. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/4001"]),
      /** Multiaddrs that others reach this machine by, if they differ. */
      announce: z.array(z.string()).default([]),
      /** Copies of other nodes' newest checkpoints that exist in the network beside the producer's own. */
      replicas: z.number().int().min(0).max(8).default(1),
    })
    .prefault({}),
  /** Seconds between two looks at the chain. */
  interval: z.number().positive().default(4),
  /** VER of earnings from which the agent claims them for the owner, if it has the owner's key. */
  claimAbove: ver.default("1"),
  /** Seconds that a workload gets to write its last checkpoint. */
  grace: z.number().positive().default(20),
  /** Seconds to try to fetch a task's spec before giving the lease back. */
  specTimeout: z.number().positive().default(120),
  executor: executorConfig,
  service,
});

export type AgentConfig = z.output<typeof agentConfig>;
