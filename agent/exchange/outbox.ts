import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Seal } from "@verai/executor/sealed/seal";
import { sealTree } from "@verai/executor/sealed/tree";
import { linkTree, treeBudget } from "@verai/executor/snapshot";
import { type ExchangeName, parseExchangeName, parseWantName } from "@verai/executor/exchange";
import { systemCode } from "@verai/system/durable";

/** Entries that are looked at: a program that leaves more is no longer served. */
const MAX_ENTRIES = 1_000;

/** A file that a program has published. */
export interface Published extends ExchangeName {
  readonly path: string;
  /** Another one where the file was replaced. */
  readonly version: string;
}

/** What a program has left in `out/`. */
export interface Outbox {
  readonly files: readonly Published[];
  /** What it asks for. */
  readonly wants: readonly ExchangeName[];
}

/** Looks at a program's `out/`. What is no plain file there is passed over. O(entries). */
export async function readOutbox(directory: string): Promise<Outbox> {
  const files: Published[] = [];
  const wants: ExchangeName[] = [];
  const names = (await entriesOf(directory)).slice(0, MAX_ENTRIES);
  for (const { name, isFile } of names) {
    if (!isFile) continue;
    const want = parseWantName(name);
    if (want) wants.push(want);
    const file = parseExchangeName(name);
    if (!file) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) files.push({ ...file, path, version: [found.ino, found.size, found.mtimeMs].join() });
  }
  return { files, wants };
}

/**
 * Takes a file out of `out/` to where its program, which runs still, can exchange it for nothing else, and seals it if there is a seal.
 *
 * @param scratch Emptied first.
 * @returns Path of what can be stored.
 * @throws WorkloadError `OUTPUT_INVALID` if it is no plain file, or larger than the bound
 */
export async function takeFile(path: string, scratch: string, maxBytes: number, seal?: Seal): Promise<string> {
  const [taken, sealed] = [join(scratch, "taken"), join(scratch, "sealed")];
  await rm(scratch, { recursive: true, force: true });
  await linkTree(path, taken, treeBudget(maxBytes));
  if (seal === undefined) return taken;
  await sealTree(taken, sealed, seal);
  return sealed;
}

/** Removes from `in/` what is not among these paths below it. Directories that become empty are also removed. */
export async function tidyInbox(directory: string, kept: ReadonlySet<string>): Promise<void> {
  for (const { name, isFile } of await entriesOf(directory)) {
    if (isFile || parseExchangeName(name) === undefined) continue;
    const held = await entriesOf(join(directory, name));
    const gone = held.filter((each) => !kept.has(`${name}/${each.name}`));
    for (const each of gone) await rm(join(directory, name, each.name), { recursive: true, force: true });
    if (gone.length === held.length) await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function entriesOf(directory: string): Promise<{ name: string; isFile: boolean }[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFile: entry.isFile() }));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
