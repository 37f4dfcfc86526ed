import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Git ignores it; about 280 MB. */
const FOLDER = new URL("../../.data/bench/python/", import.meta.url).pathname;
const REQUIREMENTS = new URL("requirements.txt", import.meta.url).pathname;

/** Written last: an environment without it, or with another list in it, is made again. */
const COMPLETE = `${FOLDER}requirements.txt`;

/** Milliseconds for the registry to serve the packages. */
const TIMEOUT_MS = 300_000;

/** The Python of the benchmark's own environment, or why it has none. */
export type Python = { readonly command: string } | { readonly missing: string };

/**
 * Makes an environment of Python for the benchmark alone, once, with the packages of requirements.txt in their exact
 * versions. Never throws: solvers that need it are left out where it cannot be had.
 *
 * @param install - Make it where it is missing.
 */
export function benchPython(install: boolean): Python {
  const wanted = readFileSync(REQUIREMENTS, "utf8");
  const command = `${FOLDER}bin/python3`;
  if (existsSync(command) && existsSync(COMPLETE) && readFileSync(COMPLETE, "utf8") === wanted) return { command };
  if (!install) return { missing: "npm run bench:lp installs it" };
  rmSync(FOLDER, { recursive: true, force: true });
  process.stderr.write(
    `Python packages are installed into ${FOLDER}, once: ${wanted.trim().replaceAll("\n", ", ")}.\n`,
  );
  const made = run("python3", ["-m", "venv", FOLDER]);
  if (made !== undefined) return { missing: `python3 -m venv: ${made}` };
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r", REQUIREMENTS];
  const installed = run(command, pip);
  if (installed !== undefined) return { missing: `pip install: ${installed}` };
  writeFileSync(COMPLETE, wanted);
  return { command };
}

/** What went wrong, in a line; undefined if nothing did. */
function run(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: TIMEOUT_MS });
  if (error) return error.message;
  if (status === 0) return undefined;
  const said = `${stderr}\n${stdout}`.trim().split("\n");
  return said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? `exit code ${status ?? "none"}`;
}
