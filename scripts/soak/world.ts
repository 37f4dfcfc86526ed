import { readdirSync, readFileSync, statSync } from "node:fs";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { Configs, specOf } from "@verai/devnet/configs";
import { readLog } from "@verai/devnet/logs";
import { ACCOUNTS, type ParticipantNode, type ParticipantTask } from "@verai/devnet/participants";
import { Processes } from "@verai/devnet/processes";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import type { Deployment, SoakChain } from "./chain.ts";
import type { Point, Resource, Watched } from "./judge.ts";
import { AGENT_CLASS, KEEPERS } from "./plan.ts";

/** Seconds between two looks of a process at the chain, and how many times as often that is as usual. */
const INTERVAL = 0.2;
export const SPEED = 4 / INTERVAL;

/** Of Hardhat's accounts: agents' owners and operators, keepers, developers. */
const [OWNERS, OPERATORS, KEEPER_ACCOUNTS, DEVELOPER_ACCOUNTS] = [10, 20, 30, 40];
const ETHER = 10n ** 18n;
const MIB = 2 ** 20;
/** Time that a program's metrics may take, milliseconds. */
const SCRAPE_MS = 900;
/** ETH below which a keeper's funds count as low, and what is left of them by a fault. */
const LOW = "0.5";
const LITTLE = ETHER / 10n;
/** Learning rates of a task for real agents, a unit each; seconds between checkpoints on the chain. */
const LEARNING_RATES = [0.05, 0.1] as const;
const AGENT_INTERVAL = 6 * 3_600;
/** Short, but long enough to be disturbed: some ten seconds, and a checkpoint every one or two. */
const TRAINING = ["--epochs", "4", "--train", "1000", "--test", "100", "--checkpoint-steps", "20", "--pace", "60"];
/** Ports of metrics and reports, below Linux's ephemeral ones. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_000];
/** Calls of a cycle of a keeper with all its loops. */
const CYCLE_CALLS = 30;

/** A real program of the run. */
interface Service {
  readonly name: string;
  readonly port: number;
  readonly data: string;
  readonly proxy?: RpcProxy;
  /** What it is started with; another configuration for another deployment. */
  args: readonly string[];
  /** Release that it was last started as; undefined before its first start. */
  release?: number;
  /** Whether it is down by our own doing. */
  down: boolean;
  /** Samples since its last start. */
  points: Record<Resource, Point[]>;
  startedAt: number;
}

/** Agents, keepers, oracle and indexer of a soak as real processes, and what can be done to them. */
export class SoakWorld {
  readonly processes: Processes;
  readonly #directory: string;
  readonly #chain: SoakChain;
  readonly #services = new Map<string, Service>();
  readonly #agents: readonly ParticipantNode[];
  readonly #confirm: RpcProxy;
  readonly #lives: Watched[] = [];
  /** What ended by itself, and how. */
  readonly #ended: string[] = [];
  readonly #configs = new Map<string, Configs>();
  /** Of each deployment: the keeper that takes agents' reports. */
  readonly #known = new Map<string, number>();
  /** Folder of the version before, which agents run until they are upgraded. */
  #previous: string | undefined;
  /** Grows with each upgrade; agents that were started again since then, with what they had. */
  #release = 0;
  readonly #upgraded = new Set<string>();
  #tasks = 0;
  /** Developers whose task is not done, and the deployment that it is at. */
  readonly #busy = new Map<number, string>();
  /** Agents' tasks that were submitted, and that came to their end. */
  readonly agentTasks = { submitted: 0, ended: 0 };
  #now: () => number;

  private constructor(directory: string, chain: SoakChain, agents: number, confirm: RpcProxy, now: () => number) {
    this.#directory = directory;
    this.#chain = chain;
    this.#confirm = confirm;
    this.#now = now;
    this.processes = new Processes(join(directory, "logs"));
    this.#agents = Array.from({ length: agents }, (_, i) => ({
      name: `agent-${String(i)}`,
      class: AGENT_CLASS.name,
      capacity: 4,
      ask: `0.0${String(10 + i)}`,
      energySource: "grid",
      ownerAccount: OWNERS + i,
      operatorAccount: OPERATORS + i,
    }));
  }

  /** Starts oracle, keepers, agents and an indexer. @param now Real seconds of the run. */
  static async start(
    directory: string,
    chain: SoakChain,
    deployment: Deployment,
    agents: number,
    now: () => number,
    previous: string | undefined,
  ): Promise<SoakWorld> {
    const confirm = new RpcProxy(chain.url);
    await confirm.plug();
    const world = new SoakWorld(directory, chain, agents, confirm, now);
    world.#previous = previous;
    await world.fund();
    world.startOracle(deployment);
    for (let i = 0; i < KEEPERS; i++) await world.startKeeper(i, deployment);
    for (let i = 0; i < agents; i++) await world.startAgent(i, deployment);
    await world.#startIndexer(deployment);
    return world;
  }

  /** Gives every key of a real process ETH. */
  async fund(): Promise<void> {
    const accounts = [
      ACCOUNTS.oracle,
      ...this.#agents.flatMap(({ ownerAccount, operatorAccount }) => [ownerAccount, operatorAccount]),
      ...Array.from({ length: KEEPERS + 1 }, (_, i) => KEEPER_ACCOUNTS + i),
      ...Array.from({ length: 4 }, (_, i) => DEVELOPER_ACCOUNTS + i),
    ];
    for (const account of accounts) await this.#chain.setEth(await addressOf(account), 100n * ETHER);
  }

  /** Addresses of those whose money is in the vault. */
  async accounts(): Promise<string[]> {
    const accounts = [
      ...this.#agents.flatMap(({ ownerAccount, operatorAccount }) => [ownerAccount, operatorAccount]),
      ...Array.from({ length: KEEPERS + 1 }, (_, i) => KEEPER_ACCOUNTS + i),
      ...Array.from({ length: 4 }, (_, i) => DEVELOPER_ACCOUNTS + i),
      ACCOUNTS.oracle,
    ];
    return Promise.all(accounts.map(addressOf));
  }

  /** Owners of the real agents' nodes. */
  async owners(): Promise<string[]> {
    return Promise.all(this.#agents.map(({ ownerAccount }) => addressOf(ownerAccount)));
  }

  get agents(): number {
    return this.#agents.length;
  }

  nameOf(kind: "agent" | "keeper", index: number): string {
    return `${kind}-${String(index)}`;
  }

  // What runs.

  startOracle({ file }: Deployment, name = "oracle"): void {
    const args = [
      "--rpc",
      this.#chain.url,
      "--deployment",
      file,
      "--account",
      String(ACCOUNTS.oracle),
      "--blocks",
      "1",
    ];
    this.#add({ name, port: 0, data: "", args: ["packages/devnet/vrf-fulfiller.ts", ...args] });
  }

  async startKeeper(index: number, deployment: Deployment): Promise<void> {
    const name = this.nameOf("keeper", index);
    const known = this.#services.get(name);
    const proxy = known?.proxy ?? (await plugged(this.#chain.url));
    const port = known?.port ?? (await this.#port());
    const configs = await this.#configsOf(deployment);
    // The first one of a deployment is the one that agents know, and has the identity that was announced.
    const isKnown = !this.#known.has(deployment.name) || this.#known.get(deployment.name) === index;
    if (isKnown) this.#known.set(deployment.name, index);
    const data = this.#data(deployment, isKnown ? "keeper" : name);
    const changes = {
      network: { ...networkOf(deployment, proxy.url), confirmRpcUrl: this.#confirm.url },
      key: { testAccount: KEEPER_ACCOUNTS + index },
      interval: INTERVAL,
      keepers: ["allocation", "failover", "reports", "balancing", "audits"],
      allocation: { minRoundAge: 10, staggerSeconds: 0.5 },
      reports: { listen: [isKnown ? listenOf(configs) : "/ip4/127.0.0.1/tcp/0"], batchSeconds: 1 },
      lowFunds: LOW,
      // Everything is final here, but for what a reorganisation takes back.
      finality: "latest",
      dataDir: data,
      service: { port, logLevel: "warn" },
    };
    const config = await configs.keeper(1, changes, name);
    this.#add({ name, port, data, proxy, args: ["keepers/main.ts", "run", "--config", config] });
  }

  async startAgent(index: number, deployment: Deployment): Promise<void> {
    const node = this.#agents[index];
    if (!node) return;
    const known = this.#services.get(node.name);
    const proxy = known?.proxy ?? (await plugged(this.#chain.url));
    const port = known?.port ?? (await this.#port());
    const configs = await this.#configsOf(deployment);
    const changes = {
      interval: 2 * INTERVAL,
      grace: 5,
      minFree: 1,
      dataDir: this.#data(deployment, node.name),
      telemetry: {
        cpus: 64,
        sampleEvery: 2,
        keepers: configs.reports === undefined ? [] : [configs.reports],
        // By its own clock, in which a month is an hour.
        selfPostAfter: 40,
      },
      service: { port, logLevel: "warn" },
    };
    const config = await configs.agent(node, changes, proxy.url);
    this.#add({
      name: node.name,
      port,
      data: this.#data(deployment, node.name),
      proxy,
      args: [join(this.#previous ?? "", "agent/main.ts"), "run", "--config", config],
    });
  }

  async #startIndexer(deployment: Deployment): Promise<void> {
    const port = await this.#port();
    const proxy = await plugged(this.#chain.url);
    const configs = await this.#configsOf(deployment);
    const changes = {
      network: networkOf(deployment, proxy.url),
      interval: 1,
      api: { port: 0 },
      service: { port, logLevel: "warn" },
      dataDir: this.#data(deployment, "indexer"),
    };
    const config = await configs.indexer(changes);
    this.#add({
      name: "indexer",
      port,
      data: this.#data(deployment, "indexer"),
      proxy,
      args: ["indexer/main.ts", "run", "--config", config],
    });
  }

  /** Has agents trained for: a developer's real client submits a task and follows it to its end. @returns Whether a developer was free. */
  async submit(deployment: Deployment): Promise<boolean> {
    const developer = [0, 1, 2, 3].find((i) => !this.#busy.has(i));
    if (developer === undefined) return false;
    this.#tasks += 1;
    this.agentTasks.submitted += 1;
    const task: ParticipantTask = {
      name: `task ${String(this.#tasks)}`,
      account: DEVELOPER_ACCOUNTS + developer,
      units: LEARNING_RATES.length,
      maxPrice: "0.030",
      classes: { [AGENT_CLASS.name]: "0" },
      hidden: [],
      learningRates: [],
      interval: AGENT_INTERVAL,
    };
    const configs = await this.#configsOf(deployment);
    const { config, spec, terms } = await configs.developer(task, {
      ...specOf({ name: task.name, hidden: [12], learningRates: [...LEARNING_RATES] }),
      args: TRAINING,
      checkpoint: { intervalSeconds: 3 },
    });
    // Actors hold no copies: what only real agents could sign for would wait for ever among two hundred nodes.
    const changed = JSON.parse(await readFile(terms, "utf8")) as object;
    await writeFile(
      terms,
      JSON.stringify({ ...changed, replicas: 0, auditChance: 0, within: 10 * 86_400, maxUnitTime: 2 * 86_400 }),
    );
    const name = `developer-${String(developer)}`;
    this.#busy.set(developer, deployment.name);
    const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
    const running = this.processes.start(name, [...args, "--submission", String(this.#tasks)]);
    void running.exit.then((code) => {
      this.#busy.delete(developer);
      if (code === 0) this.agentTasks.ended += 1;
      else if (!this.#stopping) this.#ended.push(`${name} ended with ${String(code)}`);
    });
    return true;
  }

  /** Developers whose task is not done, at any deployment or at one. */
  busy(name?: string): number {
    return [...this.#busy.values()].filter((at) => name === undefined || at === name).length;
  }

  #stopping = false;
  #nextPort = FIRST_PORT + (process.pid % 5_000);

  /** Ends everything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const service of this.#services.values()) service.down = true;
    const names = this.processes.names();
    for (const name of names) this.processes.freeze(name, false);
    await this.processes.stop(names, 4_000);
    for (const { proxy } of this.#services.values()) await proxy?.cut();
    await this.#confirm.cut();
  }

  // What is done to it.

  async kill(name: string): Promise<void> {
    const service = this.#require(name);
    service.down = true;
    if (this.processes.names().includes(name)) await this.processes.kill(name);
  }

  /** Ends one as operators do. */
  async end(name: string): Promise<void> {
    const service = this.#require(name);
    service.down = true;
    await this.processes.stop([name], 20_000);
  }

  /** From now on agents that are started run this version. */
  upgrade(): void {
    this.#previous = undefined;
    this.#release += 1;
    for (const service of this.#services.values()) {
      if (!service.name.startsWith("agent")) continue;
      service.args = ["agent/main.ts", ...service.args.slice(1)];
    }
  }

  /** Agents that still run what was before the last upgrade. */
  outdated(): string[] {
    return [...this.#services.values()]
      .filter(({ name, release }) => name.startsWith("agent") && release !== this.#release)
      .map(({ name }) => name);
  }

  /** Agents that were started again since the last upgrade, with what they had stored before it. */
  get upgraded(): number {
    return this.#upgraded.size;
  }

  /** Starts one again, as it was. */
  revive(name: string): void {
    this.#launch(this.#require(name));
  }

  /** Stops one where it stands. @returns Whether it runs. */
  freeze(name: string, frozen: boolean): boolean {
    if (!this.processes.names().includes(name)) return false;
    this.processes.freeze(name, frozen);
    return true;
  }

  async cut(name: string, cut: boolean): Promise<void> {
    const { proxy } = this.#require(name);
    await (cut ? proxy?.cut() : proxy?.plug());
  }

  async cutConfirmation(cut: boolean): Promise<void> {
    await (cut ? this.#confirm.cut() : this.#confirm.plug());
  }

  loseAnswers(name: string, loses: boolean): void {
    const { proxy } = this.#require(name);
    if (proxy) proxy.losesAnswersTo = loses ? ["eth_sendRawTransaction"] : [];
  }

  /** Leaves a keeper next to no ETH; or gives it some again. */
  async setFunds(keeper: number, isLow: boolean): Promise<void> {
    await this.#chain.setEth(await addressOf(KEEPER_ACCOUNTS + keeper), isLow ? LITTLE : 100n * ETHER);
  }

  /** Overwrites a block on an agent's disk. @returns Whether it had one. */
  async damage(name: string, amount: number): Promise<boolean> {
    const root = join(this.#require(name).data, "store", "blocks");
    const files = (await readdir(root, { recursive: true }).catch(() => []))
      .filter((file) => file.includes("/"))
      .sort();
    const file = files[Math.floor((amount / 2 ** 32) * files.length)];
    if (file === undefined) return false;
    try {
      const handle = await open(join(root, file), "r+");
      const { size } = await handle.stat();
      await handle.write(Buffer.from("damaged"), 0, 7, Math.max(0, Math.floor(size / 2) - 7));
      await handle.close();
      return true;
    } catch {
      return false;
    }
  }

  // What is seen of it.

  /** Whether a keeper has had a whole cycle since {@link forgetLooks}. */
  hasLooked(): boolean {
    return [...this.#services.values()].some(
      ({ name, proxy }) => name.startsWith("keeper") && (proxy?.calls.length ?? 0) >= CYCLE_CALLS,
    );
  }

  /** A step begins: what was called before no longer counts. */
  forgetLooks(): void {
    for (const { proxy } of this.#services.values()) if (proxy) proxy.calls.length = 0;
    this.#confirm.calls.length = 0;
  }

  /**
   * What `/metrics` of every process that should run says; undefined: it gave no answer.
   *
   * @param slowness How many times as long as on an idle machine everything takes.
   */
  async scrape(slowness: number): Promise<Map<string, string | undefined>> {
    const timeout = Math.ceil(SCRAPE_MS * Math.min(4, Math.max(1, slowness)));
    const services = [...this.#services.values()].filter(({ port }) => port !== 0);
    const texts = await Promise.all(
      services.map(async ({ name, port }) => {
        const text = await fetch(`http://127.0.0.1:${String(port)}/metrics`, { signal: AbortSignal.timeout(timeout) })
          .then((answer) => (answer.ok ? answer.text() : undefined))
          .catch(() => undefined);
        return [name, text] as const;
      }),
    );
    return new Map(texts);
  }

  /** Samples what every process takes. @param disk Whether to add up its files as well, which takes longer. */
  sample(disk: boolean): void {
    for (const service of this.#services.values()) {
      const pid = this.processes.pidOf(service.name);
      if (pid === undefined || service.down) continue;
      const at = this.#now();
      try {
        const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
        const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN);
        service.points.memory.push({ at, value: kib / 1024 });
        service.points.files.push({ at, value: readdirSync(`/proc/${String(pid)}/fd`).length });
        if (disk && service.data !== "") service.points.disk.push({ at, value: sizeOf(service.data) / MIB });
      } catch {
        // It ended in between.
      }
    }
  }

  /** Whether each process that runs has been sampled so many times since its start. */
  isSampled(times: number): boolean {
    return [...this.#services.values()].every(({ down, points }) => down || points.memory.length >= times);
  }

  /** What every life of a process took. An indexer's database grows with history, as it is meant to. */
  watched(): Watched[] {
    for (const service of this.#services.values()) this.#endLife(service);
    return this.#lives.filter(({ process, resource }) => process !== "indexer" || resource !== "disk");
  }

  /** Mistakes in programs, and programs that ended by themselves. */
  async wrongs(): Promise<string[]> {
    const wrong = [...this.#ended];
    for (const name of [...this.#services.keys(), ...[0, 1, 2, 3].map((i) => `developer-${String(i)}`)]) {
      for (const { msg, err } of await readLog(this.processes.logOf(name))) {
        const { type = "", message = "" } = (err ?? {}) as { type?: string; message?: string };
        if (/^(Type|Reference|Range|Syntax|Assertion)Error$/.test(type))
          wrong.push(`${name}: ${msg}: ${type} ${message}`);
      }
    }
    return wrong;
  }

  // Within.

  /**
   * A port that stays this process's also while it is down: below those that the kernel gives to anyone who asks for any, which could be
   * a proxy of this run.
   */
  async #port(): Promise<number> {
    for (; this.#nextPort < LAST_PORT;) {
      const port = this.#nextPort++;
      if (await isFree(port)) return port;
    }
    throw new Error(`no port below ${String(LAST_PORT)} is free`);
  }

  #add(parts: Pick<Service, "name" | "port" | "data" | "args"> & { readonly proxy?: RpcProxy }): void {
    const known = this.#services.get(parts.name);
    if (known) this.#endLife(known);
    const service: Service = {
      ...parts,
      down: false,
      points: noPoints(),
      startedAt: this.#now(),
    };
    this.#services.set(parts.name, service);
    this.#launch(service);
  }

  #launch(service: Service): void {
    if (this.processes.names().includes(service.name)) return;
    this.#endLife(service);
    service.down = false;
    service.startedAt = this.#now();
    // Keepers that come back are no upgrade.
    const isOlder = service.release !== undefined && service.release < this.#release;
    if (isOlder && service.name.startsWith("agent")) this.#upgraded.add(service.name);
    service.release = this.#release;
    const running = this.processes.start(service.name, service.args);
    void running.exit.then((code) => {
      if (!service.down && !this.#stopping) this.#ended.push(`${service.name} ended by itself (${String(code)})`);
    });
  }

  /** A life is over: what it took is kept. */
  #endLife({ name, points }: Service): void {
    for (const resource of ["memory", "files", "disk"] as const) {
      if (points[resource].length > 0) this.#lives.push({ process: name, resource, points: points[resource] });
      points[resource] = [];
    }
  }

  #require(name: string): Service {
    const service = this.#services.get(name);
    if (!service) throw new Error(`there is no process ${name}`);
    return service;
  }

  #data({ name: deployment }: Deployment, name: string): string {
    return join(this.#directory, deployment, "data", name);
  }

  async #configsOf(deployment: Deployment): Promise<Configs> {
    const known = this.#configs.get(deployment.name);
    if (known) return known;
    const directory = join(this.#directory, deployment.name);
    const configs = new Configs(directory, { rpcUrl: this.#chain.url, deployment: deployment.file });
    await configs.announceKeeper(await this.#port());
    this.#configs.set(deployment.name, configs);
    return configs;
  }
}

/** Whether nobody listens at a port of the loopback interface. */
async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}

async function plugged(url: string): Promise<RpcProxy> {
  const proxy = new RpcProxy(url);
  await proxy.plug();
  return proxy;
}

function networkOf({ file }: Deployment, rpcUrl: string) {
  return { rpcUrl, chainId: LOCAL_CHAIN_ID, deployment: file };
}

function noPoints(): Record<Resource, Point[]> {
  return { memory: [], files: [], disk: [] };
}

async function addressOf(testAccount: number): Promise<string> {
  return (await openSigner({ testAccount }, LOCAL_CHAIN_ID)).address;
}

/** Where the keeper that agents know listens. */
function listenOf({ reports }: Configs): string {
  return reports?.replace(/\/p2p\/.*$/, "") ?? "/ip4/127.0.0.1/tcp/0";
}

/** Bytes of all files below a folder. */
function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).size;
    } catch {
      // Gone meanwhile.
    }
  }
  return bytes;
}
