import { readFile } from "node:fs/promises";

import { z } from "zod";
import { CommandError } from "../errors.ts";

/** A governed parameter in a file: its value and the bounds that it never leaves. */
const bounded = z.object({ value: z.number(), min: z.number(), max: z.number() });

const file = z.object({
  Drmp: z.looseObject({
    governance: z.string(),
    guardian: z.string(),
    arbiter: z.string(),
    treasury: z.string(),
    parameterDelay: z.number(),
    adminDelay: z.number(),
    vrfCoordinator: z.string().optional(),
    vrfKeyHash: z.string(),
    vrfCallbackGasLimit: z.number(),
    vrfConfirmations: z.number(),
    auditTerms: z.object({
      epoch: z.number(),
      openTime: z.number(),
      step: z.number(),
      chance: z.number(),
      newChance: z.number(),
      loss: z.number(),
      panelOwners: z.number(),
    }),
    classes: z.array(z.object({ name: z.string(), tickSize: z.number() })),
  }),
});

/** What a deployment was asked to be. */
export type DeploymentParameters = z.output<typeof file>["Drmp"] & {
  /** Governed parameters by the names that the contracts use. */
  readonly governed: ReadonlyMap<string, z.output<typeof bounded>>;
};

/**
 * Reads an Ignition parameters file.
 *
 * @throws Error naming the file and what is wrong with it.
 */
export async function readParameters(path: string): Promise<DeploymentParameters> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CommandError(
      "FILE_UNUSABLE",
      `The parameters file ${path} cannot be read; name another with --parameters.`,
      { cause },
    );
  });
  const parsed = file.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new CommandError(
      "FILE_UNUSABLE",
      `The parameters file ${path} does not fit:\n${z.prettifyError(parsed.error)}`,
    );
  const governed = new Map<string, z.output<typeof bounded>>();
  for (const [name, value] of Object.entries(parsed.data.Drmp)) {
    const one = bounded.safeParse(value);
    if (one.success) governed.set(name, one.data);
  }
  return { ...parsed.data.Drmp, governed };
}
