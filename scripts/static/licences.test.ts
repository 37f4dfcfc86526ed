import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { isPermitted, judgeLicences, type LicenceRules, type Lockfile } from "./licences.ts";

test("of alternatives one is enough, of a sum all are needed", () => {
  const permitted = ["MIT", "Apache-2.0"];
  assert.ok(isPermitted("MIT", permitted));
  assert.ok(isPermitted("(GPL-3.0 OR MIT)", permitted));
  assert.ok(isPermitted("(MIT AND Apache-2.0)", permitted));
  assert.ok(!isPermitted("(MIT AND GPL-3.0)", permitted));
  assert.ok(!isPermitted("GPL-3.0", permitted));
});

test("what is neither permitted nor argued is told, and what argues nothing", () => {
  const lock: Lockfile = {
    packages: {
      "": {},
      "packages/ours": {},
      "node_modules/@verai/ours": { link: true },
      "node_modules/good": { license: "MIT" },
      "node_modules/good/node_modules/bad": { license: "GPL-3.0" },
      "node_modules/silent": {},
      "node_modules/argued": { license: "BUSL-1.1" },
    },
  };
  const rules = { permitted: ["MIT"], exceptions: { argued: "only tests use it", gone: "no longer here" } };
  assert.deepEqual(
    judgeLicences(lock, rules).map(({ name, licence }) => [name, licence]),
    [
      ["bad", "GPL-3.0"],
      ["silent", "none stated"],
      ["gone", ""],
    ],
  );
});

test("everything that this project installs has a licence that is permitted, or an argument", () => {
  const root = new URL("../../", import.meta.url);
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, root), "utf8"));
  assert.deepEqual(
    judgeLicences(read("package-lock.json") as Lockfile, read("scripts/static/licences.json") as LicenceRules),
    [],
  );
});
