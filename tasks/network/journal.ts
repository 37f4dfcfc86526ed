import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { status } from "@nomicfoundation/ignition-core";
import type { Provider } from "ethers";

import { ChainError } from "@verai/client/errors";

/** What an earlier run of a deployment has left. */
export interface Journal {
  /** The steps that went through. */
  readonly done: ReadonlySet<string>;
  /** It is to be forgotten when the new deployment begins, and not before. */
  readonly stale: boolean;
}

/**
 * Reads what an earlier run of a deployment has done. Changes nothing.
 *
 * @param reset Forgets that there was an earlier run.
 * @param local Whether the chain is one that is started again every now and then: then so is what was deployed on it.
 * @throws {@link ChainError} `DEPLOYMENT_GONE` if the chain does not have what the journal says.
 */
export async function openJournal(
  directory: string,
  provider: Provider,
  reset: boolean,
  local: boolean,
): Promise<Journal> {
  if (!existsSync(join(directory, "journal.jsonl"))) return { done: new Set(), stale: reset };
  if (reset) return { done: new Set(), stale: true };
  const text = await readFile(join(directory, "deployed_addresses.json"), "utf8").catch(() => "{}");
  for (const [step, address] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    if ((await provider.getCode(address)) !== "0x") continue;
    if (!local) {
      throw new ChainError(
        "DEPLOYMENT_GONE",
        false,
        `There is no contract at ${address}, where ${directory} says that ${step} is: it is of another chain. Name another ` +
          "deployment with --deployment-id, or start again with --reset.",
      );
    }
    return { done: new Set(), stale: true };
  }
  return { done: new Set((await status(directory)).successful), stale: false };
}
