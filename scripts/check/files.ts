import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository. */
export const ROOT = join(import.meta.dirname, "../..");

/**
 * Modules of Node's whose use by one test cannot be seen by another in the same process. Files are among them: a test writes
 * only into a temporary folder of its own.
 */
const HARMLESS = new Set([
  "assert/strict",
  "buffer",
  "crypto",
  "fs",
  "fs/promises",
  "os",
  "path",
  "perf_hooks",
  "test",
  "timers/promises",
  "url",
  "util",
  "zlib",
]);
/** Words of what a test shares with others in its process: hooks, mocked clocks, the environment, networks. */
const SHARED = /\bprocess\.|\bglobalThis\b|\blisten\(|libp2p|CheckpointStore|helia/i;
const HOOKS = /\b(before|after|beforeEach|afterEach|mock)\b/;

/** Whether the tests of a file can stand in one process with those of others, by its text. */
export function isPure(text: string): boolean {
  const modules = [...text.matchAll(/from "node:([^"]+)"/g)].map(([, name = ""]) => name);
  const [, imported = ""] = /import \{([^}]*)\} from "node:test"/.exec(text) ?? [];
  return modules.every((name) => HARMLESS.has(name)) && !HOOKS.test(imported) && !SHARED.test(text);
}

/** Files of the repository by a pattern, sorted; nothing of dependencies. */
export function filesBy(pattern: string): string[] {
  const found = globSync(pattern, { cwd: ROOT, exclude: (name) => name === "node_modules" });
  return found.map((name) => name.replaceAll("\\", "/")).sort();
}

/** Unit tests that stand in one process, and those that have a process each. */
export function unitTests(): { readonly pure: readonly string[]; readonly others: readonly string[] } {
  const all = filesBy(
    "{packages,agent,keepers,developer,tasks,indexer,web,sponsor,scripts,bench,test/unit}/**/*.test.ts",
  );
  const pure = all.filter((file) => isPure(readFileSync(join(ROOT, file), "utf8")));
  return { pure, others: all.filter((file) => !pure.includes(file)) };
}

/** The scripts that `npm run lint` consists of, in their order. */
export function lintScripts(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { lint: string } };
  return [...scripts.lint.matchAll(/lint:[a-z]+/g)].map(([name]) => name);
}
