import { z } from "zod";

import { ENERGY_SOURCES } from "@verai/client/enums";
import { eth, fees, keySource, network, path, service, ver, wholeWithin, within } from "@verai/process/schema";
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
  dataDir: path,
  /** MiB that stay free on the disk of `dataDir`; with less, the node takes no new leases. */
  minFree: within(1, 2 ** 24, "MiB").default(64),
  /** What the node offers; registered on chain. */
  node: z.strictObject({
    /** Class by name, such as "cpu/eu". */
    class: z.string(),
    /** Units that this machine runs at once: every leased unit runs, so that every lease gets its checkpoints in time. */
    capacity: wholeWithin(1, 16_777_215, "units"),
    /** VER for a unit; or how it follows the market, which needs the owner's key. */
    ask: z.union([
      ver,
      z.strictObject({
        /** What it follows: the clearing prices of the class's last rounds. */
        follow: z.literal("clearing"),
        /** VER that it never goes below: what a unit costs you. Also the first ask, until a price is known. */
        floor: ver,
        /** VER that it never goes above. */
        ceiling: ver,
        /** Percent below the median of the clearing prices: who asks exactly that is served last. */
        below: within(0, 50, "percent").default(2),
        /** Seconds from one change to the next at least; each is a transaction of the owner. */
        every: within(600, 604_800, "seconds").default(21_600),
        /** Percent of the ask below which a change is not worth its gas. */
        step: within(0.1, 50, "percent").default(3),
      }),
    ]),
    /** Average watts above which the node wants no more work. */
    powerThreshold: wholeWithin(0, 2 ** 32 - 1, "watts"),
    /** Maximum watts of the machine; the network refuses reports above it. */
    powerMax: wholeWithin(1, 2 ** 32 - 1, "watts"),
    /** Where the machine's electricity comes from, as its owner declares. */
    energySource: z.enum(ENERGY_SOURCES),
  }),
  /** The store of checkpoints and results. */
  store: z
    .strictObject({
      /** Multiaddrs to listen on. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/4001"]),
      /** Multiaddrs that others reach this machine by, if they differ. */
      announce: z.array(z.string()).default([]),
      /** Serving checkpoints over HTTP, several times as fast as bitswap; false for none. */
      http: z
        .union([
          z.literal(false),
          z.strictObject({
            /** Multiaddr to listen on, `/ip4/…/tcp/…/http`; left out: the port above that of the first in `listen`. */
            listen: z.string().optional(),
            /** Multiaddrs that others reach it by; left out: its port under the hosts that libp2p is reached by. */
            announce: z.array(z.string()).optional(),
          }),
        ])
        .prefault({}),
      /** Maximum bytes of checkpoints on disk; unpinned content is deleted when space is needed. */
      maxBytes: z
        .number()
        .int()
        .positive()
        .default(64 * 2 ** 30),
      /** Copies of results, and of checkpoints whose task asks for none, that exist in the network beside the producer's. */
      replicas: z.number().int().min(0).max(8).default(1),
      /** Bytes of the largest checkpoint of another node that this one copies and signs for. */
      maxCheckpoint: z
        .number()
        .int()
        .positive()
        .default(8 * 2 ** 30),
    })
    .prefault({}),
  /**
   * A door for web pages: an HTTP endpoint at which people without a node have specs held by other nodes before they submit a task,
   * and read results and logs of their own tasks. Left out: none.
   */
  door: z
    .strictObject({
      /** Address to listen on. */
      host: z.string().default("127.0.0.1"),
      /** TCP port; 0 picks a free one. */
      port: z.number().int().min(0).max(65535).default(9500),
      /** Proxies in front of it that add to `X-Forwarded-For`; 0: it is reached directly. */
      proxies: wholeWithin(0, 4, "proxies").default(0),
      /** Specs of one client address in an hour; addresses of IPv6 count by their first 64 bits. */
      specsPerHour: wholeWithin(1, 10_000, "specs").default(20),
      /** MiB of the largest result that is fetched for a page; larger ones are for `task:result`. */
      maxResult: wholeWithin(1, 1_024, "MiB").default(64),
    })
    .optional(),
  /** How the machine's energy is measured; what cannot be measured is estimated, and reported as estimated. */
  power: z
    .strictObject({
      /**
       * Linux' powercap tree with the processor's energy counters; empty: do not look. Named here, it must be readable; without,
       * the usual place is looked at, and the energy is estimated if the counters there are locked.
       */
      powercap: z.string().optional(),
      /** NVIDIA's tool; empty: do not look. */
      nvidiaSmi: z.string().default("nvidia-smi"),
      /**
       * GPUs of the node, where `executor.gpus` names none; left out: all that NVIDIA's tool lists, and one where it lists
       * none.
       */
      gpus: wholeWithin(1, 1024, "GPUs").optional(),
      /** Idle and maximum watts of the processor, where you know better than the table of averages. */
      watts: z
        .strictObject({
          /** Watts at rest. */
          idle: z.number().nonnegative(),
          /** Watts at full load. */
          max: z.number().positive(),
        })
        .optional(),
    })
    .prefault({}),
  /** Reports of load, latency and energy. */
  telemetry: z
    .strictObject({
      /** Multiaddrs of keepers that collect reports; several of one keeper separated by commas. */
      keepers: z.array(z.string()).default([]),
      /** CPUs that the node has of this machine, if it is not all of it: then only what the agent runs counts as load. */
      cpus: within(0.01, 4096, "CPUs").optional(),
      /** Where procfs is mounted: the load is read from its file `stat`. For a container that has the machine's elsewhere. */
      procfs: z.string().startsWith("/").default("/proc"),
      /** Seconds between two readings of the meters. */
      sampleEvery: within(0.1, 300, "seconds").default(5),
      /** Seconds after which the node posts a report itself that no keeper has posted; a third of the time-out by default. */
      selfPostAfter: within(0, 86_400, "seconds").optional(),
      /** Seconds after which the node reports its energy at the latest; it also does so when a lease is over. */
      energyInterval: within(10, 36_000, "seconds").default(21_600),
    })
    .prefault({}),
  /** Doing drawn segments of other nodes' work again, for pay, in capacity that no lease needs. */
  audits: z
    .strictObject({
      /** Whether the node can be drawn to verify segments of its class; one that is drawn and commits has to reveal, or loses a bond. */
      verify: z.boolean().default(true),
      /** Segments that are run again at the same time, at most. */
      atOnce: wholeWithin(1, 64, "segments").default(2),
    })
    .prefault({}),
  /** Offers the machine only while its owner does not use it. */
  idleOnly: z
    .strictObject({
      /** Share of the machine, used by anything but the agent, above which the owner counts as present. */
      othersLoad: z.number().positive().max(1).default(0.2),
      /** Seconds of quiet after which the machine is offered. */
      idleAfter: within(1, 86_400, "seconds").default(300),
    })
    .optional(),
  /** Seconds between two reads of the chain. */
  interval: within(0.1, 600, "seconds").default(4),
  /** VER of earnings from which the agent claims them for the owner, if it has the owner's key. */
  claimAbove: ver.default("1"),
  /** ETH of the operator below which its balance counts as low: it is logged, and `/metrics` has it for alerts. */
  lowFunds: eth.default("0.001"),
  /** Seconds that a workload gets to write its last checkpoint. */
  grace: within(0.1, 3600, "seconds").default(20),
  /** Seconds between two spot checks of those who hold this node's checkpoints. */
  spotCheck: within(0.1, 86_400, "seconds").default(60),
  /** Seconds to try to fetch a task's spec before giving the lease back. */
  specTimeout: within(1, 86_400, "seconds").default(120),
  /** What runs units: containers by default, processes on a local chain. */
  executor: executorConfig,
  service,
});

export type AgentConfig = z.output<typeof agentConfig>;
