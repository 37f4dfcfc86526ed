import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { parse as parseYaml } from "yaml";

import { ROOT } from "../docs/known.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const tracked = (...patterns: string[]): string[] =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...patterns], {
    cwd: ROOT,
    encoding: "utf8",
  })
    .split("\n")
    .filter((file) => file !== "");

const { scripts, engines } = JSON.parse(read("package.json")) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

/** Variables that are everybody's, or that tests alone set and read. */
const NOT_OURS =
  /^(PATH|AGENT_PRIVATE_KEY|DIGITS_GRID|DRMP_TEST_PASSPHRASE_FILE|DRMP_(TASK_ID|UNIT_.*|ATTEMPT|(CHECKPOINT|INPUT|OUTPUT)_DIR))$/;

test(".env.example has every variable that the code reads, and no other", () => {
  const told = [...read(".env.example").matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  const reads = /(?:process\.env|environment)(?:\.([A-Z][A-Z_]+)|\["([A-Z_]+)"\])|[vV]ariable(?:\(|: )"([A-Z_]+)"/g;
  const used = tracked("*.ts").flatMap((file) =>
    [...read(file).matchAll(reads)].map(([, plain, quoted, variable]) => plain ?? quoted ?? variable ?? ""),
  );
  const wanted = new Set(used.filter((name) => !NOT_OURS.test(name)));
  assert.ok(wanted.size >= 8, [...wanted].join());
  assert.deepEqual([...new Set(told)].sort(), [...wanted].sort());
});

test("workflows are YAML and call scripts that exist", () => {
  const files = globSync(".github/workflows/*.yml", { cwd: ROOT });
  assert.ok(files.length >= 2);
  for (const file of files) {
    const { jobs } = parseYaml(read(file)) as {
      jobs: Record<string, { strategy?: { matrix?: { script?: string[] } }; steps: { run?: string }[] }>;
    };
    for (const { strategy, steps } of Object.values(jobs)) {
      const called = steps.flatMap(({ run = "" }) => {
        const name = /^(?:npm run|scripts\/drmp) (\S+)/.exec(run)?.[1];
        return name === undefined ? [] : [name];
      });
      const names = called.flatMap((name) => (name === "${{" ? (strategy?.matrix?.script ?? []) : [name]));
      assert.ok(names.length > 0, file);
      for (const name of names) assert.ok(scripts[name] !== undefined, `${file}: no npm script ${name}`);
    }
  }
  for (const file of globSync(".github/{dependabot.yml,ISSUE_TEMPLATE/*.yml}", { cwd: ROOT })) {
    assert.equal(typeof parseYaml(read(file)), "object", file);
  }
  JSON.parse(read(".devcontainer/devcontainer.json"));
});

test("folders that dependency updates look at exist", () => {
  const { updates } = parseYaml(read(".github/dependabot.yml")) as {
    updates: { "package-ecosystem": string; directory?: string; directories?: string[] }[];
  };
  const manifest: Record<string, string> = { npm: "package.json", docker: "Dockerfile" };
  for (const { "package-ecosystem": kind, directory, directories = [] } of updates) {
    const file = manifest[kind];
    if (file === undefined) continue;
    for (const folder of [...(directory === undefined ? [] : [directory]), ...directories]) read(join(folder, file));
  }
});

test(".nvmrc names a Node that package.json allows", () => {
  const major = Number(read(".nvmrc"));
  assert.ok(engines.node.includes(`>=${String(major)}.0.0`), `${String(major)} against ${engines.node}`);
});
