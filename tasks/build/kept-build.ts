import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { TaskOverrideActionFunction } from "hardhat/types/tasks";

import { hashOf, listSources } from "./sources.ts";

type Scope = "contracts" | "tests";

interface Roots {
  readonly contractRootPaths: readonly string[];
  readonly testRootPaths: readonly string[];
}

/**
 * Leaves everything as it is where it was built from the very same content: no artifact, type or cache file is touched then,
 * so that any number of deployments and tests can begin with a build beside each other. Whatever else is asked for, such as
 * single files, coverage or a forced build, is Hardhat's own build.
 */
const keptBuild: TaskOverrideActionFunction = async (args, hre, runSuper): Promise<unknown> => {
  const { force, noTests, noContracts } = args as Readonly<Record<string, boolean>>;
  const files = args["files"] as readonly string[];
  if (force === true || files.length > 0 || hre.globalOptions.coverage) return runSuper(args);
  const { root, cache, artifacts } = hre.config.paths;
  const scopes: Scope[] = [
    ...(noContracts === true ? [] : ["contracts" as const]),
    ...(noTests === true ? [] : ["tests" as const]),
  ];
  const sources = await listSources(root, noTests === true ? ["contracts"] : ["contracts", "test/contracts"]);
  const hashes = new Map<Scope, string>();
  for (const scope of scopes) {
    hashes.set(scope, await hashOf(root, scope === "tests" ? sources : sources.filter(isContract)));
  }
  const noteOf = (scope: Scope): string => join(cache, `built-${scope}`);
  const isKept = async (scope: Scope): Promise<boolean> =>
    (await readFile(noteOf(scope), "utf8").catch(() => "")) === hashes.get(scope);
  const kept = existsSync(artifacts) && existsSync(join(root, "types")) && (await Promise.all(scopes.map(isKept)));
  if (kept && kept.every(Boolean)) {
    const rootsOf = async (scope: Scope): Promise<readonly string[]> =>
      scopes.includes(scope) ? hre.solidity.getRootFilePaths({ scope }) : [];
    return { contractRootPaths: await rootsOf("contracts"), testRootPaths: await rootsOf("tests") } satisfies Roots;
  }
  const result: unknown = await runSuper(args);
  await mkdir(cache, { recursive: true });
  for (const [scope, hash] of hashes) await writeFile(noteOf(scope), hash);
  return result;
};

export default keptBuild;

function isContract(file: string): boolean {
  return !file.startsWith("test/");
}
