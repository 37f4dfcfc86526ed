import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { pino } from "pino";
import { Registry } from "prom-client";

import { openClient, openMarket } from "@verai/devnet/market";
import { Bench, type Program, until } from "@verai/devnet/programs";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";

const quiet = pino({ level: "silent" });
/** Account of the developer's commands. */
const ACCOUNT = "4";
/** The agents; the first has the lower price. */
export const NAMES = ["ann", "ben"] as const;

/** A real chain, two real agents that hold what the other one leaves, and a keeper, for developers' commands. */
export class TwoAgents {
  readonly bench: Bench;
  readonly client: Awaited<ReturnType<typeof openClient>>;
  readonly agents: readonly Program[];
  readonly #market: Awaited<ReturnType<typeof openMarket>>;
  readonly #over = new AbortController();
  readonly #keeping: Promise<void>;

  private constructor(
    market: Awaited<ReturnType<typeof openMarket>>,
    bench: Bench,
    client: TwoAgents["client"],
    agents: readonly Program[],
  ) {
    this.#market = market;
    this.bench = bench;
    this.client = client;
    this.agents = agents;
    this.#keeping = this.#keep();
  }

  /** @param trainers Programs that the agents run as processes beside the built-in ones. */
  static async open(trainers: object = {}): Promise<TwoAgents> {
    const market = await openMarket();
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [1000] });
    const bench = await Bench.open(market);
    const client = await openClient(market, 5);
    process.env["DRMP_LOCALHOST_URL"] = market.url;
    const agents: Program[] = [];
    for (const [i, name] of NAMES.entries()) {
      const config = bench.agent(
        {
          operator: { testAccount: 6 + i },
          owner: { testAccount: 10 + i },
          dataDir: join(bench.folder, name),
          store: { listen: ["/ip4/127.0.0.1/tcp/0"], replicas: 1 },
          executor: { kind: "process", unsafeTrainersWithoutContainer: trainers },
        },
        { capacity: 1, ask: i === 0 ? "0.001" : "0.002" },
      );
      const agent = bench.start(["agent/main.ts", "run", "--config", await bench.write(`${name}.json`, config)]);
      agents.push(agent);
      const isListed = async () =>
        (await client.reader.node(await client.reader.block(), i + 1))?.listing !== undefined;
      await until(`${name} is listed`, isListed, agent.said);
    }
    return new TwoAgents(market, bench, client, agents);
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#keeping;
    delete process.env["DRMP_LOCALHOST_URL"];
    await this.bench.close();
    this.client.provider.destroy();
    await this.#market.close();
  }

  /** Starts a developer's command. */
  drmp(...args: string[]): Program {
    return this.bench.start([
      "tasks/drmp.ts",
      ...args,
      ...["--deployment", this.bench.network.deployment, "--account", ACCOUNT],
    ]);
  }

  /** The ends of what the agents have said. */
  said(): string {
    return this.agents.map(({ said }) => said().slice(-3_000)).join("\n");
  }

  async #keep(): Promise<void> {
    const { reader, queue } = this.client;
    const sender = queueSender(queue, quiet, () => undefined);
    const metrics = allocationMetrics(new Registry());
    const keeper = new AllocationKeeper({
      reader,
      sender,
      metrics,
      solvers: [lpSolver],
      logger: quiet,
      minRoundAge: 0,
    });
    while (!this.#over.signal.aborted) {
      await keeper.cycle().catch(() => false);
      const { status } = await reader.round(await reader.block());
      if (status === "seeding") await this.#market.fulfil(3n).catch(() => undefined);
      await delay(300);
    }
  }
}
