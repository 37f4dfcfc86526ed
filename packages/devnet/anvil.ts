import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { untilListening } from "./chain.ts";
import { type Processes, ROOT } from "./processes.ts";

/** Starts anvil as process "chain". @returns its URL, once it answers. */
export async function startAnvil(processes: Processes, chainId: number, options: readonly string[]): Promise<string> {
  const where = ["--host", "127.0.0.1", "--port", "0", "--chain-id", String(chainId)];
  const { log } = processes.startProgram("chain", await anvil(processes), [...where, ...options]);
  return processes.watch(["chain"], untilListening(log, chainId));
}

/** Anvil's binary, installed into tools/anvil from the lockfile there if it is missing. */
async function anvil(processes: Processes): Promise<string> {
  const folder = join(ROOT, "tools", "anvil");
  const binary = join(folder, "node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil");
  if (existsSync(binary)) return binary;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("Anvil is locked for Linux x64 only; on other machines rehearse on Hardhat's node.");
  }
  const data = join(ROOT, ".data");
  mkdirSync(data, { recursive: true });
  // Aside, and moved when whole: who else starts anvil now must not find a binary that is still being written.
  const aside = mkdtempSync(join(data, "anvil-"));
  try {
    for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(folder, file), join(aside, file));
    await processes.runProgram("install-anvil", "npm", ["ci", "--prefix", aside, "--ignore-scripts"]);
    if (!existsSync(binary)) renameSync(join(aside, "node_modules"), join(folder, "node_modules"));
  } catch (error) {
    if (!existsSync(binary)) throw error;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return binary;
}
