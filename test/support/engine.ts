import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A container engine for tests. */
export interface TestEngine {
  readonly socket: string;
  stop(): Promise<void>;
}

/** Seconds that an engine gets to start. */
const START_SECONDS = 30;

/** Why no engine can be started here; undefined if one can. */
export function whyNoEngine(): string | undefined {
  if (process.env["DRMP_TEST_ENGINE"] !== undefined) return undefined;
  if (process.platform !== "linux") return "a private Docker engine runs on Linux only";
  if (process.getuid?.() !== 0) return "a private Docker engine needs root; or name one's socket in DRMP_TEST_ENGINE";
  const missing = ["dockerd", "containerd", "runc"].filter((program) => !isOnPath(program));
  if (missing.length > 0) return `${missing.join(", ")} not found: install Docker (Debian: apt-get install docker.io)`;
  return undefined;
}

/**
 * Starts a Docker engine of its own, with all its data in a temporary directory, without touching the machine's network.
 * With `DRMP_TEST_ENGINE=<path of a socket>` that engine is used instead, and left running.
 */
export async function startEngine(): Promise<TestEngine> {
  const told = process.env["DRMP_TEST_ENGINE"];
  if (told !== undefined) return { socket: told, stop: () => Promise.resolve() };
  const root = await mkdtemp(join(tmpdir(), "drmp-engine-"));
  const at = (name: string) => join(root, name);
  // The machine's own configuration is not for this one.
  await writeFile(at("config.json"), "{}");
  const log = await open(at("log"), "w");
  const engine = spawn(
    "dockerd",
    [
      ...["--host", `unix://${at("docker.sock")}`, "--data-root", at("data"), "--exec-root", at("exec")],
      ...["--pidfile", at("pid"), "--config-file", at("config.json")],
      ...["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"],
    ],
    { stdio: ["ignore", log.fd, log.fd] },
  );
  const ended = once(engine, "exit");
  const stop = async () => {
    engine.kill("SIGTERM");
    await Promise.race([ended, sleep(20_000, undefined, { ref: false })]);
    engine.kill("SIGKILL");
    await log.close();
    unmountBelow(root, await readFile("/proc/self/mounts", "utf8"));
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  };
  let failed: unknown;
  engine.once("error", (error) => {
    failed = error;
  });
  for (const end = performance.now() + START_SECONDS * 1000; !(await answers(at("docker.sock"))); await sleep(100)) {
    if (failed === undefined && engine.exitCode === null && performance.now() < end) continue;
    const words = await readFile(at("log"), "utf8");
    await stop();
    throw new Error(`dockerd does not start: ${failed instanceof Error ? failed.message : ""}\n${words.slice(-3000)}`);
  }
  return { socket: at("docker.sock"), stop };
}

async function answers(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const { get } = await import("node:http");
  return new Promise((resolve) => {
    const request = get({ socketPath: socket, path: "/_ping" }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("error", () => resolve(false));
  });
}

/** Ends mounts that an engine that was killed has left, the deepest first. */
function unmountBelow(root: string, mounts: string): void {
  const points = mounts
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point.startsWith(`${root}/`));
  for (const point of points.sort().reverse()) spawnSync("umount", ["--lazy", point]);
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((directory) => existsSync(join(directory, program)));
}
