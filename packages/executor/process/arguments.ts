import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { WorkloadError } from "../errors.ts";
import { relativePathProblem } from "../paths.ts";

/** A program built into the agent. */
export interface TrainerProgram {
  /** Absolute path of the module to run. */
  readonly entry: string;
  /** Absolute paths, files or whole directories, that it may read besides its unit's directories: its code and data. */
  readonly readable: readonly string[];
}

/** An interpreter that runs a file among a unit's inputs, with all the rights of the agent's user. For programs of one's own alone. */
export interface InterpretedPrograms {
  /** Absolute path, such as /usr/bin/python3. */
  readonly interpreter: string;
}

/**
 * Arguments for an interpreter: the first of the spec's names a file below the inputs, such as `code/train.py`.
 *
 * @param input Real path of the unit's inputs.
 * @throws {@link WorkloadError} `START_FAILED` if it names none.
 */
export function interpreterArguments(input: string, args: readonly string[]): string[] {
  const [script = "", ...more] = args;
  const problem = script === "" ? "is missing: name the script" : relativePathProblem(script);
  if (problem === undefined) return [join(input, script), ...more];
  throw new WorkloadError("START_FAILED", `The first argument ${JSON.stringify(script)} ${problem}.`);
}

/** The base of all errors: the link by which its package is found, and its module. */
const ERRORS = [
  dirname(findPackageJSON("@verai/errors", import.meta.url) ?? ""),
  fileURLToPath(import.meta.resolve("@verai/errors/drmp-error")),
];

/** The workload contract's own modules, which trainers use. */
const CONTRACT = [
  ...["checkpoint-number", "checkpoints", "environment", "errors", "exchange", "paths", "rounds"].map((module) =>
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
