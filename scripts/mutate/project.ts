import { type ChildProcess, fork, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

import { HARDHAT } from "@verai/devnet/chain";
import { ROOT } from "@verai/devnet/processes";
import type { AstNode } from "./ast.ts";
import { type Mutant, mutate, type SourceFile, SWITCH } from "./mutants.ts";
import type { RunAnswer, RunRequest } from "./runner.ts";

/** Contracts that are mutated. */
const MUTATED = /^contracts\/(core|checkpoints|periphery|libraries|types)\//;

/** Beside the contracts, what their tests need. */
const NEEDED = ["test/contracts", "test/vectors", "snapshots", "package.json", "remappings.txt"];

/** A copy of the project whose contracts hold all mutants. */
export interface MutatedProject {
  readonly folder: string;
  readonly mutants: readonly Mutant[];
  /** Test files, below the project, each with a hash of what it says and of all that tests share. */
  readonly tests: ReadonlyMap<string, string>;
}

/**
 * Compiles all contracts, also those that have not changed: a build of what has changed alone does not have all trees.
 *
 * @throws Error if they do not compile.
 */
export async function compile(signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [HARDHAT, "build", "--no-tests", "--force"], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    signal,
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error("The contracts do not compile: `npx hardhat build --no-tests` says why.");
}

/** The contracts as they are, with their trees, from a build that is kept and has all of them; undefined where there is none. */
export function compiledSources(): SourceFile[] | undefined {
  const folder = join(ROOT, "artifacts", "build-info");
  const outputs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".output.json")) : [];
  const builds = outputs.map((name) => {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
    const { output } = read(name) as { output: { sources: Record<string, { ast: AstNode }> } };
    const { input } = read(name.replace(".output", "")) as {
      input: { sources: Record<string, { content: string }> };
    };
    return Object.entries(output.sources).map(([source, { ast }]) => ({
      file: source.replace(/^project\//, ""),
      text: input.sources[source]?.content ?? "",
      ast,
    }));
  });
  const isCurrent = ({ file, text }: SourceFile): boolean =>
    !MUTATED.test(file) || (existsSync(join(ROOT, file)) && readFileSync(join(ROOT, file), "utf8") === text);
  const all = globSync("contracts/**/*.sol", { cwd: ROOT }).filter((file) => MUTATED.test(file));
  return builds.find((sources) => {
    const names = new Set(sources.map(({ file }) => file));
    return sources.every(isCurrent) && all.every((file) => names.has(file));
  });
}

/** Writes the copy, below `.data/mutate`: the contracts unless the folder has them, and the tests as they are now. Compiles nothing. */
export function writeProject(sources: readonly SourceFile[]): MutatedProject {
  const own = sources.filter(({ file }) => MUTATED.test(file)).toSorted((a, b) => (a.file < b.file ? -1 : 1));
  const { mutants, texts } = mutate(own, sources);
  const code = filesBelow(["contracts/**/*.sol", "hardhat.config.ts"]);
  const folder = join(ROOT, ".data", "mutate", hashOf([SWITCH, ...texts.values(), ...code.map(textOf)]).slice(0, 16));
  if (!existsSync(join(folder, "written"))) {
    rmSync(dirname(folder), { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(join(ROOT, "contracts"), join(folder, "contracts"), { recursive: true });
    for (const [file, text] of texts) {
      const path = posix.relative(posix.dirname(file), "contracts/Mutant.sol");
      const imported = `import {Mutant} from "${path.startsWith(".") ? path : `./${path}`}";`;
      writeFileSync(join(folder, file), text.replace(/(pragma solidity[^;]*;)/, `$1\n${imported}`));
    }
    writeFileSync(join(folder, "contracts", "Mutant.sol"), SWITCH);
    writeFileSync(join(folder, "written"), "");
  }
  rmSync(join(folder, "test"), { recursive: true, force: true });
  for (const part of NEEDED) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const tests = filesBelow(["test/contracts/**/*.t.sol"]);
  const shared = hashOf(
    filesBelow(["test/contracts/**/*.sol", "test/vectors/**/*.json"])
      .filter((file) => !file.endsWith(".t.sol"))
      .map(textOf),
  );
  return { folder, mutants, tests: new Map(tests.map((file) => [file, hashOf([shared, textOf(file)])])) };
}

function filesBelow(patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: ROOT }).sort();
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(String(text.length)).update(text);
  return hash.digest("hex");
}

/** A process that runs tests of a mutated project, started again where it had to be ended. */
export class Runner {
  readonly #folder: string;
  readonly #builds: boolean;
  #process: ChildProcess | undefined;

  /** @param builds Whether it compiles what has changed; one must, before any other is started. */
  constructor(folder: string, builds = false) {
    this.#folder = folder;
    this.#builds = builds;
  }

  /**
   * @returns Undefined if it did not end within that many seconds.
   * @throws Error if the process ended: that a run broke down says nothing of the tests.
   */
  async run(request: RunRequest, seconds: number, signal: AbortSignal): Promise<RunAnswer | undefined> {
    this.#process ??= fork(
      fileURLToPath(new URL("runner.ts", import.meta.url)),
      [this.#folder, this.#builds ? "build" : "built"],
      {
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      },
    );
    const child = this.#process;
    return new Promise<RunAnswer | undefined>((resolve, reject) => {
      const done = (answer: RunAnswer | undefined): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        signal.removeEventListener("abort", stop);
        if (answer === undefined) this.close();
        resolve(answer);
      };
      const stop = (): void => {
        done(undefined);
      };
      const timer = setTimeout(stop, seconds * 1000);
      signal.addEventListener("abort", stop);
      child.once("message", (answer: RunAnswer) => {
        done(answer);
      });
      child.once("exit", (code) => {
        reject(new Error(`The tests of mutant ${String(request.mutant)} broke down (exit code ${String(code)}).`));
        stop();
      });
      child.send(request);
    });
  }

  close(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }
}
