import ts from "typescript";

import { piecesOf } from "../../scripts/prose/check.ts";

/** Something that a comment names. */
export interface Named {
  readonly line: number;
  readonly name: string;
}

/** Names in braces of a contract's comments, such as `{Param.ReportInterval}`. Pure. */
export function bracesOf(source: string): Named[] {
  return piecesOf("solidity", source).flatMap(({ text, line }) =>
    found(text, line, /\{([A-Za-z_]\w*(?:[.-][A-Za-z_]\w*)*)\}/g),
  );
}

/** Names of `{@link …}` in a TypeScript file's comments. Pure. */
export function linksOf(source: string): Named[] {
  return piecesOf("typescript", source).flatMap(({ text, line }) => found(text, line, /\{@link ([\w.#]+)/g));
}

/** Source files and pages that comments name. Pure. */
export function filesOf(kind: "solidity" | "typescript", source: string): Named[] {
  return piecesOf(kind, source)
    .filter(({ begins }) => begins)
    .flatMap(({ text, line }) =>
      found(text, line, /(?<![\w./*@-])((?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|sol|md))(?![\w*])/g),
    );
}

function found(text: string, line: number, pattern: RegExp): Named[] {
  return [...text.matchAll(pattern)].map((match) => ({
    line: line + (text.slice(0, match.index).match(/\n/g) ?? []).length,
    name: match[1] ?? "",
  }));
}

/** Every name that a contract's file declares: types, functions, events, errors, values, members. Pure. */
export function declaredIn(source: string): string[] {
  const code = source.replaceAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "");
  return [
    ...[
      ...code.matchAll(/\b(?:contract|library|interface|enum|struct|event|error|function|modifier|type)\s+(\w+)/g),
    ].map(([, name]) => name ?? ""),
    ...[...code.matchAll(/\benum\s+\w+\s*\{([^}]*)\}/g)].flatMap(([, body = ""]) => body.match(/\w+/g) ?? []),
    ...[...code.matchAll(/(\w+)\s*(?:;|=[^=>]|,|\))/g)].map(([, name]) => name ?? ""),
    ...[...code.matchAll(/import \{([^}]*)\}/g)].flatMap(([, body = ""]) => body.match(/\w+/g) ?? []),
  ];
}

/** Every identifier of a TypeScript file, outside its comments. Pure. */
export function identifiersOf(source: string): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.add(node.text.replace(/^#/, ""));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest, true));
  return names;
}
