import { readFile } from "node:fs/promises";

/** A line of a process's structured log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** All structured lines of a log file; empty if there is none. */
export async function readLog(file: string): Promise<LogLine[]> {
  return parseLog(await readFile(file, "utf8").catch(() => ""));
}

/** All structured lines of what a process has printed so far: a last one that is not whole yet is left out. */
export function parseLog(text: string): LogLine[] {
  const end = text.lastIndexOf("\n");
  return text
    .slice(0, Math.max(0, end))
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogLine);
}
