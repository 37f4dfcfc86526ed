import { existsSync } from "node:fs";

import type Docker from "dockerode";

import { answer, statusOf } from "./engine.ts";
import { LABELS } from "./options.ts";

/** Milliseconds between two looks. */
const INTERVAL_MS = 30_000;

/** A container of this agent that runs, or did. */
export interface Straggler {
  readonly name: string;
  /** Its unit's folder. */
  readonly root: string;
}

/**
 * Containers that nobody will ask for again: their lease's folder is gone, or the agent has been up for so long that
 * it would have wanted them. Those being started or watched are not among them.
 */
export function unwanted(
  containers: readonly Straggler[],
  busy: ReadonlySet<string>,
  isThere: (root: string) => boolean,
  upMs: number,
  adoptMs: number,
): Straggler[] {
  return containers.filter(({ name, root }) => !busy.has(name) && (!isThere(root) || upMs > adoptMs));
}

/** Removes what an earlier life of the agent left running and is no longer wanted. */
export class Stragglers {
  readonly #docker: Docker;
  readonly #owner: string;
  readonly #busy: ReadonlySet<string>;
  readonly #adoptMs: number;
  readonly #since = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor(docker: Docker, owner: string, busy: ReadonlySet<string>, adoptMs: number) {
    this.#docker = docker;
    this.#owner = owner;
    this.#busy = busy;
    this.#adoptMs = adoptMs;
    this.#timer = setInterval(() => void this.sweep(), Math.min(INTERVAL_MS, Math.max(1000, adoptMs)));
    this.#timer.unref();
  }

  /** One look. Never rejects: what fails comes up again. @returns names of those removed. O(the agent's containers). */
  async sweep(): Promise<string[]> {
    const sweeping = this.#sweeping.then(() => this.#sweep().catch(() => []));
    this.#sweeping = sweeping;
    return sweeping;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<string[]> {
    const filters = { label: [`${LABELS.owner}=${this.#owner}`] };
    const containers = (await answer(() => this.#docker.listContainers({ all: true, filters }))).map(
      ({ Id, Names, Labels }) => ({
        id: Id,
        name: (Names[0] ?? "").replace(/^\//, ""),
        root: Labels[LABELS.root] ?? "",
      }),
    );
    const up = performance.now() - this.#since;
    const removed: string[] = [];
    for (const { name } of unwanted(containers, this.#busy, existsSync, up, this.#adoptMs)) {
      const id = containers.find((each) => each.name === name)?.id ?? "";
      try {
        await answer(() => this.#docker.getContainer(id).remove({ force: true, v: true }));
        removed.push(name);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
    }
    return removed;
  }
}
