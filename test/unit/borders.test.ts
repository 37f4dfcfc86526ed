import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";

import { ROOT } from "@verai/devnet/processes";

const CRUISER = join(ROOT, "node_modules", ".bin", "depcruise");

/** A repository of two packages and a program with these modules, and what the linter says about it. */
async function lint(context: TestContext, modules: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "drmp-borders-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const manifest = (name: string, ...imports: string[]): string =>
    JSON.stringify({
      name: `@verai/${name}`,
      type: "module",
      exports: { "./internal/*": null, "./*": "./*.ts" },
      dependencies: Object.fromEntries(imports.map((each) => [`@verai/${each}`, "0.1.0"])),
    });
  const files: Record<string, string> = {
    "package.json": '{ "type": "module" }',
    "tsconfig.json": '{ "compilerOptions": { "module": "preserve", "moduleResolution": "bundler" } }',
    ".dependency-cruiser.js": config(),
    "packages/low/package.json": manifest("low"),
    "packages/high/package.json": manifest("high", "low"),
    "agent/package.json": manifest("agent", "high"),
    "packages/low/one.ts": "export const one = 1;",
    "packages/low/internal/two.ts": "export const two = 2;",
    "packages/high/three.ts": 'import { one } from "@verai/low/one";\nexport const three = one + 2;',
    "agent/main.ts": 'import { three } from "@verai/high/three";\nexport const main = three;',
    ...modules,
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  await mkdir(join(root, "node_modules", "@verai"), { recursive: true });
  for (const folder of ["packages/low", "packages/high", "agent"]) {
    await symlink(join(root, folder), join(root, "node_modules", "@verai", folder.split("/").at(-1) ?? ""));
  }
  const args = [CRUISER, "--config", ".dependency-cruiser.js", "--output-type", "json", "packages", "agent"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", timeout: 60_000 });
  assert.notEqual(stdout, "", stderr);
  const { summary } = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: { from: string; rule: { name: string } }[] };
  };
  assert.ok(summary.totalCruised >= 4, `only ${summary.totalCruised} modules were looked at`);
  return summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`).sort();
}

/** The repository's own configuration, on another root. */
function config(): string {
  const url = (file: string): string => JSON.stringify(new URL(`../../${file}`, import.meta.url).href);
  return `import { bordersOf } from ${url("scripts/lint/borders.js")};
import own from ${url(".dependency-cruiser.js")};
export default { ...own, forbidden: bordersOf(import.meta.dirname) };
`;
}

test("imports that packages' manifests name pass", async (context) => {
  assert.deepEqual(await lint(context, {}), []);
});

test("an import that a package's manifest does not name is refused, and one of a program's by a package", async (context) => {
  const found = await lint(context, {
    "packages/low/one.ts": 'import { main } from "@verai/agent/main";\nexport const one = main;',
    "agent/main.ts": 'import { one } from "@verai/low/one";\nexport const main = 1;\nexport const other = one;',
  });
  for (const wanted of [
    "agent/main.ts: border of @verai/agent",
    "packages/low/one.ts: border of @verai/low",
    "packages/low/one.ts: packages below programs",
    // a circle is told once, at one of its modules
    found.find((each) => each.endsWith(": no circle")) ?? "a circle",
  ]) {
    assert.ok(found.includes(wanted), `${wanted} is not among ${found.join("; ")}`);
  }
});

test("internal modules are refused by name and by path, tests included", async (context) => {
  const found = await lint(context, {
    "packages/high/three.ts": 'export { two } from "@verai/low/internal/two";',
    "packages/high/three.test.ts": 'import { two } from "../low/internal/two.ts";\nexport const seen = two;',
    "agent/main.ts": 'export { two } from "../packages/low/internal/two.ts";',
  });
  for (const wanted of [
    "packages/high/three.ts: resolved",
    "packages/high/three.test.ts: internal",
    "agent/main.ts: internal, from outside of packages",
  ]) {
    assert.ok(found.includes(wanted), `${wanted} is not among ${found.join("; ")}`);
  }
});

test("a module that only tests may use is refused elsewhere", async (context) => {
  const found = await lint(context, {
    "packages/low/testing.ts": "export const made = 1;",
    "packages/low/one.ts": 'import { made } from "./testing.ts";\nexport const one = made;',
  });
  assert.deepEqual(found, ["packages/low/one.ts: no test in a program"]);
});
