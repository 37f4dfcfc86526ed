import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { ROOT } from "../docs/known.ts";

/** Folders of contracts/, each with those below it: what they stand for is in docs/concepts/architecture.md. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  types: [],
  libraries: ["types"],
  governance: ["libraries", "types"],
  token: [],
  core: ["governance", "libraries", "types"],
  checkpoints: ["core", "governance", "libraries", "types"],
  audits: ["checkpoints", "core", "governance", "libraries", "types"],
  accounts: [],
  periphery: ["checkpoints", "core", "governance", "libraries", "types", "token"],
};

const FILES = globSync("contracts/**/*.sol", { cwd: ROOT }).map((file) => file.replaceAll("\\", "/"));
const SOURCES = new Map(FILES.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));

/** Files of ours that a file imports. */
function importsOf(file: string): string[] {
  const specifiers = [...(SOURCES.get(file) ?? "").matchAll(/^(?:import\b|\} from )[^;]*?"(\.[^"]+)"/gm)];
  return specifiers.map(([, specifier = ""]) => join(dirname(file), specifier).replaceAll("\\", "/"));
}

/** The folder that a file belongs to; an interface belongs to the contract that implements it, if there is one. */
function layerOf(file: string): string | undefined {
  const [, folder = ""] = file.split("/");
  if (folder !== "interfaces") return folder;
  const name = file.split("/").at(-1)?.replace(".sol", "");
  const implementing = new RegExp(`^contract \\w+ is [^{]*\\b${String(name)}\\b`, "m");
  const found = FILES.find((each) => implementing.test(SOURCES.get(each) ?? ""));
  return found && layerOf(found);
}

test("contracts import only what is below them; the core knows nothing of checkpoints, reports, energy or moves", () => {
  assert.ok(FILES.length > 40);
  for (const file of FILES) {
    const layer = layerOf(file);
    if (layer === undefined) continue;
    const below = BELOW[layer];
    assert.ok(below, `${file} lies in ${layer}, which has no layer`);
    for (const imported of importsOf(file)) {
      assert.ok(SOURCES.has(imported), `${file} imports ${imported}, which does not exist`);
      const target = layerOf(imported);
      const allowed = target === undefined || target === layer || below.includes(target);
      assert.ok(allowed, `${file} is of ${layer} and imports ${imported} of ${String(target)}`);
    }
  }
});

test("no contract imports itself by way of others", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), [...path, file].join(" -> "));
    if (done.has(file)) return;
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of FILES) visit(file, []);
});
