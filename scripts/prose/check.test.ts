import assert from "node:assert/strict";
import { test } from "node:test";

import { findingsIn, kindOf } from "./check.ts";
import { RULES } from "./rules.ts";

for (const { pattern, instead, bad, good, kinds, first } of RULES) {
  test(`rule ${pattern.source}`, () => {
    const kind = kinds?.[0] ?? (first === true ? "typescript" : "page");
    const shown = (text: string): string => (kind === "page" ? text : `/** ${text} */\nexport {};\n`);
    const advice = (text: string): string[] => findingsIn("x", kind, shown(text)).map((one) => one.instead);
    for (const text of bad) assert.ok(advice(text).includes(instead), text);
    for (const text of good) assert.deepEqual(advice(text), [], text);
  });
}

test("words are found over the end of a line, with their own line", () => {
  const page = "# Title\n\nIt is not asked any\nmore, and `any more` in code is left alone.\n";
  assert.deepEqual(
    findingsIn("a.md", "page", page).map(({ line, found }) => [line, found]),
    [[3, "any more"]],
  );
  const code = 'const a = 1;\n/**\n * Not asked any\n * more.\n */\nconst b = "not any more"; // nor any more\n';
  assert.deepEqual(
    findingsIn("a.ts", "typescript", code).map(({ line }) => line),
    [3, 6, 6],
  );
  const union = "type A =\n  | 1\n  /** Not any more. */\n  | 2;\nfunction f() {\n  f();\n  // nor any more\n}\n";
  assert.deepEqual(
    findingsIn("a.ts", "typescript", union).map(({ line }) => line),
    [3, 7],
  );
  const contract = "/// @notice Fine.\n/// @param most Most units of a round.\nuint256 a; // not any more\n";
  assert.deepEqual(
    findingsIn("a.sol", "solidity", contract).map(({ line }) => line),
    [2, 3],
  );
});

test("code is no prose", () => {
  assert.deepEqual(findingsIn("a.md", "page", "```sh\nany more\n```\n\n<!-- any more -->\n"), []);
  assert.deepEqual(findingsIn("a.ts", "typescript", 'const whoever = "anew";\n'), []);
  assert.equal(kindOf("a/b.json"), undefined);
  assert.equal(kindOf("scripts/drmp"), "yaml");
});
