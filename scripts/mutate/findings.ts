import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the tests of a file do while no mutant is switched on. */
export interface Usual {
  /** Those that pass, as `file: name`; others do not count. */
  readonly passed: readonly string[];
  /** Mutants whose place they come to. */
  readonly reached: readonly number[];
  readonly seconds: number;
}

interface Known {
  usual: Record<string, Usual & { hash: string }>;
  /** Of each mutant: the test that found it, and the hash of that one's file. */
  killed: Record<string, { by: string; hash: string }>;
  /** Of each mutant: test files that it lived through, with their hashes and the most runs of fuzz tests. */
  lived: Record<string, Record<string, { hash: string; runs: number }>>;
}

/** Killer of a mutant with which tests do not end. */
export const ENDLESS = "did not end";

/**
 * What is known of mutants, kept beside them: a run that was interrupted goes on, and after a change of tests only what depends on the files that
 * changed is tried again.
 */
export class Findings {
  readonly #file: string;
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #known: Known;

  /** @param hashes Of each test file, of what it says and what it imports. */
  constructor(folder: string, hashes: ReadonlyMap<string, string>) {
    this.#file = join(folder, "findings.json");
    this.#hashes = hashes;
    this.#known = read(this.#file);
  }

  /** A test file without a mutant; undefined before that was looked at. */
  usualOf(file: string): Usual | undefined {
    const known = this.#known.usual[file];
    return known && known.hash === this.#hashes.get(file) ? known : undefined;
  }

  noteUsual(file: string, usual: Usual): void {
    this.#known.usual[file] = { ...usual, hash: this.#hashOf(file) };
    this.#write();
  }

  /** The test that found a mutant; undefined if none is known to. */
  killerOf(key: string): string | undefined {
    const known = this.#known.killed[key];
    return known && (known.by === ENDLESS || known.hash === this.#hashes.get(fileOf(known.by))) ? known.by : undefined;
  }

  noteKilled(key: string, by: string): void {
    this.#known.killed[key] = { by, hash: this.#hashes.get(fileOf(by)) ?? "" };
    delete this.#known.lived[key];
    this.#write();
  }

  /** Whether a mutant lived through a test file with at least so many runs of each fuzz test. */
  hasLived(key: string, file: string, runs: number): boolean {
    const known = this.#known.lived[key]?.[file];
    return known !== undefined && known.hash === this.#hashes.get(file) && known.runs >= runs;
  }

  noteLived(key: string, files: readonly string[], runs: number): void {
    const lived = (this.#known.lived[key] ??= {});
    for (const file of files) lived[file] = { hash: this.#hashOf(file), runs };
    this.#write();
  }

  #hashOf(file: string): string {
    return this.#hashes.get(file) ?? "";
  }

  #write(): void {
    writeFileSync(this.#file, JSON.stringify(this.#known));
  }
}

/** Test file of a test. */
export function fileOf(test: string): string {
  return test.split(": ")[0] ?? test;
}

function read(file: string): Known {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Known;
  } catch {
    // Not there yet, or cut off in the middle: everything is tried again.
    return { usual: {}, killed: {}, lived: {} };
  }
}
