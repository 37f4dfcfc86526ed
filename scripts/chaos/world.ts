import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { ACCOUNTS, type ParticipantNode, type ParticipantTask } from "@verai/devnet/participants";
import { type DemoChain, freePort, type ParameterChanges, startChain } from "@verai/devnet/chain";
import { Configs, specOf } from "@verai/devnet/configs";
import { readLog } from "@verai/devnet/logs";
import { Processes } from "@verai/devnet/processes";
import { type Conditions, POWER } from "./conditions.ts";
import { DelayedLink } from "./delayed-link.ts";
import { Machines } from "./machines.ts";
import { KEEPERS, type PlannedFault } from "./schedule.ts";

/** Time between two blocks, milliseconds. */
const BLOCK_MS = 500;

/** Short times, so that nodes that fail are detected within a few steps. */
export const CHANGES: ParameterChanges = {
  LeaseGrace: { value: 10 },
  SeedTimeout: { value: 12, min: 12 },
  Cooldown: { value: 10 },
  ReportInterval: { value: 5 },
  ReportTimeout: { value: 65_535, max: 65_535 },
  MaxReassignments: { value: 64 },
};

const CLASSES = ["cpu/eu", "cpu/us"] as const;
const [OWNERS, OPERATORS, DEVELOPERS, KEEPER_ACCOUNTS] = [10, 20, 26, 30];

/** Units of every task here. */
export const UNITS = 4;

/**
 * What every task here trains: short, but long enough to be disturbed.
 *
 * @param pace Pause after each step of a unit, milliseconds.
 */
export function chaosSpec(pace = 90) {
  return {
    ...specOf({ name: "chaos", hidden: [12], learningRates: [0.02, 0.05, 0.1, 0.2] }),
    args: [
      ...["--epochs", "4", "--train", "1000", "--test", "100"],
      ...["--checkpoint-steps", "10", "--pace", String(pace)],
    ],
  };
}

/** What a run may have otherwise than usual. */
export interface WorldOptions {
  /** Governed parameters; {@link CHANGES} where left out. */
  readonly changes?: ParameterChanges;
  /** Seconds between two checkpoints of a task, and milliseconds between two steps of a unit. */
  readonly interval?: number | undefined;
  readonly pace?: number | undefined;
}

/** An agent's way into the network: its own ports, and the one that others reach it by. */
interface Door {
  readonly listen: number;
  readonly http: number;
  readonly link: DelayedLink;
}

/** Agents and tasks of a chaos run as real processes, and what can be done to them. */
export class World {
  readonly session: Session;
  readonly processes: Processes;
  readonly directory: string;
  readonly #options: WorldOptions;
  readonly #chain: DemoChain;
  readonly #configs: Configs;
  readonly #nodes: readonly ParticipantNode[];
  readonly #rpcProxies: readonly RpcProxy[];
  readonly #keeperProxies: readonly RpcProxy[];
  readonly #machines: Machines;
  readonly #doors: readonly Door[];
  /** Processes that are down or about to be, by our own doing. */
  readonly #down = new Set<string>();
  /** Names of processes that ended by themselves, and how. */
  readonly #ended: string[] = [];
  #tasks = 0;
  readonly #busy = new Map<number, string>();

  private constructor(
    parts: Pick<World, "session" | "processes" | "directory"> & { readonly options: WorldOptions },
    chain: DemoChain,
    nodes: readonly ParticipantNode[],
    rpcProxies: readonly RpcProxy[],
    keeperProxies: readonly RpcProxy[],
    surroundings: { readonly machines: Machines; readonly doors: readonly Door[] },
  ) {
    this.session = parts.session;
    this.processes = parts.processes;
    this.directory = parts.directory;
    this.#options = parts.options;
    this.#chain = chain;
    this.#configs = new Configs(parts.directory, chain);
    this.#nodes = nodes;
    this.#rpcProxies = rpcProxies;
    this.#keeperProxies = keeperProxies;
    this.#machines = surroundings.machines;
    this.#doors = surroundings.doors;
  }

  /** Starts chain, oracle, keepers and so many agents, under these conditions. */
  static async start(
    directory: string,
    agents: number,
    conditions: readonly Conditions[],
    options: WorldOptions = {},
  ): Promise<World> {
    const { changes = CHANGES } = options;
    const processes = new Processes(join(directory, "logs"));
    const chain = await startChain(processes, BLOCK_MS, "test-chaos", changes);
    const session = await openSession({
      network: { ...chain, chainId: LOCAL_CHAIN_ID },
      fees: { maxFeePerGas: "100", stuckAfter: 30 },
      journals: join(directory, "journals"),
    });
    const nodes = Array.from({ length: agents }, (_, i): ParticipantNode => ({
      name: `agent-${String(i)}`,
      class: CLASSES[i % CLASSES.length] ?? "cpu/eu",
      capacity: 4,
      ask: `0.0${String(10 + i)}`,
      energySource: "grid",
      ownerAccount: OWNERS + i,
      operatorAccount: OPERATORS + i,
    }));
    const plugged = (count: number) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const rpcProxy = new RpcProxy(chain.rpcUrl);
          await rpcProxy.plug();
          return rpcProxy;
        }),
      );
    const [rpcProxies, keeperProxies] = [await plugged(agents), await plugged(KEEPERS)];
    const surroundings = {
      machines: await Machines.start(join(directory, "machines"), agents),
      doors: await Promise.all(
        Array.from({ length: agents }, async () => {
          const listen = await freePort();
          return { listen, http: await freePort(), link: await DelayedLink.open(listen) };
        }),
      ),
    };
    const parts = { session, processes, directory, options };
    const world = new World(parts, chain, nodes, rpcProxies, keeperProxies, surroundings);
    world.setConditions(conditions);
    world.#startOracle();
    for (let i = 0; i < agents; i++) await world.#startAgent(i);
    for (let i = 0; i < KEEPERS; i++) await world.#startKeeper(i);
    return world;
  }

  /** What the agents' meters show, and how far they are from each other, from now on. */
  setConditions(conditions: readonly Conditions[]): void {
    this.#machines.set(conditions);
    this.#doors.forEach(({ link }, i) => {
      link.delayMs = conditions[i]?.latency ?? 0;
    });
  }

  /** Index of the agent whose operator key this is; undefined if none has it. */
  async agentOf(operator: string): Promise<number | undefined> {
    for (const [i, { operatorAccount }] of this.#nodes.entries()) {
      if ((await this.session.queue({ testAccount: operatorAccount })).signer.address === operator) return i;
    }
    return undefined;
  }

  /** How often an agent has looked at the chain, as far as its requests arrived. */
  looksOf(agent: number): number {
    return this.#rpcProxies[agent]?.calls.filter((method) => method === "eth_getBlockByNumber").length ?? 0;
  }

  /** Moves the chain's clock forward. @param seconds Beyond what passes by itself. */
  async leap(seconds: number): Promise<void> {
    await this.session.provider.send("evm_increaseTime", [seconds]);
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.session.close();
    for (const name of this.processes.names()) {
      this.#down.add(name);
      await this.processes.kill(name).catch(() => undefined);
    }
    for (const rpcProxy of [...this.#rpcProxies, ...this.#keeperProxies]) await rpcProxy.cut();
    for (const { link } of this.#doors) await link.close();
    await this.#machines.stop();
  }

  /** Gives every idle developer a new task. @returns how many tasks there are. */
  async submit(developers: number): Promise<number> {
    for (let i = 0; i < developers; i++) {
      if (this.#busy.has(i)) continue;
      this.#tasks += 1;
      const task: ParticipantTask = {
        name: `task ${String(this.#tasks)}`,
        account: DEVELOPERS + i,
        units: UNITS,
        maxPrice: "0.030",
        classes: { [CLASSES[0]]: "0", [CLASSES[1]]: "0.001" },
        hidden: [],
        learningRates: [],
        ...(this.#options.interval !== undefined && { interval: this.#options.interval }),
      };
      const { config, spec, terms } = await this.#configs.developer(task, chaosSpec(this.#options.pace));
      const name = `developer-${String(i)}`;
      this.#busy.set(i, name);
      const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
      // The spec and its terms are the same each time; a developer that is started again must not pay again.
      args.push("--submission", String(this.#tasks));
      void this.#run(name, args, true).then(() => this.#busy.delete(i));
    }
    return this.#tasks;
  }

  /** Developers whose task is not done. */
  get waiting(): number {
    return this.#busy.size;
  }

  /** Where a developer's results are. */
  results(developer: number): string {
    return join(this.directory, "data", `developer-${String(DEVELOPERS + developer)}`, "results");
  }

  /** Does a fault. @returns False if there was nothing to do it to. */
  async apply(fault: PlannedFault): Promise<boolean> {
    const { kind, agent = 0, keeper = 0, amount } = fault;
    const name = this.#nodes[agent]?.name ?? "";
    const rpcProxy = this.#rpcProxies[agent];
    switch (kind) {
      case "kill agent":
        return this.#kill(name);
      case "kill keeper":
        return this.#kill(keeperName(keeper));
      case "stall agent":
        this.processes.freeze(name);
        return true;
      case "stall keeper":
        this.processes.freeze(keeperName(keeper));
        return true;
      case "silence oracle":
        this.processes.freeze("oracle");
        return true;
      case "drain agent":
        this.#down.add(name);
        // Leaves in its own time; waited for before it comes back.
        void this.processes.stop([name], 30_000);
        return true;
      case "cut agent off":
        await rpcProxy?.cut();
        return true;
      case "cut keeper off":
        await this.#keeperProxies[keeper]?.cut();
        return true;
      case "lose answers":
        if (rpcProxy) rpcProxy.losesAnswersTo = ["eth_sendRawTransaction"];
        return true;
      case "damage block":
        return this.#damage(agent, amount);
      case "leap":
        await this.leap(amount);
        return true;
    }
  }

  /** Ends a fault that lasts. */
  async heal(fault: PlannedFault): Promise<void> {
    const { kind, agent = 0, keeper = 0 } = fault;
    const name = this.#nodes[agent]?.name ?? "";
    const rpcProxy = this.#rpcProxies[agent];
    switch (kind) {
      case "kill agent":
      case "drain agent":
        await this.processes.stop([name], 30_000);
        return this.#startAgent(agent);
      case "kill keeper":
        return this.#startKeeper(keeper);
      case "stall agent":
        this.processes.freeze(name, false);
        return;
      case "stall keeper":
        this.processes.freeze(keeperName(keeper), false);
        return;
      case "silence oracle":
        this.processes.freeze("oracle", false);
        return;
      case "cut agent off":
        return rpcProxy?.plug();
      case "cut keeper off":
        return this.#keeperProxies[keeper]?.plug();
      case "lose answers":
        if (rpcProxy) rpcProxy.losesAnswersTo = [];
        return;
      case "damage block":
      case "leap":
    }
  }

  /** What is wrong outside of the chain; empty if nothing is. */
  async violations(): Promise<string[]> {
    const wrong = [...this.#ended, ...(this.#machines.failure === undefined ? [] : [this.#machines.failure])];
    const keepers = this.#keeperProxies.map((_, i) => keeperName(i));
    for (const name of [...keepers, "oracle", ...this.#nodes.map((node) => node.name)]) {
      for (const { msg, err } of await readLog(this.processes.logOf(name))) {
        const { type = "", message = "" } = (err ?? {}) as { type?: string; message?: string };
        // What no fault explains: mistakes in the program.
        if (/^(Type|Reference|Range|Syntax|Assertion)Error$/.test(type))
          wrong.push(`${name}: ${msg}: ${type} ${message}`);
      }
    }
    return wrong;
  }

  /** CIDs that each agent has pinned, by its operator. */
  async pinned(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const found = new Map<string, ReadonlySet<string>>();
    for (const node of this.#nodes) {
      const { signer } = await this.session.queue({ testAccount: node.operatorAccount });
      found.set(signer.address, new Set((await this.#pins(node)).map(({ cid }) => cid)));
    }
    return found;
  }

  async #pins(node: ParticipantNode): Promise<{ cid: string; labels: string[]; blocks: string[] }[]> {
    const folder = join(this.#configs.agentData(node), "store", "pins");
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")));
    return texts.flatMap((text) => {
      try {
        return [JSON.parse(text) as { cid: string; labels: string[]; blocks: string[] }];
      } catch {
        return [];
      }
    });
  }

  async #damage(agent: number, amount: number): Promise<boolean> {
    const node = this.#nodes[agent];
    const pins = node ? await this.#pins(node) : [];
    const blocks = pins
      .filter(({ labels }) => labels.some((label) => /^(attested|checkpoint)-/.test(label)))
      .flatMap((pin) => pin.blocks);
    const name = blocks[Math.floor((amount / 2 ** 32) * blocks.length)];
    if (!node || name === undefined) return false;
    const file = join(this.#configs.agentData(node), "store", "blocks", name.slice(0, 2), name);
    try {
      const handle = await open(file, "r+");
      const { size } = await handle.stat();
      await handle.write(Buffer.from("damaged"), 0, 7, Math.max(0, Math.floor(size / 2) - 7));
      await handle.close();
      return true;
    } catch {
      // It was let go of meanwhile.
      return false;
    }
  }

  async #kill(name: string): Promise<boolean> {
    this.#down.add(name);
    if (!this.processes.names().includes(name)) return false;
    await this.processes.kill(name);
    return true;
  }

  #startOracle(): void {
    const { rpcUrl, deployment } = this.#chain;
    const args = ["--rpc", rpcUrl, "--deployment", deployment, "--account", String(ACCOUNTS.oracle), "--blocks", "1"];
    void this.#run("oracle", ["packages/devnet/vrf-fulfiller.ts", ...args]);
  }

  async #startKeeper(index: number): Promise<void> {
    const name = keeperName(index);
    const changes = {
      network: {
        ...this.#chain,
        chainId: LOCAL_CHAIN_ID,
        rpcUrl: this.#keeperProxies[index]?.url ?? this.#chain.rpcUrl,
      },
      key: { testAccount: KEEPER_ACCOUNTS + index },
      keepers: ["allocation", "failover", "reports", "balancing", "audits"],
      // Units take seconds here, and all that is outside the band is to move.
      balancing: { pointValue: 100, mostMoved: 10_000 },
    };
    void this.#run(name, ["keepers/main.ts", "run", "--config", await this.#configs.keeper(1, changes, name)]);
  }

  async #startAgent(index: number): Promise<void> {
    const node = this.#nodes[index];
    if (!node) return;
    const door = this.#doors[index];
    if (!door) return;
    const changes = {
      grace: 5,
      ...this.#machines.configuration(index),
      node: {
        class: node.class,
        capacity: node.capacity,
        ask: node.ask,
        powerThreshold: POWER.threshold,
        powerMax: POWER.max,
        energySource: node.energySource,
      },
      // Others reach it through a link that lengthens their round trips.
      store: {
        listen: [`/ip4/127.0.0.1/tcp/${String(door.listen)}`],
        announce: [`/ip4/127.0.0.1/tcp/${String(door.link.port)}`],
        http: { listen: `/ip4/127.0.0.1/tcp/${String(door.http)}/http` },
      },
    };
    const config = await this.#configs.agent(node, changes, this.#rpcProxies[index]?.url);
    void this.#run(node.name, ["agent/main.ts", "run", "--config", config]);
  }

  /** Runs a process to its end, and notes if it ends by itself. @param mayEnd Whether it may, with exit code 0. */
  async #run(name: string, args: readonly string[], mayEnd = false): Promise<void> {
    this.#down.delete(name);
    const code = await this.processes.start(name, args).exit;
    if (!this.#down.has(name) && !(mayEnd && code === 0)) this.#ended.push(`${name} ended by itself (${String(code)})`);
  }
}

function keeperName(index: number): string {
  return `keeper-${String(index)}`;
}
