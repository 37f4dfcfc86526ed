import { lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { traceUnits, type UnitTrace } from "@verai/protocol/audits/trace";

/** File of a posted checkpoint, beside its units' states. */
const NAME = "trace";
/** Bytes of a line: a word in hexadecimal with 0x, and its end. */
const LINE_BYTES = 67;

/**
 * Writes into a checkpoint what a verifier of one of its units cannot know, and needs to open that unit's part of the trace: the hashes of all
 * units of the segment, one a line. They say nothing of the states beneath.
 */
export async function writeTraceHashes(directory: string, units: readonly UnitTrace[]): Promise<void> {
  await writeFile(join(directory, NAME), traceUnits(units).join("\n") + "\n");
}

/**
 * The hashes that a checkpoint says; none if it says none that could be. Nobody has checked them.
 *
 * @param most Units that it can have.
 */
export async function readTraceHashes(directory: string, most: number): Promise<string[]> {
  const path = join(directory, NAME);
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > most * LINE_BYTES) return [];
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  return lines.every((line) => /^0x[0-9a-f]{64}$/.test(line)) ? lines : [];
}
