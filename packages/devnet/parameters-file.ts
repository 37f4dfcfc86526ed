import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ROOT } from "./processes.ts";

/** Who holds the roles of a deployment. */
export interface RoleHolders {
  readonly governance: string;
  readonly guardian: string;
  readonly arbiter: string;
  readonly treasury: string;
}

/**
 * BASE Sepolia's own parameters file with its place-holders filled in, nothing else changed.
 *
 * @returns The coordinator's address that it names.
 */
export async function fillParameters(target: string, holders: RoleHolders): Promise<{ vrfCoordinator: string }> {
  const text = await readFile(join(ROOT, "ignition", "parameters", "baseSepolia.json"), "utf8");
  const json = JSON.parse(text) as { Drmp: Record<string, unknown> & { vrfCoordinator: string } };
  for (const [role, address] of Object.entries(holders)) {
    if (!String(json.Drmp[role]).startsWith("REPLACE_ME"))
      throw new Error(`the parameters file has no place for ${role}`);
    json.Drmp[role] = address;
  }
  await writeFile(target, JSON.stringify(json, null, 2));
  return json.Drmp;
}
