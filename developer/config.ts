import { z } from "zod";

import { fees, keySource, network, ver } from "../service/schema.ts";

/** Configuration of a developer's client. */
export const developerConfig = z.strictObject({
  network,
  fees,
  /** Key that pays for the tasks. */
  key: keySource,
  /** Specs, results and journals. */
  dataDir: z.string(),
  store: z
    .strictObject({
      /** Multiaddrs to listen on. */
      listen: z.array(z.string()).default(["/ip4/0.0.0.0/tcp/0"]),
    })
    .prefault({}),
});

/** What a developer wants trained: the terms beside the spec. Amounts of VER as people write them. */
export const taskTerms = z.strictObject({
  units: z.number().int().positive(),
  /** The most a unit may cost. */
  maxPrice: ver,
  /** Class name → surcharge in VER; it steers the choice and is not paid. */
  classes: z.record(z.string(), ver),
  /** VER for a kilogram of CO2: adds price × carbon of a unit to each class's surcharge, so that clean regions are preferred. */
  carbonPrice: ver.optional(),
  checkpointInterval: z.number().int().positive(),
  /** Other nodes that must hold a checkpoint before it counts, 0 to 4. */
  replicas: z.number().int().min(0).max(4).default(1),
  /** Seconds from now on until the results must be there. */
  within: z.number().int().positive(),
});

export type DeveloperConfig = z.output<typeof developerConfig>;
export type TaskTerms = z.output<typeof taskTerms>;
