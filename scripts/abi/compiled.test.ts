import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { SyntaxNode } from "./compiled.ts";
import { errorsOf } from "./errors.ts";
import { CLIENT, FOLDERS, generated } from "./modules.ts";
import { constantsOf, domainOf, enumsOf, parametersOf, typedDataOf } from "./protocol.ts";

test("what the client holds of the contracts is up to date: run `npm run abi` after a change", async () => {
  const files = await generated();
  for (const [file, text] of files)
    assert.equal(readFileSync(join(CLIENT, file), "utf8"), text, `${file} is out of date`);
  const kept = FOLDERS.flatMap((folder) => readdirSync(join(CLIENT, folder)).map((name) => `${folder}/${name}`));
  assert.deepEqual(kept.sort(), [...files.keys()].sort());
});

const error = (name: string, ...types: string[]) => ({
  type: "error",
  name,
  inputs: types.map((type) => ({ type, name: "" })),
});

test("errors of all contracts are one list, each once", () => {
  const list = errorsOf([
    [error("B"), { type: "event", name: "A" }],
    [error("A", "uint8"), error("B"), error("A")],
  ]);
  assert.deepEqual(list, [error("A"), error("A", "uint8"), error("B")]);
});

/** A source with one enumeration, its members each with a comment. */
function source(name: string, members: Readonly<Record<string, string>>): SyntaxNode {
  const each = Object.entries(members).map(([member, text]) => ({ name: member, documentation: { text } }));
  return { nodeType: "SourceUnit", nodes: [{ nodeType: "EnumDefinition", name, members: each }] };
}

test("enumerations and parameters come from the project's sources wherever they lie, each parameter with its unit", () => {
  const params = source("Param", { FeeBps: "Fee, basis points.", MaxTasks: "Maximum number of tasks.", Next: "" });
  const trees = new Map([
    ["project/contracts/types/Param.sol", params],
    ["npm/lib@1/contracts/Other.sol", source("Rounding", { Up: "" })],
  ]);
  assert.deepEqual(enumsOf(trees), { Param: ["feeBps", "maxTasks", "next"] });
  assert.deepEqual(
    parametersOf(trees).map(({ unit }) => unit),
    ["basis points", "count", "count"],
  );
  const silent = new Map([["contracts/P.sol", source("Param", { Gain: "How loud it is." })]]);
  assert.throws(() => parametersOf(silent), /Param\.Gain does not say its unit/);
  const twice = new Map([
    ["contracts/A.sol", source("Status", {})],
    ["contracts/B.sol", source("Status", {})],
  ]);
  assert.throws(() => enumsOf(twice), /Two enumerations are called Status/);
});

test("constants are taken where they stand as numbers, in seconds where they are times", () => {
  const constant = (name: string, value: object, visibility = "public") => ({
    nodeType: "VariableDeclaration",
    constant: true,
    name,
    visibility,
    value: { nodeType: "Literal", kind: "number", ...value },
  });
  const nodes = [
    constant("BATCH", { value: "1_000" }),
    constant("WINDOW", { value: "2", subdenomination: "days" }),
    constant("PART", { value: "1e12" }),
    constant("PRIVATE", { value: "1" }, "private"),
    constant("HUGE", { value: "1e30" }),
    constant("COMPUTED", { nodeType: "BinaryOperation" }),
  ];
  const trees = new Map<string, SyntaxNode>([
    ["contracts/A.sol", { nodeType: "SourceUnit", nodes: [{ nodeType: "ContractDefinition", name: "A", nodes }] }],
  ]);
  assert.deepEqual(constantsOf(trees), { A: { BATCH: 1000, WINDOW: 172_800, PART: 1e12 } });
});

test("what is signed comes from the constants that the contracts hash", () => {
  const constant = (text: string) => ({
    nodeType: "VariableDeclaration",
    value: { expression: { name: "keccak256" }, arguments: [{ value: text }] },
  });
  const call = { nodeType: "ModifierInvocation", modifierName: { name: "EIP712" } };
  const trees = new Map<string, SyntaxNode>([
    [
      "contracts/Any.sol",
      {
        nodeType: "SourceUnit",
        nodes: [
          constant("Sum(uint8 a,Part[] parts)Part(uint8 b)"),
          constant("Part(uint8 b)"),
          constant("a slot of storage"),
          { ...call, arguments: [{ value: "DRMP" }, { value: "1" }] },
        ],
      },
    ],
    ["npm/lib.sol", { nodeType: "SourceUnit", nodes: [constant("Vote(uint8 c)")] }],
  ]);
  const fields = (name: string, type: string) => ({ name, type });
  assert.deepEqual(typedDataOf(trees), {
    Sum: { Sum: [fields("a", "uint8"), fields("parts", "Part[]")], Part: [fields("b", "uint8")] },
  });
  assert.deepEqual(domainOf(trees), { name: "DRMP", version: "1" });
});
