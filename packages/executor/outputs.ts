import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { isSystemError, WorkloadError } from "./errors.ts";
import { checkTree } from "./snapshot.ts";

/** Empties an output directory; the directory itself stays, as an engine may have it mounted. O(files). */
export async function clearOutputs(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
}

/**
 * Checks what a workload that ended well has left in its output directory: everything that its spec promises, and
 * nothing but plain files, directories and links that stay among them (any other link would have the agent publish
 * whatever it leads to). O(files).
 *
 * @param outputs Relative paths from the spec.
 * @throws {@link WorkloadError} `OUTPUT_INVALID`
 */
export async function checkOutputs(directory: string, outputs: readonly string[]): Promise<void> {
  await checkTree(directory);
  for (const output of outputs) {
    try {
      await lstat(join(directory, output));
    } catch (error) {
      if (!isSystemError(error, "ENOENT") && !isSystemError(error, "ENOTDIR")) throw error;
      throw new WorkloadError(
        "OUTPUT_INVALID",
        `The workload ended with exit code 0, but there is no "${output}" among its outputs: ` +
          `it has to write it below DRMP_OUTPUT_DIR, or the spec must not name it.`,
      );
    }
  }
}
