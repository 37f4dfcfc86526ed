import assert from "node:assert/strict";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { anchorsOf, deadLinks, linksOf, unlistedPages } from "./links.ts";

test("links and anchors are taken out of pages as GitHub reads them", () => {
  const page = "# A b\n\n## `npm run x`: the *1st*, 2nd\n\n## A b\n\n[x](a.md#b) `[y](z)`\n\n```sh\n# no [z](q)\n```\n";
  assert.deepEqual(anchorsOf(page), ["a-b", "npm-run-x-the-1st-2nd", "a-b-1"]);
  assert.deepEqual(linksOf(page), [{ line: 7, target: "a.md#b" }]);
});

test("a link to no file, to no heading, and to a heading of what has none is dead", async () => {
  const root = await mkdtemp(join(tmpdir(), "drmp-links-"));
  await writeFile(join(root, "other.md"), "# One\n");
  await writeFile(join(root, "picture.png"), "");
  const links = ["other.md", "other.md#one", "https://example.org/x", "gone.md", "other.md#two", "picture.png#one"];
  await writeFile(join(root, "page.md"), links.map((link) => `[x](${link})\n`).join(""));
  assert.deepEqual(deadLinks(root, "page.md"), [
    "page.md:4: gone.md: no such file",
    "page.md:5: other.md#two: no such heading",
    "page.md:6: picture.png#one: no anchors there",
  ]);
});

test("a page that the index does not link is named", async () => {
  const root = await mkdtemp(join(tmpdir(), "drmp-links-"));
  await mkdir(join(root, "docs"));
  await writeFile(join(root, "docs/README.md"), "[a](guides/a.md)\n");
  assert.deepEqual(unlistedPages(root, ["docs/guides/a.md", "docs/guides/b.md", "README.md"]), [
    "docs/README.md: does not link docs/guides/b.md",
  ]);
});
