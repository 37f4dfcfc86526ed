import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { type Command as CommanderCommand, Option } from "commander";

import { programOf, wholeNumber } from "@verai/process/program";

import { type Command, flagOf } from "./command.ts";
import { commands } from "./index.ts";
import { type Environment, NETWORKS, plainEnvironment } from "./session/environment.ts";

/** The repository's root. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Commands that need no subject: `drmp status`, `drmp run train.py`. */
const SHORT: ReadonlySet<string> = new Set(["network:status", "task:run"]);

const SUBJECTS: Readonly<Record<string, string>> = {
  network: "a network at a glance; deployments of the protocol: deploy, check, publish sources",
  key: "keys in encrypted keystores",
  node: "nodes of contributors: register, stake, drain, earn",
  task: "tasks of developers: quote, submit, follow, fetch results",
  data: "inputs of tasks: add",
  round: "rounds and the leases that they grant",
  keeper: "keepers of the protocol",
  energy: "energy and carbon",
};

/**
 * The `drmp` command line: `drmp <subject> <verb>`. It needs neither Hardhat nor compiled contracts, but for the commands
 * that deploy, check or publish them, which it hands to Hardhat.
 */
export function program(): CommanderCommand {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const root = programOf(
    "drmp",
    "Compute for AI training on BASE: what contributors, developers and keepers do, as commands",
  ).version(version);
  root.addHelpText(
    "after",
    "\nWithout --network a command asks the devnet of this machine (scripts/drmp devnet); the examples are for it.",
  );
  const subjects = new Map<string, CommanderCommand>();
  for (const command of commands) {
    const [subject = "", verb = ""] = command.id.split(":");
    let parent = subjects.get(subject);
    if (!parent) {
      parent = root.command(subject).description(SUBJECTS[subject] ?? subject);
      subjects.set(subject, parent);
    }
    add(parent, verb, command);
    if (SHORT.has(command.id)) add(root, verb, command);
  }
  root
    .command("devnet")
    .description("a whole network on this machine that stays up; --help says more")
    .helpOption(false)
    .allowUnknownOption()
    .argument("[arguments...]")
    .action(async () => {
      process.exitCode = await runForeground([join(ROOT, "scripts", "devnet.ts"), ...root.args.slice(1)], true);
    });
  return root;
}

function add(parent: CommanderCommand, verb: string, command: Command): void {
  const { id, description, example, options, positional, hardhatOnly, load } = command;
  const own = parent
    .command(verb)
    .description(description)
    .addOption(new Option("--network <name>", "where to").choices(Object.keys(NETWORKS)).default("localhost"))
    .addHelpText("after", `\nExample:\n  npx drmp ${id.replace(":", " ")} ${example}`.trimEnd());
  for (const { name, description: what, type, defaultValue } of options) {
    const flag = flagOf(name);
    if (type === "flag") own.addOption(new Option(flag, what).default(false, "no"));
    else {
      const shown = defaultValue === "" ? "none" : undefined;
      const option = new Option(`${flag} <${type === "int" ? "number" : "text"}>`, what).default(defaultValue, shown);
      own.addOption(type === "int" ? option.argParser(wholeNumber(Number.MIN_SAFE_INTEGER)) : option);
    }
  }
  if (positional !== undefined) own.argument(`[${positional}]`);
  own.action(async (...typed: readonly unknown[]) => {
    const [first, second] = typed as [unknown, Options];
    const named = positional === undefined ? (first as Options) : second;
    const isTyped = positional !== undefined && typeof first === "string";
    const given: Options = isTyped ? { ...named, [positional]: first } : named;
    if (hardhatOnly) {
      process.exitCode = await withHardhat(id, own.parent?.parent?.args ?? [], given.network);
      return;
    }
    const { default: action } = await load();
    const environment = plainEnvironment(ROOT, given.network, process.env);
    await (action as (args: object, environment: Environment) => Promise<void>)(given, environment);
  });
}

type Options = Readonly<Record<string, unknown>> & { readonly network: string };

/** Runs a command as a Hardhat task, in the repository, with the arguments as they were given. */
async function withHardhat(id: string, args: readonly string[], network: string): Promise<number> {
  const hardhat = fileURLToPath(import.meta.resolve("hardhat/package.json")).replace(
    /package\.json$/,
    "dist/src/cli.js",
  );
  const rest = args.slice(2);
  const named = rest.some((arg) => arg === "--network" || arg.startsWith("--network=")) ? [] : ["--network", network];
  return runForeground([hardhat, id, ...rest, ...named]);
}

/**
 * Runs Node in the repository in place of this process; signals go to it.
 *
 * @param alone It asks nothing at the terminal, and so gets no signals from there but those that are passed on.
 * @returns Its exit code.
 */
async function runForeground(args: readonly string[], alone = false): Promise<number> {
  const stdin = alone ? "ignore" : "inherit";
  const child = spawn(process.execPath, args, { stdio: [stdin, "inherit", "inherit"], cwd: ROOT, detached: alone });
  const forward = (signal: NodeJS.Signals) => {
    child.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

/** The arguments with `task:submit`, as Hardhat has it, in two words. Pure. */
export function inWords(args: readonly string[]): string[] {
  const [first = "", ...rest] = args;
  return commands.some(({ id }) => id === first) ? [...first.split(":"), ...rest] : [...args];
}
