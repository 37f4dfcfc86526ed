import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type Block, blocksOf, commandsOf, type DocCommand } from "./extract.ts";
import { ROOT } from "./known.ts";

/** The pages whose command blocks are run. */
export const PAGES = [
  "README.md",
  ...["setup", "contributor", "developer", "keeper", "deployer", "runbook"].map((name) => `docs/guides/${name}.md`),
];

/** Commands and JSON files of the pages, taken out once each, so that what nobody took can be told. */
export class Pages {
  readonly #commands: readonly DocCommand[];
  readonly #json: readonly Block[];
  readonly #taken = new Set<string>();

  constructor() {
    const blocks = PAGES.flatMap((file) => blocksOf(file, readFileSync(join(ROOT, file), "utf8")));
    this.#commands = blocks.flatMap(commandsOf);
    this.#json = blocks.filter(({ language }) => language === "json");
  }

  /**
   * The command of a page that begins like this. It counts as taken on every page that has the same.
   *
   * @throws Error if the page has none, or several.
   */
  command(file: string, beginning: string): string {
    const found = new Set(
      this.#commands.filter((one) => one.file === file && one.text.startsWith(beginning)).map(({ text }) => text),
    );
    const exact = found.has(beginning) ? new Set([beginning]) : found;
    const [text] = exact;
    if (text === undefined || exact.size > 1) {
      throw new Error(`${file} has ${String(exact.size)} commands that begin with "${beginning}"`);
    }
    this.#taken.add(text);
    return text;
  }

  /** The n-th JSON block of a page, from 0. */
  json(file: string, n: number): string {
    const found = this.#json.filter((one) => one.file === file)[n];
    if (!found) throw new Error(`${file} has no JSON block ${String(n)}`);
    return found.text;
  }

  /** Commands that nobody took, with where they are. */
  left(): string[] {
    return this.#commands
      .filter(({ text }) => !this.#taken.has(text))
      .map(({ file, line, text }) => `${file}:${String(line)}: ${text}`);
  }
}
