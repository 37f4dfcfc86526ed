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
  usual: Record<string, Usual>;
  fates: Record<string, string | null>;
  /** Passes of tests that a mutant has lived through, while there are more. */
  lived: Record<string, number>;
}

/** What is known of a mutated project, kept beside it so that an interrupted run goes on. */
export class Findings {
  readonly #file: string;
  readonly #known: Known;

  /** @param tests What the paths of test files were asked to have; what all tests find is kept apart from it. */
  constructor(folder: string, tests?: string) {
    this.#file = join(folder, `findings${tests === undefined ? "" : `-${tests.replaceAll(/\W/g, "_")}`}.json`);
    this.#known = read(this.#file);
  }

  /** A test file without a mutant; undefined before that was looked at. */
  usualOf(file: string): Usual | undefined {
    return this.#known.usual[file];
  }

  noteUsual(file: string, usual: Usual): void {
    this.#known.usual[file] = usual;
    this.#write();
  }

  /** What killed a mutant; null if nothing did; undefined if it was not tried. */
  fateOf(key: string): string | null | undefined {
    return this.#known.fates[key];
  }

  /** How many passes of tests a mutant has lived through. */
  livedThrough(key: string): number {
    return this.#known.lived[key] ?? 0;
  }

  noteLived(key: string, passes: number): void {
    this.#known.lived[key] = passes;
    this.#write();
  }

  note(key: string, killedBy: string | undefined): void {
    this.#known.fates[key] = killedBy ?? null;
    this.#write();
  }

  #write(): void {
    writeFileSync(this.#file, JSON.stringify(this.#known));
  }
}

function read(file: string): Known {
  try {
    return { lived: {}, ...(JSON.parse(readFileSync(file, "utf8")) as Omit<Known, "lived">) };
  } catch {
    // Not there yet, or cut off in the middle: everything is tried again.
    return { usual: {}, fates: {}, lived: {} };
  }
}
