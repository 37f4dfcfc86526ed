import { createInterface } from "node:readline/promises";
import { CommandError } from "../errors.ts";

/** A table's cell; numbers are right-aligned. */
export type Cell = string | number | bigint | undefined;

/**
 * What a task shows. With `json` the only thing on standard output is one JSON object at the end; what people read goes
 * to standard error then.
 */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
    // The reader may have read enough, as `head` does; what was begun is still brought to its end.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }

  /** A line for people. */
  say(line = ""): void {
    (this.json ? process.stderr : process.stdout).write(`${line}\n`);
  }

  /** What functions that take a logger report, as lines for people. */
  readonly log = {
    info: (_fields: object, message: string): void => {
      this.say(message);
    },
  };

  /** Names and values, aligned; those without a value are left out. */
  facts(rows: readonly (readonly [name: string, value: Cell])[]): void {
    const shown = rows.filter(([, value]) => value !== undefined && value !== "");
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, value] of shown) this.say(`${name.padEnd(width)}  ${String(value)}`);
  }

  /** A table with a header. */
  table(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
    const cells = [header, ...rows].map((row) => row.map((cell) => String(cell ?? "–")));
    const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
    const right = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] !== "string"));
    for (const row of cells) {
      const line = row.map((cell, i) =>
        right[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      );
      this.say(line.join("  ").trimEnd());
    }
  }

  /** The task's result, for programs. Amounts of wei become decimal strings. */
  result(value: object): void {
    if (this.json) process.stdout.write(`${toJson(value)}\n`);
  }

  /**
   * Asks a question that is answered with yes or no.
   *
   * @throws Error where nobody can answer, with the remedy.
   */
  async confirm(question: string): Promise<boolean> {
    if (!process.stdin.isTTY) {
      throw new CommandError(
        "CONFIRMATION_MISSING",
        "Nobody is there to confirm: standard input is no terminal. Add --yes to send without asking.",
      );
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    } finally {
      terminal.close();
    }
  }
}

/** One line of JSON; big integers as decimal strings. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? one.toString() : one));
}
