import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT } from "../docs/known.ts";

/** A declaration with the comment above it. */
interface Declared {
  readonly where: string;
  readonly kind: string;
  readonly name: string;
  readonly doc: string;
  /** Type and name of each parameter or field. */
  readonly parts: readonly { readonly type: string; readonly name: string; readonly doc: string }[];
}

/** What names of numbers stand for, and the units that what is said of them may name. */
const UNITS: readonly (readonly [name: RegExp, unit: RegExp])[] = [
  [
    /(?:amount|stake|escrow|bond|refund|slashed|askWei|tickWei)$|^(?:fee|ask|paid|toDeveloper|toPool|toOwners)$/i,
    /\bwei\b/i,
  ],
  [/MicroVer$|^tickSize$/, /micro-VER/],
  [/^clearing$/, /micro-VER x 1024/],
  [/^(?:maxPrice|price)$/, /\bwei\b|micro-VER/],
  [/(?:At|Until|Since|From)$|^(?:until|due|deadline|since|earliest|period|interval|reportedSince)$/, /\bseconds?\b/i],
  [/Bps$|^(?:load|loadFloor|averageLoad|band)$/, /basis points|\{Param\./],
  [/Joules$|^joules$/, /joules/],
  [/Watts$|^watts$|^threshold$|^powerMax$|^powerThreshold$/, /\bwatts\b/],
  [/^latency/, /milliseconds|\{Param\./],
  [/^size$/, /\bbytes\b/],
  [/^progress$|Progress$/, /basis points/],
];

const plain = (doc: string): string => doc.replace(/^\s*\/\/\/ ?/gm, "").replace(/\s+/g, " ");

function splitParts(text: string, separator: RegExp): Declared["parts"] {
  let doc = "";
  return text.split("\n").flatMap((line) => {
    const comment = /^\s*\/\/\/(.*)/.exec(line);
    if (comment) {
      doc += comment[1] ?? "";
      return [];
    }
    const found = line.split(separator).flatMap((part) => {
      const words = part
        .replace(/\/\/.*/, "")
        .trim()
        .split(/\s+/);
      return words.length < 2 ? [] : [{ type: words[0] ?? "", name: words.at(-1) ?? "", doc }];
    });
    if (found.length > 0) doc = "";
    return found;
  });
}

/** Events, errors, functions and structs of a file. */
function declaredIn(file: string): Declared[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  const headed = /((?:^[ \t]*\/\/\/.*\n)*)^(?: {4})?(event|error|function|struct) (\w+)\s*([({])/gm;
  return [...source.matchAll(headed)].map((match) => {
    const [whole, doc = "", kind = "", name = "", open] = match;
    const from = match.index + whole.length;
    const to = open === "(" ? source.indexOf(")", from) : source.indexOf("\n    }", from);
    const end = to < 0 ? source.indexOf("\n}", from) : to;
    const parts = splitParts(source.slice(from, end), open === "(" ? /,/ : /;/);
    return { where: `${file}: ${kind} ${name}`, kind, name, doc, parts };
  });
}

const INTERFACES = globSync(
  ["contracts/interfaces/*.sol", "contracts/core/interfaces/*.sol", "contracts/types/Errors.sol"],
  {
    cwd: ROOT,
  },
);
const DECLARED = INTERFACES.flatMap(declaredIn);

/** What is said of a parameter or a field. */
function said({ kind, doc }: Declared, part: Declared["parts"][number]): string {
  if (kind === "struct") return part.doc.trim();
  return new RegExp(`@param ${part.name} ([^@]+)`).exec(plain(doc))?.[1]?.trim() ?? "";
}

test("every event, error, function and struct of the interfaces says what it is, and what each part of it is", () => {
  assert.ok(DECLARED.length > 350, `${String(DECLARED.length)} declarations`);
  const missing = DECLARED.flatMap((declared) => [
    ...(/@notice|@dev/.test(declared.doc) ? [] : [`${declared.where} has no @notice`]),
    ...declared.parts
      .filter((part) => said(declared, part) === "")
      .map(({ name }) => `${declared.where} says nothing of ${name}`),
  ]);
  assert.deepEqual(missing, []);
});

test("every amount says its unit", () => {
  const missing = DECLARED.flatMap((declared) =>
    declared.parts
      .filter(({ type }) => /^u?int\d*$/.test(type))
      .filter((part) => UNITS.some(([name, unit]) => name.test(part.name) && !unit.test(said(declared, part))))
      .map((part) => `${declared.where}: ${part.name} has no unit: ${said(declared, part)}`),
  );
  assert.deepEqual(missing, []);
});

test("every public function of a contract says what it is, or takes that over from its interface", () => {
  const contracts = globSync("contracts/**/*.sol", { cwd: ROOT }).filter((file) => !INTERFACES.includes(file));
  const missing: string[] = [];
  for (const file of contracts) {
    const source = readFileSync(join(ROOT, file), "utf8");
    const headed = /((?:^ {4}\/\/\/.*\n)*)^ {4}function (\w+)\(([^)]*)\)([^{;]*)[{;]/gm;
    for (const [, doc = "", name = "", parameters = "", rest = ""] of source.matchAll(headed)) {
      if (!/\b(?:external|public)\b/.test(rest)) continue;
      if (doc.includes("@inheritdoc")) continue;
      if (!doc.includes("@notice")) missing.push(`${file}: ${name} has no @notice`);
      for (const { name: part } of splitParts(parameters, /,/)) {
        if (!doc.includes(`@param ${part} `)) missing.push(`${file}: ${name} says nothing of ${part}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});
