import ts from "typescript";

import { type Kind, RULES } from "./rules.ts";

/** A wording to replace. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** A piece of prose in a file: a paragraph, a comment, a literal. */
export interface Piece {
  /** Its text, with whatever marks comments taken out; line breaks are kept, so that lines can be counted. */
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly line: number;
  /** Whether it begins a comment, and its first word therefore a sentence. */
  readonly begins: boolean;
}

/** What kind of file it is, by its name; undefined for one that holds no prose. */
export function kindOf(file: string): Kind | undefined {
  if (file.endsWith(".md")) return "page";
  if (file.endsWith(".ts")) return "typescript";
  if (file.endsWith(".sol")) return "solidity";
  return /\.(ya?ml|sh)$|(^|\/)(drmp|Dockerfile|\.env\.example)$/.test(file) ? "yaml" : undefined;
}

/** Wordings of a file to replace, in their order. Pure. O(length × rules). */
export function findingsIn(file: string, kind: Kind, text: string): Finding[] {
  const rules = RULES.filter(({ kinds }) => kinds === undefined || kinds.includes(kind));
  return piecesOf(kind, text)
    .flatMap((piece) =>
      rules.flatMap(({ pattern, instead, first }) => {
        if (first === true && !piece.begins) return [];
        // A phrase may go over the end of a line.
        const flat = piece.text
          .replaceAll(/\s/g, " ")
          .replaceAll(/(?<=\S) +/g, (gap) => " ".padEnd(gap.length, "\u2060"));
        const lead = first === true ? (/^\s*/.exec(flat)?.[0].length ?? 0) : 0;
        const every = new RegExp(loose(pattern), `${pattern.flags}g`);
        return [...flat.slice(lead).matchAll(every)].map((match) => ({
          file,
          line: piece.line + (piece.text.slice(0, lead + match.index).match(/\n/g) ?? []).length,
          found: match[0].replaceAll("\u2060", "").trim(),
          instead,
        }));
      }),
    )
    .sort((a, b) => a.line - b.line);
}

/** A pattern in which each space stands for any gap. */
const loose = (pattern: RegExp): string => pattern.source.replaceAll(" ", " \u2060*");

/** The prose of a file. Pure. */
export function piecesOf(kind: Kind, text: string): Piece[] {
  if (kind === "page") return paragraphs(text);
  if (kind === "typescript") return ofTypeScript(text);
  if (kind === "solidity") return ofSolidity(text);
  return [...text.matchAll(/(?<=^|\s)#.*$/gm)].map((match) => piece(text, match.index, match[0]));
}

/** Paragraphs of a page without blocks and spans of code. */
function paragraphs(text: string): Piece[] {
  const blank = (part: string): string => part.replaceAll(/[^\n]/g, " ");
  const prose = text
    .replaceAll(/^\s*```[\s\S]*?^\s*```\s*$/gm, blank)
    .replaceAll(/<!--[\s\S]*?-->/g, blank)
    .replaceAll(/`[^`\n]+`/g, (span) => `\`${"x".repeat(span.length - 2)}\``);
  return [...prose.matchAll(/[^\n](?:[^\n]|\n(?!\s*(?:\n|[|*\-#]|\d+\.)))*/g)].map((match) => ({
    ...piece(prose, match.index, match[0]),
    begins: false,
  }));
}

/** Comments, and literals of more than one word. */
function ofTypeScript(text: string): Piece[] {
  const found = new Map<number, Piece>();
  const file = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
  const comments = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) found.set(pos, comment(text, pos, text.slice(pos, end)));
  };
  const visit = (node: ts.Node): void => {
    comments(ts.getLeadingCommentRanges(text, node.getFullStart()));
    comments(ts.getTrailingCommentRanges(text, node.getEnd()));
    // What stands before a token that is no node, as the bar of a union or the brace at the end of a block.
    comments(ts.getLeadingCommentRanges(text, node.getEnd()));
    const literal = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (literal && /\s/.test(node.text.trim())) {
      found.set(node.getStart(file), { ...piece(text, node.getStart(file), node.getText(file)), begins: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  comments(ts.getLeadingCommentRanges(text, file.endOfFileToken.getFullStart()));
  return [...found.values()];
}

/** Comments; runs of `///` lines are one. Solidity's literals hold no sentences. */
function ofSolidity(text: string): Piece[] {
  return [...text.matchAll(/(?:[ \t]*\/\/\/?[^\n]*\n?)+|\/\*[\s\S]*?\*\//g)].flatMap((match) => {
    const whole = comment(text, match.index, match[0]);
    // Each tag begins a comment of its own.
    const starts = [
      0,
      ...[...whole.text.matchAll(/@(?:notice|dev|title|return|param \S+)/g)].map(({ index }) => index),
    ];
    return starts.map((start, i) => ({
      text: whole.text.slice(start, starts[i + 1]).replace(/^@(?:notice|dev|title|return|param \S+)/, blankOf),
      line: whole.line + (whole.text.slice(0, start).match(/\n/g) ?? []).length,
      begins: true,
    }));
  });
}

const blankOf = (part: string): string => " ".repeat(part.length);

function piece(text: string, at: number, part: string): Piece {
  return { text: part, line: (text.slice(0, at).match(/\n/g) ?? []).length + 1, begins: true };
}

/** A comment without its marks. */
function comment(text: string, at: number, part: string): Piece {
  const plain = part.replaceAll(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/\/?)|\*\/$/gm, blankOf);
  return piece(text, at, plain);
}
