import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { Reader } from "@verai/client/readers";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { FailoverKeeper } from "@verai/keepers/failover/failover-keeper";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { queueSender } from "@verai/keepers/sender";
import { FinalityCheck } from "@verai/keepers/finality";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { openClient, openMarket } from "@verai/devnet/market";
import { serve } from "@verai/devnet/serve";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

describe("the failover keeper", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let allocation: AllocationKeeper;
  let registry: Registry;

  beforeEach(async () => {
    market = await openMarket();
    client = await openClient(market);
    const { reader, queue } = client;
    registry = new Registry();
    const sender = queueSender(queue, quiet, () => undefined);
    const metrics = allocationMetrics(new Registry());
    allocation = new AllocationKeeper({ reader, sender, metrics, solvers: [lpSolver], logger: quiet, minRoundAge: 0 });
    for (const [i, capacity] of [4, 8, 8].entries()) {
      await market.addNode({ classId: 0, capacity, ask: BigInt(capacity) * MILLI }, undefined, 10 + i);
    }
  });

  afterEach(async () => {
    client.provider.destroy();
    await market.close();
  });

  const keeper = (confirmation?: () => Promise<Reader>, finality?: FinalityCheck) => {
    const { reader, queue } = client;
    const sender = queueSender(queue, quiet, () => undefined);
    const metrics = failoverMetrics(registry);
    return new FailoverKeeper({ reader, confirmation, sender, logger: quiet, metrics, ...(finality && { finality }) });
  };
  const leases = async () => client.reader.leases(await client.reader.block());
  const statuses = async () => (await leases()).map(({ status }) => status);
  const batch = async () => client.reader.batch(await client.reader.block());

  /** A task of four units, leased to the first, cheapest node. */
  async function leased(): Promise<void> {
    await market.addTask({ units: 4, maxPrice: 20n * MILLI, classIds: [0], interval: 60 });
    await market.pass(10);
    expect(await allocation.cycle(), "open").to.equal(true);
    await market.fulfil(3n);
    expect(await allocation.cycle(), "settle").to.equal(true);
    expect(await statuses()).to.deep.equal(["active"]);
  }

  /** Answers the open batch's request. */
  async function answerBatch(word: bigint): Promise<void> {
    const { coordinator, seeds } = market.contracts;
    await coordinator.fulfillRandomWordsWithOverride((await batch()).requestId, seeds, [word]);
  }

  const metric = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value;

  it("brings all nodes of a barred owner up to date before it opens a batch", async () => {
    await leased();
    // More than the opening of a batch works off, and one entry of the pending listings.
    for (let i = 0; i < 70; i++) await market.addNode({ classId: 1, capacity: 1, ask: MILLI }, undefined, 10);
    await market.pass(100);
    const failover = keeper();
    expect(await failover.cycle(), "expire, and bring listings up to date").to.equal(true);
    expect(await statuses()).to.deep.equal(["expired"]);
    expect(await market.contracts.supply.pendingCount()).to.equal(0n);
    expect(await failover.cycle(), "open").to.equal(true);
    expect((await batch()).status).to.equal("seeding");
  });

  it("notes a suspect, expires it when it is overdue, and has its range drawn for from one seed", async () => {
    await leased();
    const failover = keeper();
    expect(await failover.cycle(), "in time").to.equal(false);
    await market.pass(70);
    expect(await failover.cycle(), "suspect").to.equal(false);
    expect(await metric("drmp_leases_suspect")).to.equal(1);
    expect(await statuses()).to.deep.equal(["active"]);
    await market.pass(30);
    expect(await failover.cycle(), "expire and open").to.equal(true);
    expect(await statuses()).to.deep.equal(["expired"]);
    expect((await batch()).status).to.equal("seeding");
    // Another keeper, or this one restarted, goes on from there.
    expect(await keeperAgain().cycle(), "waits for the seed").to.equal(false);
    await answerBatch(5n);
    expect(await keeperAgain().cycle(), "draw").to.equal(true);
    expect((await batch()).status).to.equal("done");
    const [failed, ...successors] = await leases();
    expect(successors.reduce((sum, { count }) => sum + count, 0)).to.equal(4);
    for (const successor of successors) {
      expect(successor.parent).to.equal(failed?.id);
      expect(successor.fence).to.be.above(failed?.fence ?? 0);
      expect(successor.nodeId).not.to.equal(failed?.nodeId);
    }
    expect(await keeperAgain().cycle(), "nothing more").to.equal(false);
  });

  it("expires and aborts only what a final block also shows", async () => {
    await leased();
    const { provider } = market.connection;
    let safe: string | undefined = "latest";
    const tags = await serve({
      ...provider,
      // This chain's newest block is its safe one; the test says which one is.
      request: async ({ method, params = [] }: { method: string; params?: unknown[] }): Promise<unknown> => {
        if (method !== "eth_getBlockByNumber" || params[0] !== "safe") return provider.request({ method, params });
        if (safe === undefined) throw Object.assign(new Error("safe block not found"), { code: -39001 });
        return provider.request({ method, params: [safe, ...params.slice(1)] });
      },
    });
    const other = await openClient({ ...market, url: tags.url }, 6);
    try {
      const before = `0x${(await client.reader.block()).number.toString(16)}`;
      const careful = keeper(undefined, new FinalityCheck(other.reader, "safe"));
      await market.pass(100);
      for (safe of [before, undefined]) {
        expect(await careful.cycle(), String(safe)).to.equal(false);
        expect(await statuses()).to.deep.equal(["active"]);
      }
      const { values = [] } = (await registry.getSingleMetric("drmp_expiries_unconfirmed_total")?.get()) ?? {};
      expect(values.map(({ value, labels }) => [labels["why"], value])).to.deep.equal([["unsettled", 2]]);
      safe = "latest";
      expect(await careful.cycle(), "settled").to.equal(true);
      expect(await statuses()).to.deep.equal(["expired"]);
      safe = `0x${(await client.reader.block()).number.toString(16)}`;
      await market.pass(61);
      expect(await careful.cycle(), "abort too early").to.equal(false);
      safe = "latest";
      expect(await careful.cycle(), "abort").to.equal(true);
      expect((await batch()).status).to.equal("aborted");
    } finally {
      other.provider.destroy();
      await tags.close();
    }
  });

  /** A keeper without any memory. */
  function keeperAgain(): FailoverKeeper {
    registry = new Registry();
    return keeper();
  }

  it("gives up a batch whose oracle is silent; the range waits in the queue, with its parent, and a round serves it", async () => {
    await leased();
    await market.pass(100);
    const failover = keeper();
    await failover.cycle();
    expect((await batch()).status).to.equal("seeding");
    await market.pass(61);
    expect(await failover.cycle(), "abort").to.equal(true);
    expect((await batch()).status).to.equal("aborted");
    const block = await client.reader.block();
    expect((await client.reader.task(block, 1))?.openUnits).to.equal(4);
    await market.pass(10);
    expect(await allocation.cycle(), "open").to.equal(true);
    await market.fulfil(4n);
    expect(await allocation.cycle(), "settle").to.equal(true);
    const [, ...successors] = await leases();
    expect(successors.map(({ parent }) => parent)).to.satisfy((all: number[]) => all.every((id) => id === 1));
    // The seed that comes too late changes nothing.
    await answerBatch(9n);
    expect(await failover.cycle()).to.equal(false);
    expect((await batch()).status).to.equal("aborted");
  });

  it("expires nothing that a second endpoint does not see overdue, nor while that one is silent", async () => {
    await leased();
    await market.pass(100);
    const rpcProxy = new RpcProxy(market.url);
    await rpcProxy.plug();
    const other = await openClient({ ...market, url: rpcProxy.url });
    try {
      // It lags: it is at a block at which the lease was in time.
      const then = await client.reader.block();
      const lagging = new Reader(other.contracts);
      lagging.block = () => client.reader.block().then((block) => ({ ...block, number: then.number - 1 }));
      expect(await keeper(() => Promise.resolve(lagging)).cycle(), "lagging").to.equal(false);
      expect(await statuses()).to.deep.equal(["active"]);

      await rpcProxy.cut();
      registry = new Registry();
      expect(await keeper(() => Promise.resolve(other.reader)).cycle(), "silent").to.equal(false);
      expect(await statuses()).to.deep.equal(["active"]);
      const silent = await registry.getSingleMetric("drmp_expiries_unconfirmed_total")?.get();
      expect(silent?.values).to.deep.equal([{ labels: { why: "silent" }, value: 1 }]);

      await rpcProxy.plug();
      registry = new Registry();
      expect(await keeper(() => Promise.resolve(other.reader)).cycle(), "agrees").to.equal(true);
      expect(await statuses()).to.deep.equal(["expired"]);
    } finally {
      other.provider.destroy();
      await rpcProxy.cut();
    }
  });

  it("takes turns with rounds: orphans go before the next round, and the round's keeper says so", async () => {
    await leased();
    await market.addTask({ units: 2, maxPrice: 20n * MILLI, classIds: [0] });
    await market.pass(100);
    await market.contracts.leases.expire(1);
    const waiting = await allocation.look();
    expect(waiting).to.deep.include({ kind: "wait" });
    expect(waiting.why).to.equal("a batch of orphaned ranges has its turn before the next round");
    const failover = keeper();
    expect(await failover.cycle(), "open the batch").to.equal(true);
    expect((await allocation.look()).why).to.equal("a batch of orphaned ranges is being drawn for");
    await answerBatch(6n);
    expect(await failover.cycle(), "draw").to.equal(true);
    expect((await allocation.look()).kind).to.equal("open");
  });
});
