import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { UnitExit, UnitRun } from "@verai/executor/executor";
import type { AgentOptions, Ask, Told } from "../agent.ts";

const AGENT = fileURLToPath(new URL("../agent.ts", import.meta.url));

/** Whom agents and units run as, as the manifests have it. */
export const USER = 65532;

/** An agent's executor in a process of its own: see `test/cluster/agent.ts`. */
export class AgentProcess {
  readonly notices: string[] = [];
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #count = 0;

  constructor(options: AgentOptions) {
    this.#child = spawn(process.execPath, [AGENT, JSON.stringify(options)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (told: Told) => {
      if ("notice" in told) return void this.notices.push(told.notice);
      const asked = this.#asked.get(told.id);
      this.#asked.delete(told.id);
      if ("error" in told) asked?.reject(Object.assign(new Error(told.error.message), { code: told.error.code }));
      else asked?.resolve(told.value);
    });
    this.#child.on("close", () => {
      for (const { reject } of this.#asked.values()) reject(new Error("the agent has ended"));
      this.#asked.clear();
    });
  }

  probe(): Promise<string[]> {
    return this.#ask({ call: "probe" }) as Promise<string[]>;
  }

  capacity(): Promise<number> {
    return this.#ask({ call: "capacity" }) as Promise<number>;
  }

  async start(unit: UnitRun): Promise<AgentUnit> {
    await this.#ask({ call: "start", unit });
    const { root } = unit.folder;
    return {
      exited: () => this.#ask({ call: "exited", root }) as Promise<UnitExit>,
      drain: (graceSeconds) => this.#ask({ call: "drain", root, graceSeconds }) as Promise<UnitExit>,
      kill: () => this.#ask({ call: "kill", root }) as Promise<UnitExit>,
      waiting: () => this.#ask({ call: "waiting", root }) as Promise<string | undefined>,
      log: () => this.#ask({ call: "log", root }) as Promise<string>,
    };
  }

  /** Ends it at once, as a machine that fails does. */
  async crash(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }

  #ask(ask: Ask): Promise<unknown> {
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, ask }, (error) => (error ? reject(error) : undefined));
    });
  }
}

/** A unit that an agent runs. */
export interface AgentUnit {
  exited(): Promise<UnitExit>;
  drain(graceSeconds: number): Promise<UnitExit>;
  kill(): Promise<UnitExit>;
  waiting(): Promise<string | undefined>;
  log(): Promise<string>;
}
