import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import Docker from "dockerode";

import { builtInTrainers } from "@verai/executor/trainers/registry";
import { ContainerExecutor } from "@verai/executor/container";
import type { Executor } from "@verai/executor/executor";
import { ProcessExecutor } from "@verai/executor/process";
import { listCheckpoints } from "@verai/executor/checkpoints";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import { startEngine, type TestEngine, whyNoEngine } from "../support/engine.ts";
import { packRootFs, removeRootFs } from "../support/root-fs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const skip = whyNoEngine() ?? (onPath("docker") ? false : "docker's command line is not installed");

let engine: TestEngine;
let docker: Docker;
let directory: string;

before(async () => {
  if (skip) return;
  engine = await startEngine();
  docker = new Docker({ socketPath: engine.socket });
  directory = await mkdtemp(join(tmpdir(), "drmp-images-"));
  const dockerfile = await readFile(join(ROOT, "deploy/images/Dockerfile"), "utf8");
  const [, repository = "", tag = ""] = /^ARG NODE_IMAGE=(\S+):(\S+)$/m.exec(dockerfile) ?? [];
  // In the place of the image that the Dockerfile names: the same programs, from this machine.
  const tar = await packRootFs();
  const imported = await docker.importImage(createReadStream(tar), {
    repo: repository,
    tag,
    changes: ["ENV PATH=/usr/local/bin:/bin", "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"],
  } as object);
  for await (const _ of imported);
  await removeRootFs(tar);
});
after(async () => {
  if (skip) return;
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Builds a target of the real Dockerfile. */
function build(target: string): string {
  const tag = `drmp/${target}:test`;
  const { status, stdout, stderr } = spawnSync(
    "docker",
    ["build", "--network", "host", "--file", "deploy/images/Dockerfile", "--target", target, "--tag", tag, "."],
    {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, DOCKER_BUILDKIT: "0" },
    },
  );
  assert.equal(status, 0, `${stdout.slice(-2000)}\n${stderr}`);
  return tag;
}

function onPath(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** A short training. */
const digits = testSpec({
  trainer: "digits",
  args: ["--epochs", "4", "--train", "500", "--test", "100", "--checkpoint-steps", "5"],
  env: {},
  outputs: ["model.bin", "metrics.json"],
  resources: { cpus: 1, memoryMiB: 512 },
});

test(
  "the trainer's image trains to the very weights that a process does, drained and gone on with",
  { skip },
  async () => {
    const trainerImage = build("trainer");
    const executor = await ContainerExecutor.open({
      directory: join(directory, "executor"),
      socket: engine.socket,
      trainers: [...builtInTrainers.keys()],
      trainerImage,
    });
    const model = async (name: string, runner: Executor, drains: number): Promise<string> => {
      const unit = testUnit(join(directory, name), digits);
      for (let attempt = 1; ; attempt++) {
        const running = await runner.start({ ...unit, attempt });
        if (attempt <= drains) {
          await until("a checkpoint exists", async () => (await listCheckpoints(unit.folder.checkpoint)).length > 0);
          const { reason } = await running.drain(20);
          if (reason === "drained") continue;
        }
        const { reason } = await running.exited;
        assert.equal(reason, "done", await running.logTail(3000));
        return (await readFile(join(unit.folder.output, "model.bin"))).toString("base64");
      }
    };
    const expected = await model("process", new ProcessExecutor({ trainers: builtInTrainers }), 0);
    assert.equal(await model("container", executor, 1), expected);
    await executor.close();
  },
);

test("the services' images: not root, and what they need is in them", { skip }, async () => {
  for (const target of ["keepers", "agent"]) {
    const tag = build(target);
    const { Config } = await docker.getImage(tag).inspect();
    assert.equal(Config.User, "65532:65532");
    assert.deepEqual(Config.Entrypoint, ["/usr/local/bin/node", `${target}/main.ts`]);
    assert.deepEqual((Config.Healthcheck as { Test: string[] }).Test.slice(1), [
      "/usr/local/bin/node",
      "packages/process/probe.ts",
    ]);
    // Up to the configuration, which is not there: all modules are.
    const { code, output } = await runOnce(tag, []);
    assert.equal(code, 1, output);
    assert.match(output, /Cannot read the configuration file \/config\//);
    const abi = "await import('/app/packages/client/abi.ts').then(m => m.CONTRACT_NAMES.forEach(m.abiOf))";
    const probe = await runOnce(tag, ["--input-type=module", "--eval", abi], ["/usr/local/bin/node"]);
    assert.equal(probe.code, 0, probe.output);
    const sick = await runOnce(tag, ["packages/process/probe.ts"], ["/usr/local/bin/node"]);
    assert.equal(sick.code, 1);
    assert.match(sick.output, /does not answer/);
  }
});

async function runOnce(
  image: string,
  args: string[],
  entrypoint?: string[],
): Promise<{ code: number; output: string }> {
  const container = await docker.createContainer({
    Image: image,
    ...(args.length > 0 ? { Cmd: args } : {}),
    ...(entrypoint ? { Entrypoint: entrypoint } : {}),
    Tty: true,
    HostConfig: { NetworkMode: "none", ReadonlyRootfs: true },
  });
  await container.start();
  const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
  const output = (await container.logs({ stdout: true, stderr: true })).toString();
  await container.remove({ force: true });
  return { code, output };
}
