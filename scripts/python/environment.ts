import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../check/files.ts";

/** Interpreters that are tried; the first that is new enough is taken. */
const INTERPRETERS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10"];
const NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
/** Longest time of an installation, milliseconds. */
const INSTALL_MS = 1_800_000;

/** What is wanted of a machine that has no Python for us. */
export const PYTHON_WANTED = `Python 3.10 or later with venv, as one of ${INTERPRETERS.join(", ")}`;

/** The first interpreter of this machine that is new enough, if there is one. */
export function findPython(): string | undefined {
  return INTERPRETERS.find((name) => spawnSync(name, ["-c", NEW_ENOUGH]).status === 0);
}

/**
 * Makes a virtual environment below `.data/python` with exactly what a file of requirements names, unless it exists.
 *
 * @param python The interpreter, from {@link findPython}.
 * @param name The environment's folder.
 * @param requirements Path of the file, with a version for each package.
 * @returns The environment's path.
 * @throws Error with what pip said, if it cannot be made.
 */
export function pythonEnvironment(python: string, name: string, requirements: string): string {
  const path = join(ROOT, ".data", "python", name);
  const stamp = join(path, "requirements.sha256");
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (readIfThere(stamp) === wanted) return path;
  mkdirSync(path, { recursive: true });
  run(python, ["-m", "venv", "--clear", path]);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
  run(join(path, "bin", "python"), [...install, "--requirement", requirements]);
  writeFileSync(stamp, wanted);
  return path;
}

function run(program: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: INSTALL_MS });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
