import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT } from "../docs/known.ts";
import { bracesOf, declaredIn, filesOf, identifiersOf, linksOf } from "../docs/symbols.ts";

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
// This file and the linter's rules hold wrong names on purpose.
const own = (file: string): boolean => !/^(test\/unit\/symbols\.test|scripts\/prose\/)/.test(file);
const contracts = tracked.filter((file) => file.endsWith(".sol"));
const programs = tracked.filter((file) => file.endsWith(".ts") && own(file));
/** Files of other projects that comments name as a source. */
const OTHERS = ["AwsFootprintEstimationConstants.ts"];

test("names are taken out of comments, with their lines", () => {
  assert.deepEqual(bracesOf("/// @notice See {IVault}.\n/// {Param.Fee} a\nuint a; // {b}\n"), [
    { line: 1, name: "IVault" },
    { line: 2, name: "Param.Fee" },
    { line: 3, name: "b" },
  ]);
  assert.deepEqual(linksOf("/** As {@link within}. */\nconst a = 1;\n"), [{ line: 1, name: "within" }]);
  assert.deepEqual(filesOf("typescript", "// see chain/keys.ts and docs/a.md.\nconst a = 1;\n"), [
    { line: 1, name: "chain/keys.ts" },
    { line: 1, name: "docs/a.md" },
  ]);
  const declared = declaredIn(
    "enum A { B, C }\nstruct D { uint256 e; }\nevent F(uint256 g, uint256 h);\n// contract X\n",
  );
  for (const name of ["A", "B", "C", "D", "e", "F", "g", "h"]) assert.ok(declared.includes(name), name);
  assert.ok(!declared.includes("X"));
  assert.ok(identifiersOf("const a = b.c; // d").has("c") && !identifiersOf("// d").has("d"));
});

test("every name in braces of a contract's comments is declared in a contract", () => {
  const declared = new Set(contracts.flatMap((file) => declaredIn(read(file))));
  const named = contracts.flatMap((file) => bracesOf(read(file)).map((one) => ({ file, ...one })));
  assert.ok(named.length > 40, `${String(named.length)} names`);
  const unknown = named.filter(({ name }) => !name.split(/[.-]/).every((part) => declared.has(part)));
  assert.deepEqual(
    unknown.map(({ file, line, name }) => `${file}:${String(line)}: {${name}}`),
    [],
  );
});

test("every {@link} of a TypeScript comment names something that the code has", () => {
  const known = new Set(programs.flatMap((file) => [...identifiersOf(read(file))]));
  const named = programs.flatMap((file) => linksOf(read(file)).map((one) => ({ file, ...one })));
  assert.ok(named.length > 80, `${String(named.length)} links`);
  const unknown = named.filter(({ name }) => !name.split(/[.#]/).every((part) => part === "" || known.has(part)));
  assert.deepEqual(
    unknown.map(({ file, line, name }) => `${file}:${String(line)}: ${name}`),
    [],
  );
});

test("every file that a comment names exists", () => {
  const paths = tracked.map((file) => `/${file}`);
  const gone = [...contracts, ...programs].flatMap((file) =>
    filesOf(file.endsWith(".sol") ? "solidity" : "typescript", read(file))
      .filter(({ name }) => !OTHERS.includes(name) && !paths.some((path) => path.endsWith(`/${name}`)))
      .map(({ line, name }) => `${file}:${String(line)}: ${name}`),
  );
  assert.deepEqual(gone, []);
});
