import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { parseEther } from "ethers";

import { devnetFile, type DevnetService, type DevnetState, findDevnet } from "@verai/client/devnet";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import { deployArguments, deployEnvironment, deploymentFile, setMining, untilListening } from "../chain.ts";
import { Configs } from "../configs.ts";
import { deployEntryPoint, fundPaymaster } from "../entry-point.ts";
import { Processes, ROOT } from "../processes.ts";
import { DEVNET_ACCOUNTS, DEVNET_NODES, PURSE_VER, SPONSOR_ETH } from "./accounts.ts";
import { type Control, serveControl } from "./control.ts";
import { type EngineHere, engineHere } from "./engine.ts";
import { DevnetError } from "./errors.ts";
import { prepareFolder, removeState, writeState } from "./folder.ts";
import { type NextStep, nextSteps } from "./next-steps.ts";
import { chainPlan, FEES, indexerPlan, keeperPlan, nodePlan, oraclePlan, sponsorPlan, webPlan } from "./plans.ts";
import { type PortPlan, portPlan } from "./ports.ts";
import { writeSamples } from "./samples.ts";
import { Services } from "./services.ts";
import { refuseTaken } from "./taken.ts";

/** Time between two blocks, milliseconds. */
const BLOCK_MS = 1000;

/** A network that is not up within this time, milliseconds, will not be. */
const START_MS = 600_000;

/** Pause between two looks, milliseconds. */
const LOOK_MS = 250;

/** Time that the processes of a devnet that was killed get to end, milliseconds. */
const AFTERMATH_MS = 10_000;

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
    say(
      `starting the oracle, a keeper, an indexer, a sponsor, ${String(DEVNET_NODES.length)} nodes and the web application`,
    );
    await this.#startOthers(configs, engine);
    this.#control = await serveControl({
      port: this.#ports.control,
      token: this.#token,
      services: this.#services,
      onStop: this.#options.onStop,
    });
    await this.#unless(this.#untilReady());
    const files = await writeSamples(folder, this.#rpcUrl, this.#ports, configs.reports);
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
    const { log } = this.#services.add(chainPlan(this.#ports));
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

  /** Gives developer and contributor VER, and the sponsor ETH to pay with. */
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
    await deployEntryPoint(session.provider);
    await fundPaymaster(session.provider, (await session.contracts.sponsor?.getAddress()) ?? "", SPONSOR_ETH);
    await setMining(this.#rpcUrl, BLOCK_MS);
    return keys;
  }

  async #startOthers(configs: Configs, engine: EngineHere): Promise<void> {
    const place = { rpcUrl: this.#rpcUrl, deployment: this.#deployment, ports: this.#ports };
    this.#services.add(oraclePlan(place));
    for (const node of DEVNET_NODES) this.#services.add(await nodePlan(place, configs, node, engine));
    this.#services.add(await keeperPlan(place, configs));
    this.#services.add(await indexerPlan(place, configs));
    this.#services.add(await sponsorPlan(place, configs));
    this.#services.add(await webPlan(place, configs));
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

async function version(): Promise<string> {
  return (JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
}
