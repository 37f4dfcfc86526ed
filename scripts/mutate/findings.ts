import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { RunAnswer } from "./runner.ts";

/** What is known of a mutated project, kept beside it so that an interrupted run goes on. */
export class Findings {
  readonly #file: string;
  readonly #known: { usual?: RunAnswer & { readonly seconds: number }; fates: Record<string, string | null> };

  constructor(folder: string) {
    this.#file = join(folder, "findings.json");
    this.#known = read(this.#file);
  }

  /** The tests without a mutant, and how long they took; undefined before that was looked at. */
  get usual(): (RunAnswer & { readonly seconds: number }) | undefined {
    return this.#known.usual;
  }

  set usual(answer: RunAnswer & { readonly seconds: number }) {
    this.#known.usual = answer;
    this.#write();
  }

  /** What killed a mutant; null if nothing did; undefined if it was not tried. */
  fateOf(key: string): string | null | undefined {
    return this.#known.fates[key];
  }

  note(key: string, killedBy: string | undefined): void {
    this.#known.fates[key] = killedBy ?? null;
    this.#write();
  }

  #write(): void {
    writeFileSync(this.#file, JSON.stringify(this.#known));
  }
}

function read(file: string): {
  usual?: RunAnswer & { readonly seconds: number };
  fates: Record<string, string | null>;
} {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ReturnType<typeof read>;
  } catch {
    // Not there yet, or cut off in the middle: everything is tried again.
    return { fates: {} };
  }
}
