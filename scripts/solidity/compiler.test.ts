import assert from "node:assert/strict";
import { test } from "node:test";

import wrapper from "solc/wrapper.js";

import soljson, { isTable, remember } from "./compiler.ts";

test("what a table holds is looked up once, and again once it was replaced", () => {
  const values = ["first", "other"];
  let looks = 0;
  const table = {
    length: values.length,
    get: (index: number): unknown => {
      looks += 1;
      return values[index];
    },
    set: (index: number, value: unknown): void => {
      if (index >= values.length) throw new RangeError("beyond the table");
      values[index] = String(value);
    },
  };
  remember(table);
  assert.deepEqual([0, 0, 1, 1].map(table.get), ["first", "first", "other", "other"]);
  assert.equal(looks, 2);
  table.set(0, "second");
  assert.deepEqual([0, 0, 1].map(table.get), ["second", "second", "other"]);
  assert.equal(looks, 3);
  assert.throws(() => {
    table.set(2, "third");
  }, RangeError);
});

test("the compiler's own table is remembered, and it calls a function that was put there, and then another", () => {
  const tables = Object.values(soljson.asm).filter(isTable);
  assert.deepEqual(
    tables.map((table) => Object.hasOwn(table, "get")),
    [true],
  );
  const solc = wrapper(soljson) as { compile: (input: string, callbacks: object) => string };
  for (const name of ["A", "B"]) {
    const input = {
      language: "Solidity",
      sources: { "C.sol": { content: `import "./${name}.sol"; contract C is ${name} {}` } },
      settings: { outputSelection: { "*": { "*": ["evm.methodIdentifiers"] } } },
    };
    const contents = `contract ${name} { function of${name}() external {} }`;
    const output = JSON.parse(solc.compile(JSON.stringify(input), { import: () => ({ contents }) })) as {
      contracts: Record<string, Record<string, { evm: { methodIdentifiers: object } }>>;
    };
    assert.deepEqual(Object.keys(output.contracts["C.sol"]?.["C"]?.evm.methodIdentifiers ?? {}), [`of${name}()`]);
  }
});
