import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

/** A column of a table: its heading, and on which side its cells stand. */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

const DOCS = new URL("../docs/", import.meta.url);

/** A Markdown table. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(columns.map(({ heading }) => heading)),
    `|${columns.map(({ align }) => (align === "right" ? "--:" : "---")).join("|")}|`,
    ...rows.map(line),
    "",
  ].join("\n");
}

/** The machine in words, such as "2 × Some CPU, 24 GB, linux, Node v24". */
export function machine(): string {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const cpu = processors[0]?.model.trim() ?? "unknown";
  return `${processors.length} × ${cpu}, ${memory} GB, ${process.platform}, Node ${process.version}`;
}

/** How busy the machine is apart from us: processes that ran or waited on average during the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/**
 * Replaces what a document has between `<!-- name -->` and `<!-- /name -->`, and leaves the rest of it alone.
 *
 * @param name - Such as `bench:lp`.
 * @param document - Its path below docs/.
 * @throws Error if the document has no such markers.
 */
export function writeSection(name: string, text: string, document = "reference/benchmarks.md"): void {
  const file = new URL(document, DOCS);
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, rest] = readFileSync(file, "utf8").split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) {
    throw new Error(
      `docs/${document} has no ${start} … ${end}: put both, each on a line of its own, where the table belongs.`,
    );
  }
  writeFileSync(file, `${before}${start}\n\n${text.trim()}\n\n${end}${after}`);
}

/** Writes a picture into docs/images/. @returns The Markdown that shows it on a page of a folder beside that one. */
export function writePicture(file: string, svg: string, words: string): string {
  writeFileSync(new URL(`images/${file}`, DOCS), svg);
  return `![${words}](../images/${file})`;
}
