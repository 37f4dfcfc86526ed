import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";

const PART_BYTES = 1024 * 1024;
/** Bytes that are shown of each side. */
const SHOWN_BYTES = 16;

/** Where two trees first differ, in the order of names. */
export interface Difference {
  /** Path below the roots. */
  readonly path: string;
  /** `content`, or `kind` where only one has it or one is a file and the other a directory. */
  readonly kind: "content" | "kind";
  /** First byte that differs. */
  readonly offset?: number;
  /** Bytes from there, hexadecimal; empty where a file has ended. Or what each side has. */
  readonly one: string;
  readonly other: string;
}

/** The first difference of two files or directories; undefined if there is none. Reads every byte up to it. */
export async function firstDifference(one: string, other: string, path = ""): Promise<Difference | undefined> {
  const [a, b] = await Promise.all([kindOf(one), kindOf(other)]);
  if (a !== b) return { path, kind: "kind", one: a, other: b };
  if (a === "nothing") return undefined;
  if (a === "file") return differenceOfFiles(one, other, path);
  const names = new Set([...(await readdir(one)), ...(await readdir(other))]);
  for (const name of [...names].sort()) {
    const found = await firstDifference(join(one, name), join(other, name), join(path, name));
    if (found) return found;
  }
  return undefined;
}

async function kindOf(path: string): Promise<"file" | "directory" | "nothing"> {
  return lstat(path).then(
    (stats) => (stats.isDirectory() ? "directory" : "file"),
    () => "nothing" as const,
  );
}

async function differenceOfFiles(one: string, other: string, path: string): Promise<Difference | undefined> {
  const files = await Promise.all([open(one, "r"), open(other, "r")]);
  try {
    const [a, b] = files;
    for (let at = 0; ; at += PART_BYTES) {
      const [left, right] = await Promise.all([read(a, at), read(b, at)]);
      if (left.equals(right)) {
        if (left.length < PART_BYTES) return undefined;
        continue;
      }
      let i = 0;
      while (i < left.length && i < right.length && left[i] === right[i]) i++;
      const shown = (bytes: Buffer) => bytes.toString("hex", i, Math.min(bytes.length, i + SHOWN_BYTES));
      return { path, kind: "content", offset: at + i, one: shown(left), other: shown(right) };
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

async function read(file: Awaited<ReturnType<typeof open>>, at: number): Promise<Buffer> {
  const buffer = Buffer.alloc(PART_BYTES);
  let got = 0;
  while (got < PART_BYTES) {
    const { bytesRead } = await file.read(buffer, got, PART_BYTES - got, at + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return buffer.subarray(0, got);
}
