import { MultiBar, type SingleBar } from "cli-progress";

/** Shows what happens: bars on a terminal, lines elsewhere. Everything goes to standard error; results to standard output. */
export class Output {
  readonly #started = performance.now();
  readonly #terminal = process.stderr.isTTY;
  #bars: MultiBar | undefined;
  readonly #bar = new Map<string, SingleBar>();
  readonly #shown = new Map<string, number>();

  /** Something happened. */
  say(text: string): void {
    const line = `${this.#clock()}  ${text}`;
    if (this.#bars) this.#bars.log(`${line}\n`);
    else process.stderr.write(`${line}\n`);
  }

  /** How far something is, 0 to 1, with a word on it. */
  progress(name: string, share: number, note: string): void {
    const percent = Math.floor(share * 100);
    if (this.#terminal) {
      this.#bars ??= new MultiBar({
        format: "        {name} {bar} {percentage}%  {note}",
        stream: process.stderr,
        hideCursor: true,
        barsize: 28,
      });
      const bar = this.#bar.get(name) ?? this.#bars.create(100, 0, { name, note });
      this.#bar.set(name, bar);
      bar.update(percent, { name, note });
      return;
    }
    // Lines only where a tenth is passed: a log is read later, if at all.
    const tenth = Math.floor(percent / 10);
    if (this.#shown.get(name) === tenth) return;
    this.#shown.set(name, tenth);
    this.say(`${name}: ${String(percent)} %, ${note}`);
  }

  /** Ends the bars. */
  close(): void {
    this.#bars?.stop();
    this.#bars = undefined;
  }

  #clock(): string {
    const seconds = Math.floor((performance.now() - this.#started) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

/** Lays rows out in columns; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (/^[\d.,%\-+]+( |$)/.test(cell) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}
