/**
 * The borders between workspaces, as rules of dependency-cruiser. A workspace's package.json is its border: what it may
 * import are its `dependencies`, and nobody reaches into its `internal/`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders that are workspaces beside those below packages/: the programs. */
const PROGRAMS = ["agent", "keepers", "developer", "tasks", "indexer", "web", "sponsor"];

/** What belongs to no workspace and stands above all of them. */
const ABOVE = "^(scripts|bench|test|ignition|deploy)/";

/** Tests and what only they use. They may import what their workspace may not. */
const TESTS = String.raw`\.test\.ts$|/testing(/|\.ts$)|/testdata/`;

/** @returns {Map<string, string>} Folder by package name. */
function workspacesOf(root) {
  const folders = [
    ...readdirSync(join(root, "packages")).map((name) => `packages/${name}`),
    ...PROGRAMS.filter((name) => existsSync(join(root, name))),
  ];
  return new Map(folders.map((folder) => [manifestOf(root, folder).name, folder]));
}

function manifestOf(root, folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

/** Rules for the workspaces of a repository. */
export function bordersOf(root) {
  const workspaces = workspacesOf(root);
  const all = [...workspaces.values()].join("|");
  const borders = [...workspaces].map(([name, folder]) => {
    // What is published holds what it imports of other workspaces, which are then only needed to build it.
    const { dependencies, devDependencies } = manifestOf(root, folder);
    const imports = Object.keys({ ...dependencies, ...devDependencies }).flatMap((dependency) => {
      const known = workspaces.get(dependency);
      return known === undefined ? [] : [known];
    });
    return {
      name: `border of ${name}`,
      comment: `${folder}/package.json lists what ${name} may import: ${imports.join(", ") || "no other workspace"}.`,
      severity: "error",
      from: { path: `^${folder}/`, pathNot: TESTS },
      to: { path: `^(${all})/`, pathNot: `^(${[folder, ...imports].join("|")})/` },
    };
  });
  return [
    ...borders,
    {
      name: "internal",
      comment: "Modules below a package's internal/ are its own: export what you need from one of its other modules.",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/[^/]+/internal/", pathNot: "^packages/$1/" },
    },
    {
      name: "internal, from outside of packages",
      comment: "Modules below a package's internal/ are its own: export what you need from one of its other modules.",
      severity: "error",
      from: { pathNot: "^packages/" },
      to: { path: "^packages/[^/]+/internal/" },
    },
    {
      name: "packages below programs",
      comment: "A package serves programs and never imports one.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: `^(${PROGRAMS.join("|")})/` },
    },
    {
      name: "workspaces below scripts and tests",
      comment:
        "What people run and what tests share stands above the workspaces (test/vectors and ignition/modules apart).",
      severity: "error",
      from: { path: `^(${all})/` },
      to: { path: ABOVE, pathNot: "^(test/vectors|ignition/modules)/" },
    },
    {
      name: "bench below scripts and tests",
      comment: "Benchmarks stand on packages/devnet, not on the demo or on what tests share.",
      severity: "error",
      from: { path: "^bench/" },
      to: { path: "^(scripts|test)/" },
    },
    {
      name: "tests below scripts",
      comment:
        "Tests stand on packages/devnet, not on what people run; reader of comments, package's builder and compiler apart.",
      severity: "error",
      from: { path: "^test/" },
      to: { path: "^scripts/", pathNot: "^scripts/(prose|package|solidity)/" },
    },
    {
      name: "no test in a program",
      comment: "A module that ships imports nothing that only tests use.",
      severity: "error",
      from: { path: `^(${all})/`, pathNot: `${TESTS}|^packages/devnet/` },
      to: { path: TESTS },
    },
    {
      name: "no circle",
      comment:
        "Modules that import one another in a circle can only be understood together: move what both need below them.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolved",
      comment: "The module does not exist, or its package does not export it.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ];
}
