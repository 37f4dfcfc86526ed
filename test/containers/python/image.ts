import { execFile, spawnSync } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import Docker from "dockerode";

import { withDeadline } from "@verai/executor/time-outs";
import { startEngine, type TestEngine, whyNoEngine } from "../../support/engine.ts";
import { type ServedImage, TestRegistry } from "../../support/registry.ts";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** The image, as the engine knows it. */
export const IMAGE = "drmp/trainer-python:test";
/** Debian's base, made once and kept: 250 MB. */
const BASE = join(ROOT, ".data/images/debian-trixie.tar");
const DEBIAN = "http://deb.debian.org/debian";
/** A step that takes so long on a slow machine is taken for one without an end, milliseconds. */
const STEP_MS = 1_800_000;
const DOCKERFILE = "deploy/images/python/Dockerfile";

/** Why the image cannot be built here; false if it can. */
export const skip =
  whyNoEngine() ??
  (["docker", "debootstrap"].every((program) => spawnSync(program, ["--version"]).status === 0)
    ? false
    : "docker's command line or debootstrap is not installed (Debian: apt-get install docker.io debootstrap)");

/** An engine that has PyTorch's image, built from its Dockerfile. */
export class PythonImage {
  readonly engine: TestEngine;
  readonly docker: Docker;
  /** Temporary. */
  readonly directory: string;
  #registry: TestRegistry | undefined;

  private constructor(engine: TestEngine, directory: string) {
    this.engine = engine;
    this.directory = directory;
    this.docker = new Docker({ socketPath: engine.socket });
  }

  static async build(): Promise<PythonImage> {
    const directory = await mkdtemp(join(tmpdir(), "drmp-python-"));
    let engine: TestEngine | undefined;
    try {
      if (!existsSync(BASE)) await makeBase(directory);
      engine = await startEngine();
      const image = new PythonImage(engine, directory);
      await image.#importBase();
      await image.#command("build", "--network", "host", "--file", DOCKERFILE, "--tag", IMAGE, ".");
      // As an agent's: what it writes is its user's alone, and a unit's program is another user.
      process.umask(0o077);
      return image;
    } catch (error) {
      await engine?.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#registry?.stop();
    await this.engine.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The image in a registry on this machine, by digest, as a developer publishes one. */
  async publish(): Promise<ServedImage> {
    this.#registry ??= await TestRegistry.start();
    const layer = join(this.directory, "layer.tar");
    const { Config } = await this.docker.getImage(IMAGE).inspect();
    const container = await this.docker.createContainer({ Image: IMAGE });
    await this.#command("export", "--output", layer, container.id);
    await container.remove();
    const { Env, Entrypoint, Cmd, User, WorkingDir } = Config;
    return this.#registry.add("lab/trainer-python", layer, { Env, Entrypoint, Cmd, User, WorkingDir });
  }

  /** In the place of the image that the Dockerfile names: the same distribution, from its packages. */
  async #importBase(): Promise<void> {
    const dockerfile = await readFile(join(ROOT, DOCKERFILE), "utf8");
    const [, repo = "", tag = ""] = /^ARG DEBIAN_IMAGE=(\S+):(\S+)$/m.exec(dockerfile) ?? [];
    const importing = async () => {
      for await (const _ of await this.docker.importImage(createReadStream(BASE), { repo, tag } as object));
    };
    await withDeadline(importing, STEP_MS, "The engine, given Debian's base,");
  }

  /** Runs the engine's command line. */
  async #command(...args: string[]): Promise<void> {
    await run("docker", args, { DOCKER_HOST: `unix://${this.engine.socket}`, DOCKER_BUILDKIT: "0" });
  }
}

async function makeBase(directory: string): Promise<void> {
  const root = join(directory, "debian");
  await run("debootstrap", ["--variant=minbase", "trixie", root, DEBIAN]);
  await mkdir(join(BASE, ".."), { recursive: true });
  await run("tar", ["--create", "--file", `${BASE}.tmp`, "--directory", root, "--numeric-owner", "."]);
  await rename(`${BASE}.tmp`, BASE);
  await rm(root, { recursive: true, force: true });
}

async function run(program: string, args: readonly string[], environment: object = {}): Promise<void> {
  // Not spawnSync: the engine closes connections that are not attended to for so long.
  const env = { ...process.env, ...environment };
  const bounds = { timeout: STEP_MS, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024 } as const;
  await promisify(execFile)(program, args, { cwd: ROOT, env, ...bounds }).catch((error: unknown) => {
    const late = error instanceof Error && "killed" in error && error.killed === true;
    if (!late) throw error;
    throw new Error(`${program} ${args[0] ?? ""} took more than ${String(STEP_MS / 60_000)} minutes`, { cause: error });
  });
}
