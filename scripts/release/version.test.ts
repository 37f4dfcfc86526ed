import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { filesBy, ROOT } from "../check/files.ts";
import { compareVersions, NAMES_VERSION, releaseChangelog, tooSmallAStep, withVersion } from "./version.ts";

const PAGE = "# Changelog\n\n## Unreleased\n\n### Changed\n\n- A word.\n\n## 0.1.0\n\n- All.\n";

test("versions are compared by their numbers", () => {
  assert.ok(compareVersions("0.10.0", "0.9.9") > 0);
  assert.equal(compareVersions("1.2.3", "1.2.3"), 0);
  assert.throws(() => compareVersions("1.2", "1.2.3"), /"1\.2" is not a version/);
  assert.throws(() => compareVersions("1.02.0", "1.2.3"), /not a version/);
});

test("what is unreleased gets its version, and a place for what comes next", () => {
  const { changelog, notes } = releaseChangelog(PAGE, "0.2.0", "2026-11-30");
  assert.equal(notes, "### Changed\n\n- A word.");
  assert.match(changelog, /## Unreleased\n\n## 0\.2\.0 \(2026-11-30\)\n\n### Changed\n\n- A word\.\n\n## 0\.1\.0/);
  assert.throws(() => releaseChangelog(PAGE, "0.1.0", "2026-11-30"), /0\.1\.0 is not after 0\.1\.0/);
  assert.throws(() => releaseChangelog(changelog, "0.3.0", "2026-12-01"), /Nothing is unreleased/);
});

test("a change of what was there takes the number that says so", () => {
  const changed = "### Changed\n\n- A word.";
  assert.match(tooSmallAStep("0.1.0", "0.1.1", changed) ?? "", /0\.2\.0 or later/);
  assert.match(tooSmallAStep("1.4.0", "1.5.0", changed) ?? "", /2\.0\.0 or later/);
  assert.equal(tooSmallAStep("0.1.0", "0.2.0", changed), undefined);
  assert.equal(tooSmallAStep("1.4.0", "1.4.1", "### Fixed\n\n- A word."), undefined);
});

test("of all files only what is ours takes the new version, and nothing keeps the old one", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const files = NAMES_VERSION.flatMap((pattern) => filesBy(pattern));
  const texts = files.map((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    return { file, text, after: withVersion(text, file, version, "77.8.9") };
  });
  const changed = texts.filter(({ text, after }) => text !== after).map(({ file }) => file);
  for (const file of ["package.json", "package-lock.json", "packages/drmp/package.json", "python/pyproject.toml"])
    assert.ok(changed.includes(file), file);
  assert.ok(changed.some((file) => file.startsWith("deploy/kubernetes/overlays/")));
  for (const { file, after } of texts.filter(({ file }) => file.endsWith("package.json"))) {
    const manifest = JSON.parse(after) as { version?: string; devDependencies?: Record<string, string> };
    if (!file.startsWith("tools/")) assert.equal(manifest.version, "77.8.9", file);
  }
  const image = /(?:drmp[-/](?:agent|indexer|keepers|trainer)(?:-python)?(?:-cuda)?:|newTag: )(\d+\.\d+\.\d+)/g;
  for (const { file, after } of texts) for (const [, at] of after.matchAll(image)) assert.equal(at, "77.8.9", file);
  const lock = JSON.parse(texts.find(({ file }) => file === "package-lock.json")?.after ?? "{}") as {
    packages: Record<string, { version?: string }>;
  };
  assert.equal(lock.packages["agent"]?.version, "77.8.9");
  // A library that has our number by chance keeps it.
  const others = Object.entries(lock.packages).filter(([place]) => place.startsWith("node_modules/"));
  assert.ok(!others.some(([, entry]) => entry.version === "77.8.9"));
});
