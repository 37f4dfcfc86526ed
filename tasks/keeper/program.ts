import { spawn } from "node:child_process";
import { join } from "node:path";

import type { Environment } from "../session/environment.ts";

/** Runs the keepers' program in a process of its own; signals go to it, and its exit code is ours. */
export async function runKeepers(environment: Environment, args: readonly string[]): Promise<void> {
  const main = join(environment.config.paths.root, "keepers", "main.ts");
  const child = spawn(process.execPath, [main, ...args], { stdio: "inherit" });
  const forward = (signal: NodeJS.Signals) => {
    child.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}

/** The configuration file. @throws Error if it is not named. */
export function parseFile(file: string): string {
  if (file === "") throw new Error("Name the keeper's configuration: --file keeper.json");
  return file;
}
