/** A fenced (or indented) block of a Markdown page. */
export interface Block {
  readonly file: string;
  /** Line of its first line of content, from 1. */
  readonly line: number;
  /** The word after the fence; empty for an indented block. */
  readonly language: string;
  readonly text: string;
}

/** A command that a page tells its reader to run. */
export interface DocCommand {
  readonly file: string;
  readonly line: number;
  /** Its text on one line, without the comment after it. */
  readonly text: string;
  /** Whether it stands in a block, and not within a sentence. */
  readonly block: boolean;
}

/** The blocks of a page, in their order. Pure. O(lines). */
export function blocksOf(file: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(\s*)```(\w*)\s*$/.exec(lines[i] ?? "");
    const start = fence ? i + 1 : i;
    let end = start;
    if (fence) {
      while (end < lines.length && !/^\s*```\s*$/.test(lines[end] ?? "")) end += 1;
    } else {
      const begins = /^ {4}\S/.test(lines[i] ?? "") && (lines[i - 1] ?? "") === "";
      if (!begins) continue;
      while (end < lines.length && /^ {4}|^$/.test(lines[end] ?? "")) end += 1;
    }
    const indent = fence?.[1]?.length ?? 4;
    const text = lines
      .slice(start, end)
      .map((line) => line.slice(indent))
      .join("\n")
      .trimEnd();
    blocks.push({ file, line: start + 1, language: fence?.[2] ?? "", text });
    i = fence ? end : end - 1;
  }
  return blocks;
}

/** Languages of blocks that hold commands. */
const SHELL = ["sh", "bash", "shell", "console"];
/** How the first line of a block without a language begins if it holds commands; others are formulas and pictures. */
const BEGINS = /^(npx|npm|node|scripts\/\S+|kubectl|docker|podman|git|cd|mkdir|export|curl|sudo|apt(-get)?|systemctl) /;

/** The commands of a shell block: continued lines joined, comments left out, `&&` split. Pure. */
export function commandsOf({ file, line, language, text }: Block): DocCommand[] {
  if (!SHELL.includes(language) && !(language === "" && BEGINS.test(text))) return [];
  const commands: DocCommand[] = [];
  let open = "";
  let begun = line;
  text.split("\n").forEach((raw, i) => {
    if (open === "") begun = line + i;
    const bare = withoutComment(raw).trimEnd();
    open = `${open} ${bare.replace(/\\$/, "").trim()}`.trim();
    if (bare.endsWith("\\")) return;
    for (const one of open.split(" && ")) {
      if (one.trim() !== "")
        commands.push({ file, line: begun, text: one.trim().replaceAll(/\s+/g, " "), block: true });
    }
    open = "";
  });
  return commands;
}

/** A line without the comment that `#` begins outside of quotes. Pure. */
function withoutComment(line: string): string {
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? "";
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "#" && (i === 0 || /\s/.test(line[i - 1] ?? ""))) return line.slice(0, i);
  }
  return line;
}

/** Beginnings of this project's commands, by which they are found within sentences. */
const PROGRAMS = /^(npx hardhat|npm (run|test|ci)|scripts\/drmp|node [a-z]+\/)/;

/** Commands in backticks within sentences. Pure. */
export function inlineCommandsOf(file: string, markdown: string): DocCommand[] {
  const prose = markdown.split("\n");
  const inBlocks = new Set(
    blocksOf(file, markdown).flatMap(({ line, text }) => text.split("\n").map((_, i) => line + i)),
  );
  return prose.flatMap((text, i) => {
    if (inBlocks.has(i + 1)) return [];
    // A command may be broken over two lines of a paragraph.
    const both = `${text} ${inBlocks.has(i + 2) ? "" : (prose[i + 1] ?? "")}`;
    return [...both.matchAll(/`([^`]+)`/g)]
      .filter(({ index }) => index < text.length)
      .map(([, code = ""]) => code.replaceAll(/\s+/g, " ").trim())
      .filter((code) => PROGRAMS.test(code))
      .map((code) => ({ file, line: i + 1, text: code, block: false }));
  });
}

/** Splits a command into words; quotes are taken off. Pure. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
}
