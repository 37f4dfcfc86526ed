import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { KINDS } from "./kinds.ts";
import { ROOT } from "@verai/devnet/processes";

const slowOf = (cases: (typeof KINDS)[number]["cases"]) => cases.filter(({ slow }) => slow === true).length;

test("the documented table of faults is that of the cases", () => {
  const page = readFileSync(join(ROOT, "docs", "reference", "faults.md"), "utf8");
  const rows = KINDS.map(
    ({ name, cases, guarantee }) => `| \`${name}\` | ${cases.length} | ${slowOf(cases)} | ${guarantee} |`,
  );
  const cases = KINDS.flatMap((kind) => kind.cases);
  rows.push(`| all | ${cases.length} | ${slowOf(cases)} | |`);
  for (const row of rows) assert.ok(page.includes(`${row}\n`), `docs/reference/faults.md lacks this row:\n${row}`);
});

test("a case is named once in its kind", () => {
  for (const { name, cases } of KINDS) {
    const names = cases.map((fault) => fault.name);
    const twice = names.filter((each, i) => names.indexOf(each) !== i);
    assert.deepEqual(twice, [], name);
  }
});
