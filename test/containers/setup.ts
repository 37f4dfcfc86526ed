import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import Docker from "dockerode";

import { ContainerExecutor, type ContainerExecutorOptions } from "@verai/executor/container";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import { parseSpec, specBytes, type TaskSpecInput } from "@verai/executor/spec";
import { startEngine, type TestEngine, whyNoEngine } from "../support/engine.ts";
import { type ServedImage, TestRegistry } from "../support/registry.ts";
import { packRootFs, removeRootFs } from "../support/root-fs.ts";

export const skip = whyNoEngine() ?? false;
export const TRAINER = ["/usr/local/bin/node", "/app/executor/testdata/misbehaves.ts"];
export const PROBE = ["/usr/local/bin/node", "/app/executor/testdata/probe.ts"];
const EXECUTOR = fileURLToPath(new URL("../../packages/executor", import.meta.url));
const ERRORS = fileURLToPath(new URL("../../packages/errors", import.meta.url));

/** An engine, and a registry with an image of the executor tests' own programs. */
export class Bench {
  readonly engine: TestEngine;
  readonly docker: Docker;
  readonly registry: TestRegistry;
  readonly image: ServedImage;
  readonly tar: string;
  /** Data of the executor under test; one agent's. */
  readonly directory: string;
  readonly #open: ContainerExecutor[] = [];

  private constructor(parts: Pick<Bench, "engine" | "registry" | "image" | "tar" | "directory">) {
    this.engine = parts.engine;
    this.registry = parts.registry;
    this.image = parts.image;
    this.tar = parts.tar;
    this.directory = parts.directory;
    this.docker = new Docker({ socketPath: parts.engine.socket });
  }

  static async start(): Promise<Bench> {
    const tar = await packRootFs(async (root) => {
      await mkdir(join(root, "app"), { recursive: true });
      await mkdir(join(root, "declared"), { recursive: true });
      await cp(EXECUTOR, join(root, "app/executor"), { recursive: true });
      await cp(ERRORS, join(root, "app/errors"), { recursive: true });
      await mkdir(join(root, "app/node_modules/@verai"), { recursive: true });
      await symlink("../../errors", join(root, "app/node_modules/@verai/errors"));
      await writeFile(join(root, "app/package.json"), '{"type":"module"}');
    });
    const registry = await TestRegistry.start();
    const image = await registry.add("tests/programs", tar, {
      Entrypoint: TRAINER,
      Env: ["PATH=/usr/local/bin:/bin"],
      Volumes: { "/declared": {} },
      User: "root",
    });
    const engine = await startEngine();
    const directory = await mkdtemp(join(tmpdir(), "drmp-containers-"));
    return new Bench({ engine, registry, image, tar, directory });
  }

  async stop(): Promise<void> {
    for (const executor of this.#open) await executor.close();
    await this.engine.stop();
    await this.registry.stop();
    await removeRootFs(this.tar);
    await rm(this.directory, { recursive: true, force: true });
  }

  async executor(options: Partial<ContainerExecutorOptions> = {}): Promise<ContainerExecutor> {
    const executor = await ContainerExecutor.open({
      directory: join(this.directory, "executor"),
      socket: this.engine.socket,
      trainers: [],
      ...options,
    });
    this.#open.push(executor);
    // As an agent's: what it writes is its user's alone, and a unit's program is another user.
    process.umask(0o077);
    return executor;
  }

  /** A spec for the test image. */
  spec(args: string[], changes: Partial<TaskSpecInput> = {}) {
    const { trainer: _, ...rest } = testSpec({ args });
    return testSpecOf({ ...rest, image: this.image.reference, ...changes });
  }

  /** Starts a unit in a folder of its own. */
  async run(context: TestContext, executor: ContainerExecutor, spec: ReturnType<Bench["spec"]>) {
    const root = await mkdtemp(join(this.directory, "unit-"));
    const unit = testUnit(root, spec);
    await mkdir(unit.folder.input, { recursive: true });
    await writeFile(join(unit.folder.input, "data.txt"), "for the workload");
    const running = await executor.start(unit);
    context.after(() => running.kill());
    const ready = () => until("the unit is ready", async () => (await running.logTail(1000)).includes("ready\n"));
    const result = async () =>
      JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")) as Record<string, unknown>;
    return { unit, running, ready, result };
  }

  /** Containers that exist, running or not. */
  async containers(): Promise<string[]> {
    return (await this.docker.listContainers({ all: true })).map(({ Names }) => (Names[0] ?? "").slice(1));
  }
}

function testSpecOf(spec: TaskSpecInput) {
  return parseSpec(specBytes(spec));
}
