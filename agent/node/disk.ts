import { statfs } from "node:fs/promises";

/** Inodes that have to be free, where the file system has a fixed number of them: at most so many, or this share of all. */
const MIN_INODES = 10_000;
const MIN_INODE_SHARE = 0.02;

/** What `statfs` tells of a file system. */
export interface FileSystemSpace {
  readonly bavail: number;
  readonly bsize: number;
  /** Inodes in all, 0 where there is no fixed number; and those that are free. */
  readonly files: number;
  readonly ffree: number;
}

/**
 * Knows whether there is room to work in some directories: bytes, and inodes for files. Once there is too little, there has
 * to be twice as much again: a disk on the edge must not make the node come and go.
 */
export class DiskSpace {
  /** The first of its directories. */
  readonly directory: string;
  readonly #directories: readonly string[];
  readonly #minBytes: number;
  readonly #stat: (directory: string) => Promise<FileSystemSpace>;
  #full: string | undefined;

  /**
   * @param directories One or several; the same file system may be named twice.
   * @param minBytes Free space below which there is no room.
   */
  constructor(
    directories: string | readonly string[],
    minBytes: number,
    stat: (directory: string) => Promise<FileSystemSpace> = statfs,
  ) {
    this.#directories = typeof directories === "string" ? [directories] : directories;
    this.directory = this.#directories[0] ?? "";
    this.#minBytes = minBytes;
    this.#stat = stat;
  }

  /** What is wrong, with the remedy; undefined while there is room. As of the last {@link look}. */
  get full(): string | undefined {
    return this.#full;
  }

  /** Looks, and returns {@link full}. */
  async look(): Promise<string | undefined> {
    const factor = this.#full === undefined ? 1 : 2;
    let full: string | undefined;
    for (const directory of this.#directories) {
      full ??= lackOf(directory, await this.#stat(directory), factor * this.#minBytes, factor);
    }
    this.#full = full;
    return full;
  }
}

function lackOf(directory: string, room: FileSystemSpace, minBytes: number, factor: number): string | undefined {
  const free = room.bavail * room.bsize;
  if (free < minBytes) {
    return `The disk of ${directory} is full: ${mib(free)} are free, ${mib(minBytes)} are needed. Free some space; the work goes on then.`;
  }
  const inodes = factor * Math.ceil(Math.min(MIN_INODES, MIN_INODE_SHARE * room.files));
  if (room.files === 0 || room.ffree >= inodes) return undefined;
  return (
    `The disk of ${directory} has no room for more files: ${String(room.ffree)} inodes are free, ${String(inodes)} are ` +
    `needed. Remove some files; the work goes on then.`
  );
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
