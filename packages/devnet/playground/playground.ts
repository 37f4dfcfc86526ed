import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { parseEther } from "ethers";

import { devnetFile, type DevnetService, type DevnetState, findDevnet } from "@verai/client/devnet";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import {
  deployArguments,
  deployEnvironment,
  deploymentFile,
  nodeArguments,
  setMining,
  untilListening,
} from "../chain.ts";
import { Configs } from "../configs.ts";
import { Processes, ROOT } from "../processes.ts";
import { DEVNET_ACCOUNTS, DEVNET_NODES, type DevnetNode, PURSE_VER, SAMPLE_SPEC } from "./cast.ts";
import { type Control, serveControl } from "./control.ts";
import { type EngineHere, engineHere } from "./engine.ts";
import { DevnetError } from "./errors.ts";
import { prepareFolder, removeState, writeState } from "./folder.ts";
import { type NextStep, nextSteps, OWN_NODE } from "./next-steps.ts";
import { holderOf } from "./port-holder.ts";
import { isFree, type PortPlan, portPlan } from "./ports.ts";
import { chainHealth, healthOf, type ServicePlan, Services } from "./services.ts";

/** Time between two blocks, milliseconds. */
const BLOCK_MS = 1000;

/** A network that is not up within this time, milliseconds, will not be. */
const START_MS = 600_000;

/** Pause between two looks, milliseconds. */
const LOOK_MS = 250;

/** Time that the processes of a devnet that was killed get to end, milliseconds. */
const AFTERMATH_MS = 10_000;

/** Bounds that no session at a desk reaches: the local chain's gas costs nothing. */
const FEES = { maxFeePerGas: "100", stuckAfter: 30, perHour: "100" } as const;

/** How the devnet is to be started. */
export interface PlaygroundOptions {
  /** Everything of it is below; what is there is removed. */
  readonly folder: string;
  readonly firstPort: number;
  /** Raised to end it. */
  readonly signal: AbortSignal;
  /** Told of every step. */
  readonly say: (text: string) => void;
  /** Told of a service that ended without having been told to. */
  readonly onEnd: (service: DevnetService, how: number | NodeJS.Signals) => void;
  /** An order to stop came. */
  readonly onStop: () => void;
}

/** The devnet, up. */
export interface Playground {
  readonly state: DevnetState;
  readonly engine: EngineHere;
  readonly steps: readonly NextStep[];
  /** Addresses of the keys that commands find. */
  readonly keys: Readonly<Record<"developer" | "contributor" | "operator", string>>;
  readonly logs: string;
}

/** Starts everything, and ends it: chain, contracts, oracle, keeper and nodes on fixed ports. */
export class Devnet {
  readonly #options: PlaygroundOptions;
  readonly #ports: PortPlan;
  readonly #processes: Processes;
  readonly #services: Services;
  readonly #rpcUrl: string;
  readonly #deployment: string;
  readonly #token = randomBytes(24).toString("hex");
  #control: Control | undefined;
  #session: Session | undefined;
  /** Whether commands may find it. */
  #up = false;
  #saving = Promise.resolve();
  #stopped: Promise<void> | undefined;

  private constructor(options: PlaygroundOptions, ports: PortPlan) {
    this.#options = options;
    this.#ports = ports;
    this.#processes = new Processes(join(options.folder, "logs"));
    this.#services = new Services(this.#processes, {
      onChange: () => {
        void this.#save();
      },
      onEnd: options.onEnd,
    });
    this.#rpcUrl = `http://127.0.0.1:${String(ports.chain)}`;
    this.#deployment = join(options.folder, "addresses.json");
  }

  /**
   * Looks whether a devnet can be started here, and prepares its folder. Starts nothing.
   *
   * @throws DevnetError naming the devnet that runs, or who holds a port.
   */
  static async prepare(options: PlaygroundOptions): Promise<Devnet> {
    const { folder, firstPort } = options;
    const other = findDevnet(folder);
    if (other) {
      throw new DevnetError(
        "DEVNET_RUNNING",
        `A devnet runs already: process ${String(other.pid)}, chain ${other.rpcUrl}. End it with \`scripts/drmp devnet stop\`, or begin again with \`scripts/drmp devnet --fresh\`.`,
      );
    }
    const ports = portPlan(firstPort);
    // The processes of one that was killed end by themselves, a moment later.
    await refuseTaken(ports, existsSync(devnetFile(folder)) ? AFTERMATH_MS : 0);
    await prepareFolder(folder);
    return new Devnet(options, ports);
  }

  /** Starts everything. @throws Error with the end of a log if a part fails; {@link stop} then ends the others. */
  async start(): Promise<Playground> {
    const { folder, say, signal } = this.#options;
    const configs = new Configs(folder, { rpcUrl: this.#rpcUrl, deployment: this.#deployment });
    say("starting the chain");
    const announced = configs.announceKeeper(this.#ports.reports);
    const looked = version().then((tag) => engineHere(`drmp/trainer:${tag}`));
    await Promise.all([this.#startChain(), announced]);
    say("deploying the contracts; those that have changed are compiled first");
    await this.#unless(this.#deploy());
    const keys = await this.#fund();
    const engine = await looked;
    say(`starting the oracle, a keeper and ${String(DEVNET_NODES.length)} nodes`);
    await this.#startOthers(configs, engine);
    this.#control = await serveControl({
      port: this.#ports.control,
      token: this.#token,
      services: this.#services,
      onStop: this.#options.onStop,
    });
    await this.#unless(this.#untilReady());
    const files = await this.#writeSamples(configs);
    signal.throwIfAborted();
    this.#up = true;
    await this.#save();
    const steps = nextSteps({ ...files, operator: keys.operator, victim: DEVNET_NODES[0]?.name ?? "" });
    return { state: this.#state(), engine, steps, keys, logs: join(folder, "logs") };
  }

  /** Ends everything, in order. Commands find no devnet any longer. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#up = false;
    await this.#saving.catch(() => undefined);
    await removeState(this.#options.folder);
    this.#session?.close();
    await this.#control?.close();
    await this.#services.stop();
    await this.#processes.stop(this.#processes.names(), 1000);
    await rm(dirname(deploymentFile(this.#deploymentId)), { recursive: true, force: true });
  }

  async #startChain(): Promise<void> {
    const { log } = this.#services.add({
      name: "chain",
      kind: "chain",
      what: `simulated OP stack, chain id ${String(LOCAL_CHAIN_ID)}, a block a second`,
      address: this.#rpcUrl,
      args: nodeArguments(this.#ports.chain),
      check: () => chainHealth(this.#rpcUrl),
    });
    await this.#unless(untilListening(log, LOCAL_CHAIN_ID));
  }

  /** Ignition's name for the deployment: devnets on other ports may run beside this one. */
  get #deploymentId(): string {
    return `devnet-${String(this.#ports.chain)}`;
  }

  async #deploy(): Promise<void> {
    await setMining(this.#rpcUrl, "automatic");
    const args = [...deployArguments(this.#deploymentId), "--reset"];
    await this.#processes.run("deploy", args, deployEnvironment(this.#rpcUrl));
    await copyFile(deploymentFile(this.#deploymentId), this.#deployment);
  }

  /** Gives developer and contributor VER; ETH they have. */
  async #fund(): Promise<Playground["keys"]> {
    const session = await openSession({
      network: { rpcUrl: this.#rpcUrl, chainId: LOCAL_CHAIN_ID, deployment: this.#deployment },
      fees: FEES,
      journals: join(this.#options.folder, "journals"),
    });
    this.#session = session;
    const signer = async (testAccount: number) => openSigner({ testAccount }, LOCAL_CHAIN_ID);
    const treasury = (await signer(DEVNET_ACCOUNTS.treasury)).connect(session.provider);
    const keys = {
      developer: (await signer(DEVNET_ACCOUNTS.developer)).address,
      contributor: (await signer(DEVNET_ACCOUNTS.contributor)).address,
      operator: (await signer(DEVNET_ACCOUNTS.operator)).address,
    };
    for (const address of [keys.developer, keys.contributor]) {
      const sent = await session.contracts.token.connect(treasury).transfer(address, parseEther(PURSE_VER));
      await sent.wait();
    }
    await setMining(this.#rpcUrl, BLOCK_MS);
    return keys;
  }

  async #startOthers(configs: Configs, engine: EngineHere): Promise<void> {
    const oracle = ["--rpc", this.#rpcUrl, "--deployment", this.#deployment];
    this.#services.add({
      name: "oracle",
      kind: "oracle",
      what: "answers requests for seeds, as Chainlink VRF does on BASE",
      address: "",
      args: [
        "packages/devnet/vrf-fulfiller.ts",
        ...oracle,
        "--account",
        String(DEVNET_ACCOUNTS.oracle),
        "--blocks",
        "1",
      ],
    });
    for (const [place, node] of DEVNET_NODES.entries()) {
      this.#services.add(await this.#nodePlan(configs, node, place, engine));
    }
    const port = this.#ports.keeper;
    const config = await configs.keeper(2, {
      fees: FEES,
      key: { testAccount: DEVNET_ACCOUNTS.keeper },
      keepers: ["allocation", "failover", "reports", "balancing"],
      service: { port },
    });
    this.#services.add({
      name: "keeper",
      kind: "keeper",
      what: "opens and settles rounds, expires leases, posts reports, balances loads",
      ...served(port),
      args: ["keepers/main.ts", "run", "--config", config],
    });
  }

  async #nodePlan(configs: Configs, node: DevnetNode, place: number, here: EngineHere): Promise<ServicePlan> {
    const { service, peers } = this.#ports.node(place);
    const { trainerImage } = here;
    const contained = node.containers && here.engine !== undefined;
    const config = await configs.agent(node, {
      fees: FEES,
      store: { listen: [`/ip4/127.0.0.1/tcp/${String(peers)}`] },
      service: { port: service },
      executor: contained
        ? { kind: "container", ...(trainerImage !== undefined && { trainerImage }) }
        : { kind: "process" },
    });
    const runs = contained ? `images in ${here.engine ?? ""}` : "built-in trainers";
    return {
      name: node.name,
      kind: "node",
      what: `${node.class}, ${String(node.capacity)} units at ${node.ask} VER, runs ${runs}`,
      ...served(service),
      args: ["agent/main.ts", "run", "--config", config],
    };
  }

  /** Waits until every service is healthy, and every node stands in the market and can be reached. */
  async #untilReady(): Promise<void> {
    const { say } = this.#options;
    let told = -1;
    for (const end = performance.now() + START_MS; performance.now() < end; await delay(LOOK_MS)) {
      const health = await this.#services.health();
      const dead = health.find(({ running }) => !running);
      if (dead) throw new DevnetError("SERVICE_FAILED", `${dead.name} ended while the devnet started; see ${dead.log}`);
      const session = this.#session;
      if (!session) continue;
      const nodes = await session.reader.nodes(await session.reader.block());
      const listed = nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length;
      if (listed !== told) say(`${String(listed)} of ${String(DEVNET_NODES.length)} nodes are in the market`);
      told = listed;
      if (listed >= DEVNET_NODES.length && health.every(({ healthy }) => healthy)) return;
    }
    throw new DevnetError("START_TIMEOUT", `The devnet was not up within ${String(START_MS / 1000)} s.`);
  }

  /** Writes what the commands to try next name. @returns Paths as they are typed in the repository. */
  async #writeSamples(configs: Configs): Promise<{ spec: string; agent: string; results: string }> {
    const { folder } = this.#options;
    const { service, peers } = this.#ports.node(DEVNET_NODES.length);
    const spec = join(folder, "spec.json");
    await writeFile(spec, `${JSON.stringify(SAMPLE_SPEC, null, 2)}\n`);
    const agent = join(folder, "agent.json");
    const { class: name, capacity, ask, energySource } = OWN_NODE;
    const content = {
      network: { rpcUrl: this.#rpcUrl, chainId: LOCAL_CHAIN_ID },
      operator: { testAccount: DEVNET_ACCOUNTS.operator },
      dataDir: join(folder, "data", "own-node"),
      node: { class: name, capacity, ask, powerThreshold: 300, powerMax: 1000, energySource },
      store: { listen: [`/ip4/127.0.0.1/tcp/${String(peers)}`] },
      telemetry: { keepers: configs.reports === undefined ? [] : [configs.reports] },
      executor: { kind: "process" },
      interval: 1,
      service: { port: service },
    };
    await writeFile(agent, `${JSON.stringify(content, null, 2)}\n`);
    return { spec: typed(spec), agent: typed(agent), results: typed(join(folder, "results")) };
  }

  /** The work's result, unless a part that has to run meanwhile ends, or the devnet is told to. */
  async #unless<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => {
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#processes.watch(["chain"], work), aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      work.catch(() => undefined);
    }
  }

  #state(): DevnetState {
    const { developer, contributor, operator } = DEVNET_ACCOUNTS;
    return {
      pid: process.pid,
      chainId: LOCAL_CHAIN_ID,
      rpcUrl: this.#rpcUrl,
      deployment: this.#deployment,
      control: `http://127.0.0.1:${String(this.#ports.control)}`,
      token: this.#token,
      accounts: { developer, contributor, operator },
      services: this.#services.list(),
    };
  }

  /** Writes the state file, one at a time. */
  async #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      if (this.#up) await writeState(this.#options.folder, this.#state());
    });
    return this.#saving;
  }
}

/** @throws DevnetError `PORT_TAKEN` naming the port, what it is for, who holds it, and the remedy. */
async function refuseTaken(ports: PortPlan, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  const uses: [string, number][] = [
    ["the chain", ports.chain],
    ["the devnet's list of services", ports.control],
    ["the keeper's /health", ports.keeper],
    ["the keeper's collection of reports", ports.reports],
    ...DEVNET_NODES.flatMap(({ name }, place): [string, number][] => {
      const { service, peers, checkpoints } = ports.node(place);
      return [
        [`the /health of node ${name}`, service],
        [`the peers of node ${name}`, peers],
        [`the checkpoints of node ${name}`, checkpoints],
      ];
    }),
  ];
  for (const [what, port] of uses) {
    let free = await isFree(port);
    while (!free && performance.now() < end) {
      await delay(LOOK_MS);
      free = await isFree(port);
    }
    if (free) continue;
    const holder = await holderOf(port);
    const who = holder ? `process ${String(holder.pid)} (${holder.command})` : "another program";
    throw new DevnetError(
      "PORT_TAKEN",
      `Port ${String(port)}, which is for ${what}, is held by ${who}: end it, or start the devnet on other ports, such as \`scripts/drmp devnet --ports 9545\`.`,
      { details: { port, ...(holder && { pid: holder.pid }) } },
    );
  }
}

function served(port: number): Pick<ServicePlan, "address" | "check"> {
  const address = `http://127.0.0.1:${String(port)}`;
  return { address, check: () => healthOf(`${address}/health`) };
}

/** A path as it is typed in the repository. */
function typed(path: string): string {
  const inside = relative(ROOT, path);
  return inside.startsWith("..") ? path : inside;
}

async function version(): Promise<string> {
  return (JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
}
