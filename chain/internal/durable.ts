import { readBounded, setAside as moveAside } from "../../system/state-file.ts";

export { writeDurably } from "../../system/durable.ts";

/** Bytes that a journal or a record of a submission may have. */
const MAX_BYTES = 2 ** 26;

/** A file's text; undefined if there is none. @throws What the file system says otherwise, or that it is no file. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  return (await readBounded(file, MAX_BYTES))?.toString("utf8");
}

/** Moves a damaged file out of the way, for people to look at; who calls it tells them. @returns Its new name. */
export async function setAside(file: string): Promise<string> {
  return moveAside(file, "The file", "it cannot be understood", { error: () => undefined });
}
