import { statfs } from "node:fs/promises";

/**
 * Knows whether there is room to work in a directory. Once there is too little, there has to be twice as much again: a
 * disk on the edge must not make the node come and go.
 */
export class DiskRoom {
  readonly directory: string;
  readonly #minBytes: number;
  #full: string | undefined;

  /** @param minBytes Free space below which there is no room. */
  constructor(directory: string, minBytes: number) {
    this.directory = directory;
    this.#minBytes = minBytes;
  }

  /** What is wrong, with the remedy; undefined while there is room. As of the last {@link look}. */
  get full(): string | undefined {
    return this.#full;
  }

  /** Looks, and returns {@link full}. */
  async look(): Promise<string | undefined> {
    const { bavail, bsize } = await statfs(this.directory);
    const free = bavail * bsize;
    const needed = this.#full === undefined ? this.#minBytes : 2 * this.#minBytes;
    this.#full =
      free >= needed
        ? undefined
        : `The disk of ${this.directory} is full: ${mib(free)} are free, ${mib(needed)} are needed. Free some space; the work goes on then.`;
    return this.#full;
  }
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
