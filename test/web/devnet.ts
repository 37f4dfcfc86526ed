import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { devnetFile, type DevnetState } from "@verai/client/devnet";
import { isFree, PORTS } from "@verai/devnet/playground/ports";
import { ROOT } from "@verai/devnet/processes";

/** A devnet is up in 20 to 40 s; beside other work it may take some times as long. */
const START_MS = 240_000;
const COMMAND_MS = 300_000;

/** A devnet of the test's own: real chain, contracts, oracle, keeper, nodes and indexer. */
export interface TestDevnet {
  readonly state: DevnetState;
  readonly folder: string;
  readonly indexerUrl: string;
  /** Runs a command of the project against it. @returns What it printed. */
  readonly run: (...args: string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Starts a devnet, and waits until it is up. */
export async function startDevnet(): Promise<TestDevnet> {
  const folder = await mkdtemp(join(tmpdir(), "drmp-web-"));
  const env = { ...process.env, DRMP_DEVNET: folder, DRMP_NO_INSTALL: "1", NO_COLOR: "1" };
  const first = await freeRange();
  const child = spawn(process.execPath, ["scripts/devnet.ts", "--ports", String(first)], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let shown = "";
  for (const pipe of [child.stdout, child.stderr])
    pipe.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await Promise.race([ended, delay(60_000)]);
      child.kill("SIGKILL");
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  };
  for (const end = performance.now() + START_MS; !/Try next/.test(shown); await delay(200)) {
    if (performance.now() < end && child.exitCode === null) continue;
    await stop();
    throw new Error(`the devnet did not start:\n${shown.slice(-3000)}`);
  }
  const state = JSON.parse(readFileSync(devnetFile(folder), "utf8")) as DevnetState;
  const indexerUrl = state.services.find(({ kind }) => kind === "indexer")?.address ?? "";
  return {
    state,
    folder,
    indexerUrl,
    stop,
    run: (...args) =>
      finished(spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] }), args.join(" ")),
  };
}

async function finished(child: ChildProcess, command: string): Promise<string> {
  let shown = "";
  for (const pipe of [child.stdout, child.stderr])
    pipe?.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}:\n${shown.slice(-3000)}`);
  return shown;
}

/** A range of ports that nobody has now. */
async function freeRange(): Promise<number> {
  for (let first = 31_000 + (process.pid % 40) * PORTS; first < 32_700; first += PORTS) {
    const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no range of free ports");
}
