import { spawn } from "node:child_process";
import { join } from "node:path";

import { CommandError } from "../errors.ts";
import type { Environment } from "./environment.ts";

/**
 * Runs a program of this project in a process of its own; signals go to it, and its exit code is ours.
 *
 * @param name Its folder.
 */
export async function runService(
  environment: Environment,
  name: "agent" | "keepers",
  args: readonly string[],
): Promise<void> {
  const main = join(environment.config.paths.root, name, "main.ts");
  // A group of its own: Ctrl-C would otherwise reach it twice, and the second time ends it at once.
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "inherit", "inherit"], detached: true });
  const forward = (signal: NodeJS.Signals) => {
    child.kill(signal);
  };
  const end = () => child.kill("SIGKILL");
  process.on("SIGINT", forward).on("SIGTERM", forward).on("SIGHUP", forward).on("exit", end);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward).off("SIGHUP", forward).off("exit", end);
  }
}

/** The configuration file. @throws Error if it is not named. */
export function parseFile(file: string, whose: "agent" | "keeper"): string {
  if (file === "") throw new CommandError("OPTION_MISSING", `Name the ${whose}'s configuration: --file ${whose}.json`);
  return file;
}
