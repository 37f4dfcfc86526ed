import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PAGES } from "./pages.ts";
import { ROOT } from "@verai/devnet/processes";

for (const [file, make] of PAGES) {
  test(`${file} says what the code says`, () => {
    const text = make();
    assert.ok(text.split("\n").length > 40, file);
    assert.ok(text === readFileSync(join(ROOT, file), "utf8"), `${file} is out of date: run npm run docs:reference`);
  });
}

test("every entry of a configuration file is explained", () => {
  const text = readFileSync(join(ROOT, "docs/reference/config.md"), "utf8");
  const bare = text
    .split("\n")
    .filter((line) => /^\| `/.test(line) && /\| *\|$/.test(line) && !line.includes(".kind`"));
  assert.deepEqual(bare, [], "entries without a comment in their schema");
});
