import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { CheckpointStore } from "@verai/checkpoint-store/store";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { specBytes } from "@verai/executor/spec";
import { Bench, type Program, until } from "@verai/devnet/programs";
import { openClient, openMarket } from "@verai/devnet/market";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

/** A training of so many epochs, with a checkpoint every few milliseconds of work. */
export const training = (epochs: number) =>
  specBytes({
    version: 1,
    name: "trouble",
    trainer: "digits",
    args: ["--epochs", String(epochs), "--train", "1000", "--test", "100", "--checkpoint-steps", "20"],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [8] }) },
    resources: { cpus: 1, memoryMiB: 256 },
    checkpoint: { intervalSeconds: 3 },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 300, graceSeconds: 5 },
  });

/** A market with one agent as a process of its own, and a keeper that is asked to do its rounds. */
export class OneAgent {
  readonly market: Awaited<ReturnType<typeof openMarket>>;
  readonly bench: Bench;
  readonly client: Awaited<ReturnType<typeof openClient>>;
  readonly keeper: AllocationKeeper;
  readonly store: CheckpointStore;

  private constructor(parts: Pick<OneAgent, "market" | "bench" | "client" | "keeper" | "store">) {
    this.market = parts.market;
    this.bench = parts.bench;
    this.client = parts.client;
    this.keeper = parts.keeper;
    this.store = parts.store;
  }

  /** @param listen Where the developer's store listens; by default on this machine alone. */
  static async open(listen?: string[]): Promise<OneAgent> {
    const market = await openMarket();
    // Checkpoints are due by chain time, which goes on with the blocks.
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [1000] });
    const bench = await Bench.open(market);
    const client = await openClient(market, 5);
    const { reader } = client;
    const metrics = allocationMetrics(new Registry());
    const sender = queueSender(client.queue, quiet, () => {
      metrics.lost.inc();
    });
    const keeper = new AllocationKeeper({
      reader,
      sender,
      metrics,
      solvers: [lpSolver],
      logger: quiet,
      minRoundAge: 0,
    });
    const store = new CheckpointStore({ directory: join(bench.folder, "developer"), ...(listen && { listen }) });
    await store.start();
    return new OneAgent({ market, bench, client, keeper, store });
  }

  async close(): Promise<void> {
    await this.bench.close();
    await this.store.stop();
    this.client.provider.destroy();
    await this.market.close();
  }

  async lease(id = 1) {
    const { reader } = this.client;
    const [found] = await reader.leases(await reader.block(), id);
    return found;
  }

  async node() {
    const { reader } = this.client;
    return reader.node(await reader.block(), 1);
  }

  /** The newest checkpoint of lease 1. */
  async checkpoint() {
    const { reader } = this.client;
    return (await reader.checkpoints(await reader.block(), [1])).get(1);
  }

  /** Starts the agent; it need not be in the market yet. */
  async start(changes: object = {}): Promise<Program> {
    const file = await this.bench.write("agent.json", this.bench.agent(changes));
    return this.bench.start(["agent/main.ts", "run", "--config", file]);
  }

  /** Starts the agent and waits until it is in the market. */
  async listed(changes: object = {}): Promise<Program> {
    const agent = await this.start(changes);
    await until(
      "the node is listed",
      async () => {
        const node = await this.node();
        return node?.listing && node.endpoint !== "";
      },
      agent.said,
    );
    return agent;
  }

  /** Submits a task of one unit with these bytes as its spec, and has it leased. Without bytes nobody has the spec. */
  async leased(bytes?: Uint8Array): Promise<void> {
    const { market, store, keeper } = this;
    const cid = bytes && (await store.addFile(bytes, { pin: "spec" })).cid;
    store.setPeers(((await this.node())?.endpoint ?? "").split(","));
    const spec = cid && toChainCid(cid);
    await market.addTask({ units: 1, maxPrice: 5n * MILLI, classIds: [0], interval: 2, ...(spec && { spec }) });
    await market.pass(5);
    expect(await keeper.cycle(), "open").to.equal(true);
    await market.fulfil(3n);
    expect(await keeper.cycle(), "settle").to.equal(true);
    expect((await this.lease())?.status).to.equal("active");
  }

  /** What unit 0 of lease 1 has said. */
  async unitLog(dataDir = join(this.bench.folder, "agent")): Promise<string> {
    return readFile(join(dataDir, "leases", "1-1", "unit-0", "unit.log"), "utf8").catch(() => "");
  }
}
