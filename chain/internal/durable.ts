import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a small file so that after a crash, of the machine too, either the old or the new content is there: the file
 * and its directory are synced. Readable by its owner alone.
 *
 * @throws What the file system says; the old content then stays.
 */
export async function writeDurably(file: string, text: string): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${String(process.pid)}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // Else the rename may be lost while the caller relies on it.
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file's text; undefined if there is none. @throws What the file system says otherwise. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Moves a damaged file out of the way, for people to look at. @returns Its new name. */
export async function setAside(file: string): Promise<string> {
  const aside = `${file}.${String(Date.now())}.bad`;
  await rename(file, aside);
  return aside;
}
