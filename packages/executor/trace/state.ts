import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { treeCid } from "@verai/checkpoint-store/tree-cid";
import type { CID } from "multiformats/cid";

import type { Checkpoint } from "../checkpoints.ts";
import type { Seal } from "../sealed/seal.ts";
import { sealTree } from "../sealed/tree.ts";
import { linkTree, type TreeBudget } from "../snapshot.ts";

/** How states are stored. */
export interface StateOptions {
  /** Of a confidential task: the state is then what is stored sealed. */
  readonly seal?: Seal | undefined;
  readonly budget?: TreeBudget | undefined;
}

/** Puts a unit's state as it is stored together: its checkpoint, and nothing else. @param to Does not exist yet. */
export async function layState(
  checkpoint: Pick<Checkpoint, "name" | "path">,
  to: string,
  budget?: TreeBudget,
): Promise<void> {
  await linkTree(checkpoint.path, join(to, "checkpoint", checkpoint.name), budget);
}

/** Puts the state of a unit that is done as it is stored together: its output, and a marker. @param to Does not exist yet. */
export async function layDone(output: string, to: string, budget?: TreeBudget): Promise<void> {
  await linkTree(output, join(to, "output"), budget);
  await writeFile(join(to, "done"), "");
}

/**
 * The CID of a unit's state: that of the directory `unit-<index>` in a posted checkpoint. It holds the checkpoint alone, so it
 * follows from what the program wrote: no log, time or name of a machine is part of it. Reads every byte.
 *
 * @param scratch A directory that is made, used and removed; on the same file system as the checkpoint.
 * @throws WorkloadError `OUTPUT_INVALID` if the checkpoint has what cannot be stored.
 */
export async function stateCid(
  checkpoint: Pick<Checkpoint, "name" | "path">,
  scratch: string,
  { seal, budget }: StateOptions = {},
): Promise<CID> {
  return inScratch(scratch, seal, (plain) => layState(checkpoint, plain, budget));
}

/** The CID of the state of a unit that is done: its output is all of it. See {@link stateCid}. */
export async function doneCid(output: string, scratch: string, { seal, budget }: StateOptions = {}): Promise<CID> {
  return inScratch(scratch, seal, (plain) => layDone(output, plain, budget));
}

/** A state's digest as contracts keep it: the SHA-256 in its CID, whose codec is always dag-pb. */
export function digestOf({ multihash }: CID): string {
  return `0x${Buffer.from(multihash.digest).toString("hex")}`;
}

async function inScratch(scratch: string, seal: Seal | undefined, lay: (plain: string) => Promise<void>): Promise<CID> {
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  try {
    const [plain, sealed] = [join(scratch, "plain"), join(scratch, "sealed")];
    await lay(plain);
    if (seal === undefined) return await treeCid(plain);
    await sealTree(plain, sealed, seal);
    return await treeCid(sealed);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
