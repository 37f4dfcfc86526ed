import { z } from "zod";

import { fees, keySource, network, path, ver, wholeWithin } from "@verai/process/schema";
import { MAX_AUDIT_CHANCE, MAX_UNIT_TIME } from "@verai/protocol/money/units";

/** Configuration of a developer's client. */
export const developerConfig = z.strictObject({
  network,
  fees,
  /** Key that pays for the tasks. */
  key: keySource,
  /** Specs, results and journals. */
  dataDir: path,
  /** Further trainers, beside the built-in ones, that the nodes are known to have. */
  trainers: z.array(z.string()).default([]),
  /** Multiaddrs of hosts that give the keys of confidential tasks; none: this client, while it runs. */
  keyHosts: z.array(z.string()).max(8).default([]),
  /** The store that serves specs. */
  store: z
    .strictObject({
      /** Multiaddrs to listen on. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/0"]),
    })
    .prefault({}),
});

/** What a developer wants trained: the terms beside the spec. Amounts of VER as people write them. */
export const taskTerms = z.strictObject({
  /** Units of the task. */
  units: wholeWithin(1, 2 ** 20, "units"),
  /** Maximum price of a unit, VER. */
  maxPrice: ver,
  /** Classes that may serve the task: name → surcharge in VER, which steers the choice and is never paid. */
  classes: z.record(z.string(), ver),
  /** VER for a kilogram of CO2: adds price × carbon of a unit to each class's surcharge, so that clean regions are preferred. */
  carbonPrice: ver.optional(),
  /** Seconds between two checkpoints of a lease. */
  checkpointInterval: wholeWithin(1, 30 * 86_400, "seconds"),
  /** Longest time that a unit may take; left out: a day, or until the deadline if that is sooner. */
  maxUnitTime: wholeWithin(1, MAX_UNIT_TIME, "seconds").optional(),
  /** Other nodes that must hold a checkpoint before it counts, 0 to 4. */
  replicas: wholeWithin(0, 4, "nodes").default(1),
  /**
   * Chance with which each segment of the work is audited at least, basis points. Left out: what the usual fee
   * pays for, two thirds of it, if the program is a built-in trainer with `checkpoint.everySteps` and not confidential; else 0, no audits.
   */
  auditChance: wholeWithin(0, MAX_AUDIT_CHANCE, "basis points").optional(),
  /** Seconds from now until the deadline for results. */
  within: wholeWithin(1, 366 * 86_400, "seconds"),
});

export type DeveloperConfig = z.output<typeof developerConfig>;
export type TaskTerms = z.output<typeof taskTerms>;
