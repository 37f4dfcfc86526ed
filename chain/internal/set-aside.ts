import { readFile, rename } from "node:fs/promises";

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
