import type { DevnetService } from "@verai/client/devnet";
import type { Processes, Running } from "../processes.ts";
import { DevnetError } from "./errors.ts";

/** A part of the devnet: how it is started, where it is reached, and how its health is asked for. */
export interface ServicePlan {
  readonly name: string;
  readonly kind: DevnetService["kind"];
  /** What it does, in a few words. */
  readonly what: string;
  /** Where it is reached; empty if it has no port. */
  readonly address: string;
  /** A node's door for web pages, if it has one. */
  readonly door?: string;
  /** What Node has to be called with. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Says what is wrong, or nothing; left out where a running process is all that can be seen. */
  readonly check?: () => Promise<string | undefined>;
}

/** A service and how it does. */
export interface ServiceHealth extends DevnetService {
  readonly healthy: boolean;
  /** What is wrong; empty if nothing is. */
  readonly why: string;
}

/** What the services tell. */
export interface ServiceEvents {
  /** The list has changed. */
  readonly onChange: () => void;
  /** One ended without having been told to. */
  readonly onEnd: (service: DevnetService, how: number | NodeJS.Signals) => void;
}

/** Time for a service to say how it does, milliseconds. */
const CHECK_MS = 2_000;

/** How long each kind gets to end by itself, milliseconds; in this order they are ended, those first that others wait for. */
const GRACE_MS: Readonly<Record<DevnetService["kind"], number>> = {
  web: 5_000,
  indexer: 5_000,
  sponsor: 5_000,
  node: 15_000,
  keeper: 5_000,
  oracle: 5_000,
  chain: 3_000,
};

/** The one list of what runs. Starts, ends and looks after its services; knows nothing of what they do. */
export class Services {
  readonly #processes: Processes;
  readonly #events: ServiceEvents;
  readonly #plans = new Map<string, ServicePlan>();
  readonly #running = new Map<string, Running>();
  /** Those that were told to end. */
  readonly #told = new Set<Running>();

  constructor(processes: Processes, events: ServiceEvents) {
    this.#processes = processes;
    this.#events = events;
  }

  /** Adds a service to the list and starts it. */
  add(plan: ServicePlan): Running {
    this.#plans.set(plan.name, plan);
    return this.start(plan.name);
  }

  /** Starts one that does not run. @throws DevnetError `SERVICE_UNKNOWN` or `SERVICE_RUNNING`. */
  start(name: string): Running {
    const { args, environment } = this.#plan(name);
    if (this.#running.has(name)) {
      throw new DevnetError("SERVICE_RUNNING", `${name} runs already; \`scripts/drmp devnet kill ${name}\` ends it.`);
    }
    const running = this.#processes.start(name, args, environment);
    this.#running.set(name, running);
    this.#events.onChange();
    void running.exit.then((how) => {
      this.#running.delete(name);
      const told = this.#told.delete(running);
      this.#events.onChange();
      if (!told) this.#events.onEnd(this.#state(this.#plan(name)), how);
    });
    return running;
  }

  /** Ends one at once, as a machine that fails (SIGKILL). @throws DevnetError `SERVICE_UNKNOWN` or `SERVICE_STOPPED`. */
  async kill(name: string): Promise<void> {
    this.#plan(name);
    const running = this.#running.get(name);
    if (!running) {
      throw new DevnetError(
        "SERVICE_STOPPED",
        `${name} does not run; \`scripts/drmp devnet start ${name}\` starts it again.`,
      );
    }
    this.#told.add(running);
    await this.#processes.kill(name);
  }

  /** Ends all of them, in their order. */
  async stop(): Promise<void> {
    for (const [kind, grace] of Object.entries(GRACE_MS)) {
      const names = [...this.#running.keys()].filter((name) => this.#plan(name).kind === kind);
      for (const name of names) {
        const running = this.#running.get(name);
        if (running) this.#told.add(running);
      }
      await this.#processes.stop(names, grace);
    }
  }

  /** The list as it is now. */
  list(): DevnetService[] {
    return [...this.#plans.values()].map((plan) => this.#state(plan));
  }

  /** The list with how each service does; each is asked for two seconds at most. */
  async health(): Promise<ServiceHealth[]> {
    return Promise.all(
      [...this.#plans.values()].map(async (plan) => {
        const state = this.#state(plan);
        const why = state.running ? ((await plan.check?.()) ?? "") : "does not run";
        return { ...state, healthy: why === "", why };
      }),
    );
  }

  #plan(name: string): ServicePlan {
    const plan = this.#plans.get(name);
    if (plan) return plan;
    const known = [...this.#plans.keys()].join(", ");
    throw new DevnetError("SERVICE_UNKNOWN", `The devnet has no service "${name}": name one of ${known}.`);
  }

  #state({ name, kind, what, address, door }: ServicePlan): DevnetService {
    const running = this.#running.get(name);
    const pid = running?.child.pid ?? 0;
    const log = this.#processes.logOf(name);
    return { name, kind, what, address, ...(door !== undefined && { door }), running: running !== undefined, pid, log };
  }
}

/** Asks a `/health` page. @returns What is wrong; nothing if it answers that all is well. */
export async function healthOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(CHECK_MS) });
    await response.body?.cancel();
    return response.ok ? undefined : `${url} answers ${String(response.status)}`;
  } catch {
    return `${url} does not answer`;
  }
}

/** Asks a chain for its head. @returns What is wrong; nothing if it answers. */
export async function chainHealth(rpcUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] }),
      signal: AbortSignal.timeout(CHECK_MS),
    });
    const answer = (await response.json()) as { result?: string };
    return answer.result === undefined ? `${rpcUrl} gives no block number` : undefined;
  } catch {
    return `${rpcUrl} does not answer`;
  }
}
