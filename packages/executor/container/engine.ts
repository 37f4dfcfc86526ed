import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import Docker from "dockerode";

import { WorkloadError } from "../errors.ts";
import { withDeadline } from "../time-outs.ts";

/** A container engine that answers, and what there is to know of it. */
export interface Engine {
  readonly docker: Docker;
  /** Such as "Docker 27.1" or "Podman 4.3.1". */
  readonly name: string;
  readonly podman: boolean;
  /** The engine itself runs without root. */
  readonly rootless: boolean;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Directory where it keeps images, as it says; undefined if it does not. */
  readonly dataDirectory?: string | undefined;
}

/** Time that an engine gets to answer at first, milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Longest wait for one answer of an engine, milliseconds: one that is stuck, or cut in the middle, never gives it. */
const ANSWER_MS = 60_000;
/** Engines are restarted for updates: so long a call is tried again when nobody answers, milliseconds. */
const RESTART_MS = 30_000;

/** Sockets where engines listen, in the order in which they are tried. */
export function engineSockets(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const told = env["DOCKER_HOST"] ?? env["CONTAINER_HOST"];
  if (told?.startsWith("unix://")) return [told.slice("unix://".length)];
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    ...(runtime === undefined ? [] : [`${runtime}/podman/podman.sock`, `${runtime}/docker.sock`]),
  ];
}

/**
 * Connects to the engine on this machine.
 *
 * @param socket Path of its socket; by default the first of {@link engineSockets} that exists.
 * @throws {@link WorkloadError} `ENGINE_UNAVAILABLE`
 */
export async function connectEngine(socket?: string): Promise<Engine> {
  const candidates = socket === undefined ? engineSockets() : [socket];
  const path = candidates.find((each) => existsSync(each));
  if (path === undefined) {
    throw new WorkloadError(
      "ENGINE_UNAVAILABLE",
      `There is no container engine at ${candidates.join(", ")}: install Docker or Podman and start it, or name its ` +
        `socket (executor.socket).`,
    );
  }
  const docker = new Docker({ socketPath: path });
  try {
    // Its time-out would also end calls that wait for a unit's end: so it is for these two only.
    const impatient = new Docker({ socketPath: path, timeout: CONNECT_TIMEOUT_MS });
    const version = (await answer(() => impatient.version(), CONNECT_TIMEOUT_MS)) as {
      Version?: string;
      Components?: { Name: string }[];
    };
    const info = (await answer(() => impatient.info(), CONNECT_TIMEOUT_MS)) as Record<string, unknown>;
    const podman = (version.Components ?? []).some(({ Name }) => Name.startsWith("Podman"));
    const security = (info["SecurityOptions"] as string[] | undefined) ?? [];
    const has = (option: string) => security.some((each) => each.split(",").includes(`name=${option}`));
    const rootless = has("rootless") || info["Rootless"] === true;
    if (!podman && (rootless || has("userns"))) {
      throw new WorkloadError(
        "ENGINE_UNAVAILABLE",
        `The Docker at ${path} maps users (${rootless ? "rootless" : "userns-remap"}), so that the agent could not ` +
          `read what a program leaves: use Docker without it, or rootless Podman.`,
      );
    }
    return {
      docker,
      name: `${podman ? "Podman" : "Docker"} ${version.Version ?? "?"}`,
      podman,
      rootless,
      cpus: Number(info["NCPU"]),
      memoryMiB: Math.floor(Number(info["MemTotal"]) / 2 ** 20),
      dataDirectory: typeof info["DockerRootDir"] === "string" ? info["DockerRootDir"] : undefined,
    };
  } catch (cause) {
    if (cause instanceof WorkloadError) throw cause;
    throw new WorkloadError(
      "ENGINE_UNAVAILABLE",
      `The container engine at ${path} does not answer: ${messageOf(cause)}. Start it, and see that the agent's user ` +
        `may use its socket.`,
      { cause },
    );
  }
}

/** HTTP status of an engine's answer; undefined if it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** One call to the engine, which ends in time. @throws {@link DeadlineError}, or what the call throws. */
export async function answer<T>(call: (signal: AbortSignal) => Promise<T>, ms = ANSWER_MS): Promise<T> {
  return withDeadline(call, ms, "The container engine");
}

/** Calls the engine, and again while nobody answers: a call that failed tells nothing about what it asked for. */
export async function insist<T>(call: () => Promise<T>, timeoutMs = RESTART_MS): Promise<T> {
  for (const end = performance.now() + timeoutMs; ; await sleep(500)) {
    try {
      return await answer(call);
    } catch (error) {
      if (statusOf(error) !== undefined || error instanceof WorkloadError || performance.now() > end) throw error;
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
