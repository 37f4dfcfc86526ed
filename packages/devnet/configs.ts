import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import type { TaskSpecInput } from "@verai/executor/spec";
import { ACCOUNTS, type ParticipantNode, type ParticipantTask } from "./participants.ts";
import type { DemoChain } from "./chain.ts";

/** Seconds between two checkpoints of the demo's tasks. */
const CHECKPOINT_INTERVAL = 6;

/** Steps from one local checkpoint to the next. */
const CHECKPOINT_STEPS = 60;

/** Pause after each of a unit's 1,250 steps, milliseconds: faults must find work to disturb also on a fast machine. */
const PACE_MS = 90;

/** Writes the configuration files of the demo's processes, just as an operator would. */
export class Configs {
  readonly #directory: string;
  readonly #network: { readonly rpcUrl: string; readonly chainId: number; readonly deployment: string };
  /** Where the keeper takes reports. */
  #reports: string | undefined;

  constructor(directory: string, { rpcUrl, deployment }: DemoChain) {
    this.#directory = directory;
    this.#network = { rpcUrl, chainId: LOCAL_CHAIN_ID, deployment };
  }

  /**
   * A node agent's; `changes` replace entries of it.
   *
   * @param rpcUrl Its way to the chain, if it is one of its own.
   */
  async agent(node: ParticipantNode, changes: object = {}, rpcUrl = this.#network.rpcUrl): Promise<string> {
    const { powerMax = 200 } = node;
    return this.#write(`agent-${node.name}`, {
      network: { ...this.#network, rpcUrl },
      operator: { testAccount: node.operatorAccount },
      owner: { testAccount: node.ownerAccount },
      dataDir: this.#data(node.name),
      node: {
        class: node.class,
        capacity: node.capacity,
        ask: node.ask,
        powerThreshold: Math.min(250, powerMax),
        powerMax,
        energySource: node.energySource,
      },
      store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      // Several nodes share one machine: each has a slice of it that its units hardly fill.
      telemetry: { cpus: 16, sampleEvery: 2, keepers: this.#reports === undefined ? [] : [this.#reports] },
      interval: 1,
      claimAbove: "0.0001",
      service: { port: 0 },
      ...changes,
    });
  }

  /** Where the keeper takes reports; undefined before it was announced. */
  get reports(): string | undefined {
    return this.#reports;
  }

  /** Where an agent keeps its things. */
  agentData(node: ParticipantNode): string {
    return this.#data(node.name);
  }

  /**
   * Makes the keeper known to agents whose configuration is written from now on: chooses a port and makes its peer id, as
   * its first start would.
   *
   * @param port 0: one that is free.
   */
  async announceKeeper(port = 0): Promise<void> {
    const listen = [`/ip4/127.0.0.1/tcp/${String(port)}`];
    const store = new CheckpointStore({ directory: join(this.#data("keeper"), "peer"), listen, http: false });
    await store.start();
    [this.#reports] = store.multiaddrs();
    await store.stop();
  }

  /** The keepers'. `minRoundAge`: how long a task waits for company; `changes` replace entries of it; `name`: whose it is. */
  async keeper(minRoundAge = 8, changes: object = {}, name = "keeper"): Promise<string> {
    return this.#write(name, {
      network: this.#network,
      key: { testAccount: ACCOUNTS.keeper },
      dataDir: this.#data(name),
      interval: 1,
      // Work moves only where that is what is shown.
      keepers: ["allocation", "failover", "audits", "reports"],
      allocation: { minRoundAge, staggerSeconds: 0 },
      reports: {
        listen: [this.#reports?.replace(/\/p2p\/.*$/, "") ?? "/ip4/127.0.0.1/tcp/0"],
        batchSeconds: 2,
      },
      service: { port: 0 },
      ...changes,
    });
  }

  /** A sponsor's; `changes` replace entries of it. */
  async sponsor(testAccount: number, changes: object = {}): Promise<string> {
    const key = { testAccount };
    const keys = { signer: key, relayer: key };
    const place = { network: this.#network, dataDir: this.#data("sponsor") };
    return this.#write("sponsor", { ...place, ...keys, interval: 1, ...changes });
  }

  /** An indexer's; `changes` replace entries of it. */
  async indexer(changes: object = {}): Promise<string> {
    return this.#write("indexer", { network: this.#network, dataDir: this.#data("indexer"), interval: 1, ...changes });
  }

  /** The web application's. */
  async web(site: object): Promise<string> {
    return this.#write("web", site);
  }

  /** A developer's, with the spec and the terms of its task. */
  async developer(
    task: ParticipantTask,
    spec: TaskSpecInput = specOf(task),
  ): Promise<{ config: string; spec: string; terms: string; data: string }> {
    const name = `developer-${String(task.account)}`;
    const data = this.#data(name);
    return {
      data,
      config: await this.#write(name, {
        network: this.#network,
        key: { testAccount: task.account },
        dataDir: data,
        store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      }),
      spec: await this.#write(`${name}-spec`, spec),
      terms: await this.#write(`${name}-terms`, {
        units: task.units,
        maxPrice: task.maxPrice,
        classes: task.classes,
        checkpointInterval: CHECKPOINT_INTERVAL,
        within: 3600,
        ...(task.auditChance !== undefined && { auditChance: task.auditChance }),
      }),
    };
  }

  #data(name: string): string {
    return join(this.#directory, "data", name);
  }

  async #write(name: string, content: object): Promise<string> {
    const directory = join(this.#directory, "config");
    await mkdir(directory, { recursive: true });
    const file = join(directory, `${name}.json`);
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
    return file;
  }
}

/** The spec of a hyper-parameter search by the built-in trainer: a unit trains one point of the grid. */
export function specOf(
  task: Pick<ParticipantTask, "name" | "hidden" | "learningRates" | "epochs" | "auditChance">,
): TaskSpecInput {
  return {
    version: 1,
    name: task.name,
    trainer: "digits",
    args: [
      "--epochs",
      String(task.epochs ?? 10),
      "--train",
      "4000",
      "--test",
      "1000",
      "--checkpoint-steps",
      String(CHECKPOINT_STEPS),
      "--pace",
      String(PACE_MS),
    ],
    env: { DIGITS_GRID: JSON.stringify({ hidden: task.hidden, learningRate: task.learningRates }) },
    resources: { cpus: 1, memoryMiB: 512 },
    checkpoint: {
      intervalSeconds: CHECKPOINT_INTERVAL / 2,
      ...(task.auditChance !== undefined && { everySteps: CHECKPOINT_STEPS }),
    },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 300, graceSeconds: 10 },
    maxRestarts: 2,
  };
}
