import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { Interface } from "ethers";

import { buildPackage, packPackage } from "./build.ts";
import manifest from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "../../..");

/** What an entry point may weigh, minified and compressed, without its peers; the README says the same, in kB. */
const BOUNDS: Readonly<Record<string, number>> = { ".": 28, "./abi": 25, "./quote": 16, "./ethers": 64 };
const TARBALL = 300;

/** Within the repository, so that its libraries are found. */
const BUILT = join(ROOT, ".data", "package-test");
const DIST = join(BUILT, "dist");

before(() => buildPackage(ROOT, BUILT));
after(() => rm(BUILT, { recursive: true, force: true }));

/** An entry point as a bundler puts it into a program: its bytes, and the libraries that it leaves outside. */
async function bundle(entry: keyof typeof manifest.exports) {
  const target = manifest.exports[entry];
  const file = typeof target === "string" ? target : target.default;
  const { outputFiles, metafile } = await build({
    entryPoints: [join(BUILT, file)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: ["ethers"],
    logLevel: "silent",
  });
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return { size: gzipSync(outputFiles[0]?.contents ?? "").length, outside };
}

test("every entry point runs in a browser, within its size, and only the one for ethers needs ethers", async () => {
  const readme = await readFile(join(ROOT, "packages", "drmp", "README.md"), "utf8");
  for (const [entry, bound] of Object.entries(BOUNDS)) {
    const { size, outside } = await bundle(entry as keyof typeof manifest.exports);
    assert.ok(size <= bound * 1000, `${entry} weighs ${String(size)} bytes of at most ${String(bound)} kB`);
    assert.deepEqual(outside, entry === "./ethers" ? outside.fill("ethers") : [], entry);
    assert.match(
      readme,
      new RegExp(`\`${entry.replaceAll(".", "\\.")}\`[^,;]* ${String(bound)} kB`),
      `the README has the bound of ${entry}`,
    );
  }
});

test("declarations need no library either, but for those of ethers", async () => {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") continue;
    const outside = await librariesOf(join(BUILT, target.types));
    assert.equal(outside.has("ethers"), entry === "./ethers", `${entry}: ${[...outside].join(", ")}`);
  }
});

/** Libraries that a declaration, and all that it imports of the package, names. */
async function librariesOf(file: string, seen = new Set<string>()): Promise<Set<string>> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  for (const [, name = ""] of (await readFile(file, "utf8")).matchAll(/(?:from|import\() ?["']([^"']+)["']/g)) {
    if (!name.startsWith(".")) found.add(name);
    else {
      const inner = await librariesOf(join(dirname(file), name.replace(/\.js$/, ".d.ts")), seen);
      for (const each of inner) found.add(each);
    }
  }
  return found;
}

test("the tarball is small and holds what runs, nothing of the sources", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-package-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const { bytes } = await packPackage(BUILT, folder);
  assert.match(await readFile(join(BUILT, "README.md"), "utf8"), new RegExp(`tarball at most ${String(TARBALL)} kB`));
  assert.ok(bytes <= TARBALL * 1000, `${String(bytes)} bytes`);
  const files = await readdir(DIST, { recursive: true });
  assert.ok(files.includes(join("drmp", "ethers.d.ts")));
  assert.deepEqual(
    files.filter((file) => /(?<!\.d)\.ts$/.test(file)),
    [],
  );
  for (const file of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    assert.doesNotMatch(
      await readFile(join(DIST, file), "utf8"),
      /from ["']@verai\/|from ["'][^"']*(?<!\.d)\.ts["']/,
      file,
    );
  }
});

test("every contract's ABI is there for programs and as JSON, and decodes what inner contracts revert with", async () => {
  const abis = (await import(join(DIST, "abi", "index.js"))) as Readonly<Record<string, readonly object[]>>;
  const errors = Interface.from(abis["errorsAbi"] ?? []);
  assert.ok(errors.getError("ERC20InsufficientAllowance") && errors.getError("WrongLeaseStatus"));
  for (const [name, abi] of Object.entries(abis)) {
    const file = `${name.charAt(0).toUpperCase()}${name.slice(1).replace(/Abi$/, "")}.json`;
    assert.deepEqual(JSON.parse(await readFile(join(DIST, "abi", file), "utf8")), abi);
    Interface.from(abi).forEachError(({ selector }) => assert.ok(errors.getError(selector), `${name}: ${selector}`));
  }
});
