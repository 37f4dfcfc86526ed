import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { devnetFile, type DevnetState } from "@verai/client/devnet";
import { DevnetError } from "./errors.ts";

/** Marks a folder as the devnet's, which may be emptied. */
const MARK = ".drmp-devnet";

/**
 * Empties the devnet's folder: what an earlier one left there is removed.
 *
 * @throws DevnetError `FOLDER_FOREIGN` for a folder with anything in it that no devnet has made.
 */
export async function prepareFolder(folder: string): Promise<void> {
  const content = await readdir(folder).catch((): string[] => []);
  if (content.length > 0 && !content.includes(MARK)) {
    throw new DevnetError(
      "FOLDER_FOREIGN",
      `${folder} is not empty, and no devnet has made it: name an empty folder in DRMP_DEVNET, or unset it.`,
    );
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, MARK), "The devnet removes everything in this folder when it starts.\n");
}

/** Writes the file by which commands find the devnet; its token is for its user alone. */
export async function writeState(folder: string, state: DevnetState): Promise<void> {
  const file = devnetFile(folder);
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Commands find no devnet from now on. */
export async function removeState(folder: string): Promise<void> {
  if (existsSync(devnetFile(folder))) await rm(devnetFile(folder));
}
