import { readFile } from "node:fs/promises";

/** A line of a process's structured log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** All structured lines of a log file; empty if there is none. */
export async function readLog(file: string): Promise<LogLine[]> {
  return parseLog(await readFile(file, "utf8").catch(() => ""));
}

/** All structured lines of what a process has printed. */
export function parseLog(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogLine);
}
