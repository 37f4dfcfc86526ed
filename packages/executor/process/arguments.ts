import { findPackageJSON } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { WorkloadError } from "../errors.ts";

/** A program built into the agent. */
export interface TrainerProgram {
  /** Absolute path of the module to run. */
  readonly entry: string;
  /** Absolute paths, files or whole directories, that it may read besides its unit's directories: its code and data. */
  readonly readable: readonly string[];
}

/** The base of all errors: the link by which its package is found, and its module. */
const ERRORS = [
  dirname(findPackageJSON("@verai/errors", import.meta.url) ?? ""),
  fileURLToPath(import.meta.resolve("@verai/errors/drmp-error")),
];

/** The workload contract's own modules, which trainers use. */
const CONTRACT = [
  ...["checkpoints", "environment", "errors", "exchange", "paths", "rounds"].map((module) =>
    fileURLToPath(new URL(`../${module}.ts`, import.meta.url)),
  ),
  ...ERRORS,
];
const HOST = fileURLToPath(new URL("host.ts", import.meta.url));

/** Memory that Node needs beside the heap of the program: code, stacks, buffers. MiB. */
const BESIDE_HEAP_MIB = 32;

/**
 * Arguments for Node that start a trainer under its permission model.
 *
 * @param directories Real paths; the permission model compares paths as text.
 * @param memoryMiB What the whole process may use.
 */
export function nodeArguments(
  program: TrainerProgram,
  directories: { readonly readable: readonly string[]; readonly writable: readonly string[] },
  memoryMiB: number,
  args: readonly string[],
): string[] {
  const { readable, writable } = directories;
  return [
    "--permission",
    ...[HOST, ...CONTRACT, program.entry, ...program.readable, ...readable, ...writable].map(
      (path) => `--allow-fs-read=${plain(path)}`,
    ),
    ...writable.map((path) => `--allow-fs-write=${plain(path)}`),
    `--max-old-space-size=${Math.max(BESIDE_HEAP_MIB, memoryMiB - BESIDE_HEAP_MIB)}`,
    "--import",
    pathToFileURL(HOST).href,
    program.entry,
    ...args,
  ];
}

function plain(path: string): string {
  if (!path.includes("*")) return path;
  throw new WorkloadError(
    "START_FAILED",
    `The path ${path} has a "*", which Node's permission model takes for a wildcard: use another directory.`,
  );
}
