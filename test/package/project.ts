import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT } from "@verai/devnet/processes";
import { blocksOf } from "../docs/extract.ts";
import manifest from "../../package.json" with { type: "json" };

const run = promisify(execFile);

/** Longest time that one command may take, milliseconds. */
const TIMEOUT_MS = 900_000;

/** Runs a command to its end in a folder. @returns What it printed. @throws Error with all that it said. */
export async function execute(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env }, timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 };
  try {
    return (await run(command, args, options)).stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Why packages cannot be installed here; false if they can. */
export async function registryMissing(): Promise<string | false> {
  try {
    await run("npm", ["ping", "--fetch-retries", "0", "--fetch-timeout", "20000"], { cwd: ROOT });
    return false;
  } catch {
    return "the npm registry does not answer, from which a stranger's project would install its libraries";
  }
}

/** Examples of the package's README by the name in their first line. */
export async function examples(): Promise<Map<string, string>> {
  const file = join(ROOT, "packages", "drmp", "README.md");
  const found = new Map<string, string>();
  for (const { text } of blocksOf(file, await readFile(file, "utf8"))) {
    const [, name] = /^(?:\/\/|#) (\S+\.(?:ts|py))\n/.exec(text) ?? [];
    if (name !== undefined) found.set(name, `${text}\n`);
  }
  return found;
}

/** Makes a TypeScript project out of nothing that uses the package: its libraries, the tarball, and the examples. */
export async function makeProject(folder: string, tarball: string): Promise<void> {
  const { viem, ethers, typescript } = manifest.devDependencies;
  const types = manifest.devDependencies["@types/node"];
  await writeFile(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
  await copyFile(tarball, join(folder, "drmp.tgz"));
  const libraries = [`viem@${viem}`, `ethers@${ethers}`, `typescript@${typescript}`, `@types/node@${types}`];
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
  await execute(folder, "npm", ["install", ...quiet, "./drmp.tgz", ...libraries]);
  for (const [name, text] of await examples()) await writeFile(join(folder, name), text);
}

/** Type-checks a project strictly, declarations of libraries included. */
export async function typecheck(folder: string, resolution: "bundler" | "nodenext"): Promise<void> {
  const options = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2022",
    lib: ["es2022", "dom"],
    types: ["node"],
    module: resolution === "bundler" ? "preserve" : "nodenext",
    moduleResolution: resolution,
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
  await execute(folder, process.execPath, [join(folder, "node_modules", "typescript", "bin", "tsc")]);
}

const NODE = /node 1: (active, )?8 units/;
const TASK = /task: \d+, 0\.424 VER in escrow/;
const ALLOWANCE = /error: ERC20_INSUFFICIENT_ALLOWANCE: 0x\w{40} is allowed to take 0 VER.*approve that amount/;

/** What each example prints. */
export const SAYS = {
  "ethers.ts": [NODE, /quote: 4 units for 0\.04 VER/, ALLOWANCE, TASK],
  "viem.ts": [NODE, ALLOWANCE, TASK],
  "quote.ts": [/quote: 1\.75 VER, 0 units stay open/],
  "enums.ts": [/parameter 2: 200, at most 1000 basis points/, /lease statuses: none, active, /],
  "web3_py.py": [
    NODE,
    /error: ERC20InsufficientAllowance: 0x\w{40} may take 0, \d+ are needed/,
    /task: \d+, \d+ wei in escrow/,
  ],
} as const;
