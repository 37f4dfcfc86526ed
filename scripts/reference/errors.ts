import ts from "typescript";

import { files, GENERATED, parsed, table } from "./source.ts";

/** Page of every error that contracts, nodes and programs give, from the tables and the places that make them. */
export function errorsPage(): string {
  const sources = files("{packages,agent,keepers,developer,tasks,indexer}/**/*.ts")
    // what endpoints say there is made up
    .filter((file) => !file.startsWith("packages/devnet/transaction-faults/"))
    .map(parsed);
  const contracts = sources.flatMap(contractErrors);
  const nodes = sources.flatMap(nodeErrors);
  const own = merge([...nodes, ...sources.flatMap(thrown)]);
  return [
    "# Errors",
    "",
    GENERATED,
    "",
    "Every error with a stable name or code, and its message. `{…}` stands for a value. Messages end with the remedy. How programs react to",
    "errors of transactions is in the [guide for keepers](../guides/keeper.md#how-transactions-are-sent).",
    "",
    "## Contracts",
    "",
    "Custom errors, as the client explains them. In JSON their name is `code`; _retryable_ ones may succeed later without a change.",
    "",
    table(
      ["error", "message", "retryable"],
      contracts
        .sort((a, b) => a.name.localeCompare(b.name))
        .map(({ name, text, retryable }) => [`\`${name}\``, text, retryable ? "yes" : ""]),
    ),
    "",
    "## Programs",
    "",
    "Codes of agents, keepers, the developer's client and Hardhat tasks. A code can have several messages.",
    "",
    table(
      ["code", "message"],
      own.map(({ name, texts }) => [`\`${name}\``, texts.join("<br>")]),
    ),
    "",
  ].join("\n");
}

interface Told {
  readonly name: string;
  readonly text: string;
  readonly retryable?: boolean;
}

/** Entries such as `"UnknownLease(uint32)": { say: … }` of the tables of contract errors. */
function contractErrors(source: ts.SourceFile): Told[] {
  return every(source, ts.isPropertyAssignment).flatMap(({ name, initializer }) => {
    if (!ts.isStringLiteral(name) || !/^[A-Z]\w*\(.*\)$/.test(name.text)) return [];
    if (ts.isCallExpression(initializer)) {
      const [text] = initializer.arguments;
      return text ? [{ name: name.text, text: say(text) }] : [];
    }
    const say_ = property(initializer, "say");
    if (!say_ || !ts.isArrowFunction(say_) || ts.isBlock(say_.body)) return [];
    return [{ name: name.text, text: say(say_.body), retryable: property(initializer, "retryable") !== undefined }];
  });
}

/** Entries with a code and a sentence of the table of what nodes say. */
function nodeErrors(source: ts.SourceFile): Told[] {
  return every(source, ts.isObjectLiteralExpression).flatMap((literal) => {
    const code = property(literal, "code");
    const text = property(literal, "sentence") ?? property(literal, "message");
    return code && text && ts.isStringLiteral(code) && /^[A-Z][A-Z0-9_]+$/.test(code.text)
      ? [{ name: code.text, text: say(text) }]
      : [];
  });
}

/** Errors that are made with a code, such as `new ChainError("UNEXPECTED", false, "…")`. */
function thrown(source: ts.SourceFile): Told[] {
  const made = every(source, ts.isNewExpression).map(({ arguments: of }) => of ?? []);
  const parents = every(source, ts.isCallExpression)
    .filter(({ expression }) => expression.kind === ts.SyntaxKind.SuperKeyword)
    .map(({ arguments: of }) => of);
  return [...made, ...parents].flatMap(([code, ...rest]) => {
    if (!code || !ts.isStringLiteral(code) || !/^[A-Z][A-Z0-9_]{3,}$/.test(code.text)) return [];
    const text = rest.map((one) => say(origin(one))).find((one) => /\s\S+\s/.test(one));
    return [{ name: code.text, text: text ?? "" }];
  });
}

/** One row for each code, with its messages in their order. */
function merge(all: readonly Told[]): { readonly name: string; readonly texts: readonly string[] }[] {
  const found = new Map<string, Set<string>>();
  for (const { name, text } of all) {
    const texts = found.get(name) ?? new Set<string>();
    if (text !== "") texts.add(text);
    found.set(name, texts);
  }
  return [...found].map(([name, texts]) => ({ name, texts: [...texts] })).sort((a, b) => a.name.localeCompare(b.name));
}

/** A message's text, with `{name}` for each value. */
function say(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return say(node.expression);
  if (ts.isTemplateExpression(node)) {
    return [
      node.head.text,
      ...node.templateSpans.flatMap(({ expression, literal }) => [value(expression), literal.text]),
    ].join("");
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return say(node.left) + say(node.right);
  if (ts.isConditionalExpression(node))
    return [node.whenTrue, node.whenFalse]
      .map(say)
      .filter((text) => text.trim() !== "")
      .join(" / ");
  return value(node);
}

/** A constant's text; else a value's name: that of the argument or of the command, else the last name in its expression. */
function value(node: ts.Expression): string {
  if (ts.isConditionalExpression(node)) return say(node);
  const constant = ts.isIdentifier(node) && /^[A-Z][A-Z_]+$/.test(node.text) ? origin(node) : node;
  if (constant !== node && ts.isStringLiteralLike(constant)) return constant.text;
  if (ts.isCallExpression(node) && node.expression.getText().endsWith("Command")) return "{command}";
  const literal = every(node, ts.isStringLiteral).find(({ parent }) => ts.isCallExpression(parent))?.text;
  const name = literal ?? every(node, ts.isIdentifier).filter(isValue).at(-1)?.text ?? "…";
  return `{${/^[\w.]+$/.test(name) ? name : "…"}}`;
}

/** Whether a name is that of a value, and not of what is called with it. */
function isValue(node: ts.Identifier): boolean {
  const whole = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node ? node.parent : node;
  return !(ts.isCallExpression(whole.parent) && whole.parent.expression === whole);
}

/** What a constant of the same file is made from, for a message that is put together before it is used. */
function origin(node: ts.Expression): ts.Expression {
  if (!ts.isIdentifier(node)) return node;
  const made = every(node.getSourceFile(), ts.isVariableDeclaration).findLast(
    ({ name, initializer, pos }) => name.getText() === node.text && initializer !== undefined && pos < node.pos,
  );
  return made?.initializer ?? node;
}

function property(node: ts.Node, name: string): ts.Expression | undefined {
  if (!ts.isObjectLiteralExpression(node)) return undefined;
  return node.properties.filter(ts.isPropertyAssignment).find((one) => one.name.getText() === name)?.initializer;
}

function every<T extends ts.Node>(root: ts.Node, is: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (node: ts.Node): void => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}
