import type { CID } from "multiformats/cid";

import type { BlockSink } from "./import.ts";
import { importDirectory } from "./import.ts";

/** Takes blocks, and keeps none. The importer only writes. */
const nowhere: BlockSink = {
  put: (cid) => cid,
  has: () => false,
  get: (cid) => {
    throw new Error(`Block ${cid.toString()} was not kept: only its CID was asked for`);
  },
};

/**
 * The CID that a directory would have if it were added to a store, without storing anything. Only names and contents count.
 * Reads every byte; memory is bounded as in an import.
 *
 * @throws {@link CheckpointError} `INVALID_SOURCE` if there is anything but plain files and directories, or too much of it
 */
export async function treeCid(path: string): Promise<CID> {
  return (await importDirectory(path, nowhere)).cid;
}
