import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { type DocCommand, wordsOf } from "./extract.ts";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Programs of others that a page may name; their options are theirs to check. */
const OTHERS = ["export", "mkdir", "cd", "kubectl", "docker", "git", "systemctl", "chmod", "curl"];

const scripts = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> })
  .scripts;

/** What `--help` of a program and of its commands says, once for each program. */
const helps = new Map<string, readonly string[]>();
/** Has a program's help go on with that of its commands. */
const WHOLE_HELP = new URL("whole-help.ts", import.meta.url).href;

/**
 * What is unknown in a command: a program, a task, an option, an npm script or a file. Empty if all of it exists.
 * Place-holders (`…`, `<name>`, `[…]`) are passed over.
 */
export function unknownIn(command: DocCommand, hre: HardhatRuntimeEnvironment): string[] {
  const words = wordsOf(command.text.replaceAll(/[[\]|]/g, " "));
  const [program = "", ...rest] = words;
  const missing = rest.filter((word) => isPath(word) && !existsSync(join(ROOT, word))).map((word) => `file ${word}`);
  return [...missing, ...unknownProgram(program, rest, hre)];
}

/** Whether a word names a file of the repository. */
function isPath(word: string): boolean {
  return /^(deploy|docs|scripts|ignition\/(modules|parameters)|packages|agent|keepers|developer|bench|test|python)\/[\w./-]+$/.test(
    word,
  );
}

function unknownProgram(program: string, rest: readonly string[], hre: HardhatRuntimeEnvironment): string[] {
  if (program === "npx" && rest[0] === "drmp") return unknownDrmp(rest.slice(1), hre);
  if (program === "npx") return rest[0] === "hardhat" ? unknownTask(rest.slice(1), hre) : [`npx ${rest[0] ?? ""}`];
  if (program === "npm") return unknownScript(rest);
  if (program === "scripts/drmp") {
    const [name = "", ...args] = rest;
    return scripts[name] === undefined ? unknownDrmp(rest, hre) : unknownNpm(name, args);
  }
  if (program === "node") {
    // Node's own options are Node's to check.
    const [file = "", ...args] = rest.slice(rest.findIndex((word) => !word.startsWith("--")));
    if (file.startsWith("<")) return [];
    return existsSync(join(ROOT, file)) ? unknownOptions(file, args) : [`file ${file}`];
  }
  return OTHERS.includes(program) ? [] : [`program ${program}`];
}

/** The same commands as Hardhat's tasks, in one word or two; `status` stands for `network:status`, `run` for `task:run`. */
function unknownDrmp(words: readonly string[], hre: HardhatRuntimeEnvironment): string[] {
  const [subject = "", verb = "", ...options] = words;
  if (subject === "" || subject.startsWith("-")) return [];
  if (subject === "devnet") return unknownNpm("devnet", words.slice(1));
  if (subject === "status") return unknownTask(["network:status", ...words.slice(1)], hre);
  if (subject === "run") return unknownTask(["task:run", ...words.slice(1)], hre);
  if (subject.includes(":")) return unknownTask(words, hre);
  return verb === "" || verb.startsWith("-") ? [] : unknownTask([`${subject}:${verb}`, ...options], hre);
}

function unknownScript([verb = "", ...rest]: readonly string[]): string[] {
  if (verb === "test") return unknownNpm("test", rest);
  if (verb === "ci" || verb === "install") return [];
  if (verb !== "run") return [`npm ${verb}`];
  const [script = "", ...args] = rest.filter((word) => word !== "--");
  return unknownNpm(script, args);
}

function unknownNpm(script: string, args: readonly string[]): string[] {
  const line = scripts[script];
  if (line === undefined) return [`npm script ${script}`];
  const file = /^node (\S+\.ts)$/.exec(line)?.[1];
  return file === undefined ? [] : unknownOptions(file, args);
}

/** Options of a program of this project's own, as its `--help` lists them. */
function unknownOptions(file: string, args: readonly string[]): string[] {
  const options = args.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0] ?? word);
  const command = args[0] !== undefined && /^[a-z]+$/.test(args[0]) ? args[0] : undefined;
  if (options.length === 0 && command === undefined) return [];
  const [general = "", ...commands] = helpOf(file);
  const help = commands.find((text) => command !== undefined && new RegExp(`^Usage: \\S+ ${command}\\b`).test(text));
  const unknown = options.filter((option) => !new RegExp(`(^|\\s|,)${option}\\b`, "m").test(help ?? general));
  const missing = commands.length > 0 && command !== undefined && !help ? [`command ${command}`] : [];
  return [...missing, ...unknown.map((option) => `option ${option} of ${file}`)];
}

/** What `--help` of a program says, and of each of its commands. */
function helpOf(file: string): readonly string[] {
  const known = helps.get(file);
  if (known) return known;
  const source = readFileSync(join(ROOT, file), "utf8");
  // A script that reads its arguments by hand has no help, and would begin to work.
  // A program's entry may only load what has the commands.
  const texts = /from "(commander|@verai\/process\/program)"|import\("\.\/program\.ts"\)/.test(source)
    ? askHelp(file)
    : [source.replaceAll(/["'`](--[a-z-]+)/g, "\n $1 ")];
  helps.set(file, texts);
  return texts;
}

/** Asks once for the help of all of a program's commands: to start it takes most of a second. */
function askHelp(file: string): string[] {
  const args = ["--import", WHOLE_HELP, file, "--help"];
  const asked = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8", timeout: 60_000 });
  if (asked.status !== 0) throw new Error(`${file} --help failed: ${asked.stderr}`);
  return asked.stdout.split(/^(?=Usage: )/m);
}

/** Options that Hardhat itself takes in front of any task. */
const GLOBAL = [
  "--network",
  "--help",
  "--version",
  "--config",
  "--show-stack-traces",
  "--verbosity",
  "--build-profile",
];

function unknownTask(words: readonly string[], hre: HardhatRuntimeEnvironment): string[] {
  const options = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0] ?? word);
  const names = words.slice(0, words.findIndex((word) => word.startsWith("-")) >>> 0);
  if (names.length === 0)
    return options.filter((option) => !GLOBAL.includes(option)).map((option) => `option ${option}`);
  // `keystore set NAME`: as many words as name a task.
  for (let count = names.length; count > 0; count--) {
    const id = names.slice(0, count);
    const task = find(id, hre);
    if (!task) continue;
    const known = [...task.options.keys()].map(
      (name) => `--${name.replaceAll(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`,
    );
    return options
      .filter((option) => !known.includes(option) && !GLOBAL.includes(option))
      .map((option) => `option ${option} of ${id.join(" ")}`);
  }
  return [`task ${names[0] ?? ""}`];
}

function find(id: readonly string[], hre: HardhatRuntimeEnvironment) {
  try {
    return hre.tasks.getTask([...id]);
  } catch {
    return undefined;
  }
}
