import { z } from "zod";

import { fees, keySource, network, path, ver, wholeWithin } from "@verai/process/schema";

/** Configuration of a developer's client. */
export const developerConfig = z.strictObject({
  network,
  fees,
  /** Key that pays for the tasks. */
  key: keySource,
  /** Specs, results and journals. */
  dataDir: path,
  /** Trainers beside the built-in ones that the nodes which are to run the tasks are known to have. */
  trainers: z.array(z.string()).default([]),
  store: z
    .strictObject({
      /** Multiaddrs to listen on. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/0"]),
    })
    .prefault({}),
});

/** What a developer wants trained: the terms beside the spec. Amounts of VER as people write them. */
export const taskTerms = z.strictObject({
  units: wholeWithin(1, 2 ** 20, "units"),
  /** The most a unit may cost. */
  maxPrice: ver,
  /** Class name → surcharge in VER; it steers the choice and is not paid. */
  classes: z.record(z.string(), ver),
  /** VER for a kilogram of CO2: adds price × carbon of a unit to each class's surcharge, so that clean regions are preferred. */
  carbonPrice: ver.optional(),
  checkpointInterval: wholeWithin(1, 30 * 86_400, "seconds"),
  /** Other nodes that must hold a checkpoint before it counts, 0 to 4. */
  replicas: wholeWithin(0, 4, "nodes").default(1),
  /** Seconds from now on until the results must be there. */
  within: wholeWithin(1, 366 * 86_400, "seconds"),
});

export type DeveloperConfig = z.output<typeof developerConfig>;
export type TaskTerms = z.output<typeof taskTerms>;
