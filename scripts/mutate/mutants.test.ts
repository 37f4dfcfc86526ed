import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import type { AstNode } from "./ast.ts";
import { isEnough, passesOf, sampleOf, scores, testOrder, vitalFirst } from "./hunt.ts";
import { mutate, SWITCH } from "./mutants.ts";

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;
// Ünïcode before the code: places are counted in bytes.
contract Purse {
    error Refused(uint256 asked);
    address internal owner;
    uint256 internal constant HALF = 10 / 2 + 1;
    modifier onlyOwner() {
        if (msg.sender != owner) revert Refused(0);
        _;
    }
    function take(uint256 asked, uint256 had) external onlyOwner returns (uint256 left) {
        if (asked > had && owner != address(0)) revert Refused(asked - 1);
        left = had - asked < HALF ? (had + 1) / asked : 0;
        if (left == 7) left = 8;
    }
}
`;

interface Compiled {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources?: Readonly<Record<string, { readonly ast: AstNode }>>;
}

const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };

function compiled(sources: Readonly<Record<string, string>>): Compiled {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([file, content]) => [file, { content }])),
    settings: { outputSelection: { "*": { "": ["ast"], "*": ["evm.bytecode.object"] } } },
  };
  return JSON.parse(solc.compile(JSON.stringify(input))) as Compiled;
}

test("each condition, boundary, sum, quotient and access check has its mutants, all in one build", () => {
  const ast = compiled({ "Purse.sol": SOURCE }).sources?.["Purse.sol"]?.ast;
  assert.ok(ast);
  const file = { file: "Purse.sol", text: SOURCE, ast };
  const { mutants, texts } = mutate([file], [file]);
  assert.deepEqual(
    mutants.map(({ kind, where, line, before, after }) => [kind, where, line, before, after]),
    [
      ["condition", "Purse.take", 13, "asked > had && owner != address(0)", "false"],
      ["condition", "Purse.take", 13, "asked > had && owner != address(0)", "((asked > had) || (owner != address(0)))"],
      ["boundary", "Purse.take", 13, "asked > had", "((asked) >= (had))"],
      ["condition", "Purse.take", 13, "owner != address(0)", "((owner) == (address(0)))"],
      ["condition", "Purse.take", 14, "had - asked < HALF", "!(had - asked < HALF)"],
      ["boundary", "Purse.take", 14, "had - asked < HALF", "((had - asked) <= (HALF))"],
      ["arithmetic", "Purse.take", 14, "had - asked", "((had) + (asked))"],
      [
        "rounding",
        "Purse.take",
        14,
        "(had + 1) / asked",
        "(((had + 1)) / (asked) + (((had + 1)) % (asked) == 0 ? 0 : 1))",
      ],
      ["arithmetic", "Purse.take", 14, "had + 1", "((had) - (1))"],
      ["condition", "Purse.take", 15, "left == 7", "!(left == 7)"],
      ["access", "Purse.take", 12, "onlyOwner", ""],
    ],
  );
  assert.equal(new Set(mutants.map(({ key }) => key)).size, mutants.length);
  const text = texts.get("Purse.sol") ?? "";
  const imported = text.replace("0.8.30;", '0.8.30;\nimport {Mutant} from "./Mutant.sol";');
  const { errors = [] } = compiled({ "Purse.sol": imported, "Mutant.sol": SWITCH });
  assert.deepEqual(
    errors.filter(({ severity }) => severity === "error").map((error) => error.formattedMessage),
    [],
  );
  // What events and errors say, and what is computed before deployment, stays.
  for (const kept of ["revert Refused(asked - 1);", "HALF = 10 / 2 + 1;"]) assert.ok(text.includes(kept), kept);
});

test("samples, the order of tests, and scores", () => {
  const at = (file: string, id: number, before = "a < b") => {
    const where = `${file.split("/").at(-1)?.replace(".sol", "") ?? ""}.f`;
    return {
      key: `${file} ${String(id)}`,
      id,
      file,
      where,
      line: 1,
      kind: "boundary" as const,
      before,
      after: "a <= b",
    };
  };
  const [vault, tasks] = ["contracts/core/vault/Vault.sol", "contracts/core/tasks/TaskRegistry.sol"];
  const mutants = [...Array(30).keys()].map((id) => at(id < 25 ? vault : tasks, id + 1));
  const sample = sampleOf(mutants, 10, randomNumbers(1));
  assert.deepEqual(sample, sampleOf(mutants, 10, randomNumbers(1)));
  assert.equal(sample.filter(({ file }) => file === tasks).length, 5, "each file has its share");
  const reached = new Set([1]);
  const file = (name: string, seconds: number) => ({ file: name, reached, seconds, fuzzed: false });
  const [named, near, slow] = [
    file("test/contracts/core/vault/Vault.t.sol", 2),
    file("test/contracts/core/vault/Other.t.sol", 1),
    file("test/contracts/a/A.t.sol", 30),
  ] as const;
  const elsewhere = { ...file("test/contracts/a/B.t.sol", 1), reached: new Set([2]) };
  const first = at(vault, 1);
  const order = (killers: ReadonlyMap<string, readonly string[]>) =>
    testOrder(first, [slow, near, elsewhere, named], killers);
  assert.deepEqual(order(new Map()), [[named, near], [slow]], "what does not come to its place is not run");
  assert.deepEqual(order(new Map([[slow.file, Array<string>(20).fill("Vault.f")]])), [[slow], [named, near]]);
  const fuzzed = { ...slow, file: "test/contracts/a/Fuzz.t.sol", fuzzed: true };
  const slowNamed = { ...named, seconds: 90 };
  const inPasses = passesOf(first, [slow, fuzzed, slowNamed, near], new Map());
  assert.deepEqual(
    inPasses.map(({ runs, fuzzRuns }) => [new Set(runs.flat()), fuzzRuns]),
    [
      [new Set([slowNamed, near]), 24],
      [new Set([slow, fuzzed]), 24],
      [new Set([fuzzed]), 256],
    ],
  );
  assert.deepEqual(
    vitalFirst(mutants).map(({ id }) => id),
    mutants.map(({ id }) => id),
  );
  assert.equal(vitalFirst([at(tasks, 1), first])[0], first);
  const fates = mutants.map((mutant) => ({ mutant, killedBy: mutant.id === 30 ? undefined : "some test" }));
  const [other, money] = scores(fates, {});
  assert.deepEqual([other?.mutants, other?.killed, other?.survivors.length, money?.killed], [5, 4, 1, 25]);
  assert.equal(isEnough(scores(fates, {})), true, "29 of 30");
  assert.equal(isEnough(scores([...fates, { mutant: at(vault, 31), killedBy: undefined }], {})), false, "money");
  const fence = at(tasks, 32, "fence != lease.fence");
  assert.equal(isEnough(scores([...fates, { mutant: fence, killedBy: undefined }], {})), false, "a fence");
  assert.equal(
    isEnough(scores([...fates, { mutant: fence, killedBy: undefined }], { [fence.key]: "no other value" })),
    true,
  );
});
