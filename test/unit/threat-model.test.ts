import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { abiOf, CONTRACT_NAMES } from "@verai/client/abi";
import { ROOT } from "../docs/known.ts";

const PAGE = readFileSync(join(ROOT, "docs/concepts/threat-model.md"), "utf8");
/** A test: `file#name` of Solidity, or `file#beginning of its title`. */
const NAMED = /`([\w/-]+\.(?:t\.sol|test\.ts))#([^`]+)`/g;
/** Chainlink's coordinator and its stand-in, which are none of ours. */
const NOT_DEPLOYED = ["IVrfCoordinator", "VRFCoordinatorV2_5Mock"];

interface AbiEntry {
  readonly type: string;
  readonly name?: string;
  readonly stateMutability?: string;
}

/** The part of the page below a heading of the second level. */
function section(heading: string): string {
  const found = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(found, `the page has no section ${heading}`);
  return found;
}

/** The cells of a section's table rows, without heads and rules. */
function rowsOf(text: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (!line.startsWith("|") || line.startsWith("|---") || lines[i + 1]?.startsWith("|---")) return [];
    return [line.split("|").slice(1, -1).map((cell) => cell.trim())]; // prettier-ignore
  });
}

test("every function that changes state, of every contract that is deployed, has a row, and no other has", () => {
  const deployed = CONTRACT_NAMES.filter((name) => !NOT_DEPLOYED.includes(name)).flatMap((name) =>
    (abiOf(name) as unknown as AbiEntry[])
      .filter(({ type, stateMutability = "" }) => type === "function" && !["view", "pure"].includes(stateMutability))
      .map((entry) => `${name}.${entry.name ?? ""}`),
  );
  const named = rowsOf(section("Functions")).flatMap(([cell = ""]) =>
    [...cell.matchAll(/`(\w+\.\w+)`/g)].map(([, f]) => f),
  );
  assert.deepEqual([...new Set(named)].sort(), [...new Set(deployed)].sort());
  assert.equal(new Set(named).size, named.length, "a function has two rows");
});

test("every contract of contracts/ that a network deploys is among them", () => {
  const modules = ["core", "accounts"].map((name) => readFileSync(join(ROOT, `ignition/modules/${name}.ts`), "utf8"));
  const deployed = [...modules.join("").matchAll(/m\.contract\("(\w+)"/g)].map(([, name = ""]) => name);
  assert.ok(deployed.length > 10);
  for (const name of deployed) assert.ok((CONTRACT_NAMES as readonly string[]).includes(name), name);
});

test("every row names a test, and every test that is named exists", () => {
  for (const heading of ["Actors", "Actors together", "Functions"]) {
    for (const cells of rowsOf(section(heading))) {
      const named = [...(cells.at(-1) ?? "").matchAll(NAMED)];
      assert.ok(named.length > 0 || cells.includes("nothing is added"), `no test: ${cells.join(" | ")}`);
    }
  }
  for (const [, path = "", name = ""] of PAGE.matchAll(NAMED)) {
    const file = path.endsWith(".sol") ? `test/contracts/${path}` : path;
    assert.ok(existsSync(join(ROOT, file)), `no file ${file}`);
    const source = readFileSync(join(ROOT, file), "utf8");
    const found = path.endsWith(".sol") ? source.includes(`function ${name}(`) : source.includes(`("${name}`);
    assert.ok(found, `${file} has no test ${name}`);
  }
});

test("each actor has a row, and each two of them have one together", () => {
  const actors = [...new Set(rowsOf(section("Actors")).map(([actor = ""]) => actor))].filter((actor) => actor !== "");
  assert.deepEqual(actors, [
    ...["contributor", "developer", "keeper", "oracle", "governance", "guardian", "arbiter", "stranger"],
  ]);
  const pairs = new Set(rowsOf(section("Actors together")).map(([pair = ""]) => pair));
  actors.forEach((one, i) => {
    for (const other of actors.slice(i + 1)) assert.ok(pairs.has(`${one} and ${other}`), `${one} and ${other}`);
  });
});

test("each parameter has a row with the bounds that BASE deploys", () => {
  const base = JSON.parse(readFileSync(join(ROOT, "ignition/parameters/base.json"), "utf8")) as {
    Drmp: Record<string, { min?: number; max?: number }>;
  };
  const expected = Object.entries(base.Drmp)
    .filter(([, { min }]) => min !== undefined)
    .map(([name, { min, max }]) => [`\`${name}\``, `${String(min)} to ${String(max)}`]);
  const shown = rowsOf(section("Governance"))
    .filter(([, bounds = ""]) => /^\d+ to \d+$/.test(bounds))
    .map(([name, bounds]) => [name, bounds]);
  assert.deepEqual(shown.sort(), expected.sort());
});
