import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import Docker from "dockerode";

import { newestCheckpoint } from "@verai/executor/checkpoints";
import { ContainerExecutor } from "@verai/executor/container";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import { startEngine, type TestEngine, whyNoEngine } from "../../support/engine.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Debian's base, made once and kept: 250 MB. */
const BASE = join(ROOT, ".data/images/debian-trixie.tar");
const DEBIAN = "http://deb.debian.org/debian";
const IMAGE = "drmp/trainer-python:test";
const skip =
  whyNoEngine() ??
  (["docker", "debootstrap"].every((program) => spawnSync(program, ["--version"]).status === 0)
    ? false
    : "docker's command line or debootstrap is not installed (Debian: apt-get install docker.io debootstrap)");

let engine: TestEngine | undefined;
let directory: string;
let executor: ContainerExecutor | undefined;

before(async () => {
  if (skip) return;
  directory = await mkdtemp(join(tmpdir(), "drmp-python-"));
  if (!existsSync(BASE)) await makeBase();
  engine = await startEngine();
  const dockerfile = await readFile(join(ROOT, "deploy/images/python/Dockerfile"), "utf8");
  const [, repo = "", tag = ""] = /^ARG DEBIAN_IMAGE=(\S+):(\S+)$/m.exec(dockerfile) ?? [];
  // In the place of the image that the Dockerfile names: the same distribution, from its packages.
  const docker = new Docker({ socketPath: engine.socket });
  for await (const _ of await docker.importImage(createReadStream(BASE), { repo, tag } as object));
  await run("docker", ["build", "--network", "host", "--file", "deploy/images/python/Dockerfile", "--tag", IMAGE, "."]);
  executor = await ContainerExecutor.open({
    directory: join(directory, "executor"),
    socket: engine.socket,
    // The image's entry point takes a program, where that of the built-in trainers takes a trainer's name.
    trainerImage: IMAGE,
    trainers: ["python3"],
  });
});
after(async () => {
  if (skip) return;
  await executor?.close();
  await engine?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

test("what failed in a bare container works", { skip }, async (context) => {
  const { running, result } = await start(context, "test/containers/python/probe.py", []);
  const exit = await running.exited;
  assert.equal(exit.reason, "done", await running.logTail(4000));
  assert.deepEqual(JSON.parse(await result()), {
    user: ["unit", "unit", "/tmp"],
    host: "127.0.0.1",
    init: true,
    library: 7,
    threads: [1, 1],
    batches: 0 + 1 + 2 + 3,
    compiled: 20,
    cache: true,
  });
});

test("the example in PyTorch: drained, resumed, and the same bits", { skip }, async (context) => {
  const example = "python/examples/plain_pytorch.py";
  const alone = await start(context, example, []);
  assert.equal((await alone.running.exited).reason, "done", await alone.running.logTail(4000));

  const { unit, running, result } = await start(context, example, ["--pace", "50"]);
  await until("it has trained a little", async () => (await running.logTail(5000)).includes("step 23 "));
  const { reason, code } = await running.drain(20);
  assert.deepEqual([reason, code], ["drained", 143], await running.logTail(4000));
  const newest = await newestCheckpoint(unit.folder.checkpoint);
  assert.ok(newest && newest.number >= 23 && newest.number < 128, newest?.name);
  const again = await opened().start({ ...unit, attempt: 2 });
  context.after(() => again.kill());
  assert.equal((await again.exited).reason, "done", await again.logTail(4000));
  assert.match(await again.logTail(20_000), new RegExp(`starts at step ${String(newest.number)} of 128`));
  assert.equal(await result(), await alone.result());
});

function opened(): ContainerExecutor {
  assert.ok(executor);
  return executor;
}

/** Starts a program of this repository as a unit. */
async function start(context: TestContext, program: string, args: readonly string[]) {
  const root = await mkdtemp(join(directory, "unit-"));
  const spec = testSpec({
    trainer: "python3",
    args: [`/verai/input/${basename(program)}`, ...args],
    resources: { cpus: 1, memoryMiB: 2048, ephemeralMiB: 512, shmMiB: 256 },
    timeouts: { unitSeconds: 600, graceSeconds: 20 },
  });
  const unit = testUnit(root, spec);
  await mkdir(unit.folder.input, { recursive: true });
  await copyFile(join(ROOT, program), join(unit.folder.input, basename(program)));
  const running = await opened().start(unit);
  context.after(() => running.kill());
  return { unit, running, result: () => readFile(join(unit.folder.output, "result.json"), "utf8") };
}

async function makeBase(): Promise<void> {
  const root = join(directory, "debian");
  await run("debootstrap", ["--variant=minbase", "trixie", root, DEBIAN]);
  await mkdir(join(BASE, ".."), { recursive: true });
  await run("tar", ["--create", "--file", `${BASE}.tmp`, "--directory", root, "--numeric-owner", "."]);
  await rename(`${BASE}.tmp`, BASE);
  await rm(root, { recursive: true, force: true });
}

async function run(program: string, args: readonly string[]): Promise<void> {
  // Not spawnSync: the engine closes connections that are not attended to for so long.
  await promisify(execFile)(program, args, {
    cwd: ROOT,
    env: { ...process.env, DOCKER_HOST: `unix://${engine?.socket ?? ""}`, DOCKER_BUILDKIT: "0" },
    maxBuffer: 64 * 1024 * 1024,
  });
}
