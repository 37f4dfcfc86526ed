import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { completeBuildInfos } from "./complete-build-infos.ts";

const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };

test("a file of constants alone gives an output that names its contracts: none", async () => {
  const input = {
    language: "Solidity",
    sources: {
      "Constants.sol": {
        content: "// SPDX-License-Identifier: MIT\npragma solidity 0.8.30;\nuint256 constant ONE = 1;",
      },
    },
    settings: { outputSelection: { "*": { "*": ["abi"], "": ["ast"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as { contracts?: object; sources: object };
  assert.equal(output.contracts, undefined, "the compiler leaves the key out, which the simulated network refuses");
  const handlers = await (await completeBuildInfos.hookHandlers?.solidity?.())?.default();
  type Arguments = Parameters<NonNullable<NonNullable<typeof handlers>["invokeSolc"]>>;
  const [context, compiler, config] = [{}, {}, {}] as [Arguments[0], Arguments[1], Arguments[3]];
  const next = () => Promise.resolve(output as Awaited<ReturnType<Arguments[4]>>);
  const found = await handlers?.invokeSolc?.(context, compiler, input as unknown as Arguments[2], config, next);
  assert.deepEqual(found, { ...output, contracts: {} });
});

test("both build profiles are one, so that no command compiles what another has compiled", async () => {
  const { default: hre } = await import("hardhat");
  const { default: usual, production } = hre.config.solidity.profiles;
  assert.deepEqual(production, usual);
});
