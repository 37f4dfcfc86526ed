import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { agentConfig } from "@verai/agent/config";
import { AskFollower } from "@verai/agent/node/ask";
import { clearingPrices } from "@verai/client/clearing-prices";
import { roundSnapshot } from "@verai/client/snapshot";
import type { Session } from "@verai/client/session";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { Market } from "@verai/keepers/allocation/market";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { Stagger } from "@verai/keepers/stagger";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { planRound } from "@verai/protocol/allocation/round-plan";
import type { Solver } from "@verai/protocol/allocation/solver";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { Bench } from "@verai/devnet/programs";
import { openClient, openMarket } from "@verai/devnet/market";

const SEED = 20261123;
const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

describe("allocation keeper", () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function newMarket() {
    const market = await openMarket();
    closing.push(() => market.close());
    return market;
  }

  async function openKeeper(market: Awaited<ReturnType<typeof openMarket>>, solver: Solver, account = 5) {
    const client = await openClient(market, account);
    closing.unshift(() => {
      client.provider.destroy();
    });
    const metrics = allocationMetrics(new Registry());
    const sender = queueSender(client.queue, quiet, () => {
      metrics.lost.inc();
    });
    const { reader } = client;
    const keeper = new AllocationKeeper({ reader, sender, solvers: [solver], logger: quiet, metrics, minRoundAge: 0 });
    return { ...client, keeper, metrics };
  }

  it(`settles random rounds with what it planned, lease by lease (seed ${String(SEED)})`, async () => {
    const next = randomNumbers(SEED);
    const random = (below: number) => Math.floor(next() * below);
    const market = await newMarket();
    const { keeper, reader, provider } = await openKeeper(market, lpSolver);
    const { contracts } = market;
    for (let i = 0; i < 12; i++) {
      const [tick, classId] = random(2) ? [MILLI, random(2)] : [10n * MILLI, 2 + random(2)];
      await market.addNode({ classId, capacity: 1 + random(6), ask: tick * BigInt(1 + random(4)) });
    }
    let granted = 0;
    for (let round = 1; round <= 6; round++) {
      for (let i = 0; i < 1 + random(3); i++) {
        const classIds = [0, 1, 2, 3].filter(() => random(2) === 1);
        const surcharges = random(2) ? classIds.map(() => MILLI * BigInt(random(3))) : [];
        const wish = { units: 1 + random(9), maxPrice: MILLI * BigInt(1 + random(40)), surcharges };
        await market.addTask({
          ...wish,
          classIds: classIds.length > 0 ? classIds : [0],
          ...(classIds.length === 0 && { surcharges: [] }),
        });
      }
      await market.pass(5);
      if (!(await keeper.cycle())) continue;
      expect(await keeper.cycle(), "nothing to do before the seed").to.equal(false);
      await market.fulfil(BigInt(random(2 ** 30)));
      const snapshot = await roundSnapshot(reader);
      if (!snapshot) throw new Error("the round has its seed");
      const plan = planRound(snapshot, lpSolver);
      if (plan.kind !== "plan") throw new Error(plan.why);
      const before = await reader.leaseCount(await reader.block());
      expect(await keeper.cycle(), "the post is accepted").to.equal(true);
      const leases = await reader.leases(await reader.block(), before + 1);
      const rows = new Map<string, number>();
      for (const { taskId, nodeId, count, price } of leases) {
        const key = `${String(taskId)}/${String(nodeId)}/${String(price)}`;
        rows.set(key, (rows.get(key) ?? 0) + count);
      }
      const planned = plan.rows.map(
        (row) => [`${String(row.taskId)}/${String(row.nodeId)}/${String(row.price)}`, row.units] as const,
      );
      expect([...rows].sort()).to.deep.equal([...planned].sort());
      granted += leases.length;
      const block = await reader.block();
      for (const { classId, price, units } of plan.clearing) {
        if (units === 0) continue;
        const [newest] = await clearingPrices(provider, contracts, classId, block, 10_000, 3);
        expect(newest).to.include({ roundId: plan.roundId, price: Number(price / 1024n), units });
      }
      await market.pass(5);
    }
    expect(granted).to.be.greaterThan(10);
  });

  it("a node's ask follows what its class was cleared at, within its bounds, and not too often", async () => {
    const market = await newMarket();
    const { keeper, reader, provider } = await openKeeper(market, lpSolver);
    // Node 1 is followed; node 2 is dearer, and sets the price.
    await market.addNode({ classId: 0, capacity: 1, ask: 2n * MILLI }, undefined, 7);
    await market.addNode({ classId: 0, capacity: 4, ask: 20n * MILLI });
    const owner = await openClient(market, 7);
    const directory = await mkdtemp(join(tmpdir(), "drmp-ask-"));
    closing.unshift(async () => {
      owner.provider.destroy();
      await rm(directory, { recursive: true, force: true });
    });
    const ask = { follow: "clearing", floor: "0.001", ceiling: "0.015", every: 600 };
    const config = agentConfig.parse({
      network: { rpcUrl: market.url, chainId: 31337 },
      operator: { testAccount: 8 },
      owner: { testAccount: 7 },
      dataDir: directory,
      node: { class: "cpu/eu", capacity: 1, ask, powerThreshold: 100, powerMax: 400, energySource: "grid" },
    });
    const session = { reader, contracts: owner.contracts, provider, queue: async () => ({ queue: owner.queue }) };
    const follow = async () => {
      const follower = new AskFollower(session as unknown as Session, config, quiet, join(directory, "ask.json"));
      await follower.follow(1);
      return (await reader.node(await reader.block(), 1))?.askTick;
    };
    expect(await follow(), "no price is known").to.equal(2);
    const settle = async (units: number) => {
      await market.addTask({ units, maxPrice: 30n * MILLI, classIds: [0] });
      await market.pass(5);
      await keeper.cycle();
      await market.fulfil(1n);
      expect(await keeper.cycle()).to.equal(true);
    };
    await settle(3);
    expect(await follow(), "2 % below 0.020 is above the ceiling").to.equal(15);
    await settle(1);
    await market.pass(300);
    expect(await follow(), "not again within ten minutes, also after a restart").to.equal(15);
  });

  it("publishes the market of a round that it leaves to another operator, and leaves it to them", async () => {
    const market = await newMarket();
    const { keeper } = await openKeeper(market, lpSolver);
    const registry = new Registry();
    const { reader, queue, provider, signer } = await openClient(market, 6);
    closing.unshift(() => {
      provider.destroy();
    });
    const prices = new Market(reader, registry);
    const patient = new AllocationKeeper({
      reader,
      sender: queueSender(queue, quiet, () => undefined),
      solvers: [lpSolver],
      logger: quiet,
      metrics: allocationMetrics(registry),
      minRoundAge: 0,
      market: prices,
      stagger: new Stagger(signer.address, 2 ** 31, () => 0),
    });
    await market.addNode({ classId: 0, capacity: 2, ask: 3n * MILLI });
    await market.addTask({ units: 5, maxPrice: 9n * MILLI, classIds: [0] });
    await market.pass(5);
    expect(await keeper.cycle()).to.equal(true);
    await market.fulfil(7n);
    expect(await patient.cycle(), "it is not its turn").to.equal(false);
    expect(await patient.cycle(), "still not").to.equal(false);
    const text = await registry.metrics();
    expect(text)
      .to.match(/drmp_unmet_demand_units 5/)
      .and.to.match(/drmp_plans_made_total 1/);
    const [outcome] = await prices.classes();
    expect(outcome).to.include({ className: "cpu/eu", unmet: 5 });
    expect(outcome?.price.toFixed(4)).to.equal("0.0090");
    expect(await keeper.cycle(), "the other one settles").to.equal(true);
    expect((await reader.leases(await reader.block(), 1)).length).to.equal(1);
  });

  it("refuses to post what it cannot certify, and says why", async () => {
    const market = await newMarket();
    const lazy: Solver = {
      name: "a solver that leaves everything open",
      solve: (problem) => ({
        flows: problem.tasks.map(({ choices }) => choices.map(() => 0)),
        open: problem.tasks.map(({ units }) => units),
      }),
    };
    const { keeper, metrics, reader } = await openKeeper(market, lazy);
    await market.addNode({ classId: 0, capacity: 4, ask: MILLI });
    await market.addTask({ units: 2, maxPrice: 5n * MILLI, classIds: [0] });
    await keeper.cycle();
    await market.fulfil(7n);
    expect(await keeper.cycle()).to.equal(false);
    expect((await metrics.refused.get()).values[0]?.value).to.equal(1);
    expect(await reader.leaseCount(await reader.block())).to.equal(0);
  });

  it("works a round off once when two keepers run, and aborts one whose oracle is silent", async () => {
    const market = await newMarket();
    const one = await openKeeper(market, lpSolver, 5);
    const two = await openKeeper(market, lpSolver, 6);
    await market.addNode({ classId: 0, capacity: 4, ask: MILLI });
    await market.addTask({ units: 3, maxPrice: 5n * MILLI, classIds: [0] });
    const opened = await Promise.all([one.keeper.cycle(), two.keeper.cycle()]);
    expect(opened.filter(Boolean)).to.have.length(1);
    await market.pass(61);
    expect(await one.keeper.cycle(), "abort").to.equal(true);
    expect((await market.contracts.rounds.current()).status).to.equal(4n);
    await market.pass(5);
    expect(await two.keeper.cycle(), "open again").to.equal(true);
    await market.fulfil(9n);
    const settled = await Promise.all([one.keeper.cycle(), two.keeper.cycle()]);
    expect(settled.filter(Boolean)).to.have.length(1);
    expect(await one.reader.leaseCount(await one.reader.block())).to.equal(1);
  });

  it("explains what it would post, for people and as JSON, and sends nothing", async () => {
    const market = await newMarket();
    const bench = await Bench.open(market);
    closing.unshift(() => bench.close());
    const { keeper, reader } = await openKeeper(market, lpSolver);
    const config = await bench.write("keeper.json", {
      network: bench.network,
      dataDir: bench.folder,
      keepers: ["allocation"],
      allocation: { minRoundAge: 0, staggerSeconds: 0 },
      service: { port: 0 },
    });
    const idle = await bench.run("keepers/main.ts", "plan", "--config", config);
    expect(idle.code, idle.said).to.equal(0);
    expect(idle.said).to.equal("Nothing to do: no task is waiting.\n");

    await market.addNode({ classId: 0, capacity: 4, ask: MILLI });
    await market.addNode({ classId: 0, capacity: 4, ask: 4n * MILLI });
    await market.addNode({ classId: 1, capacity: 4, ask: MILLI });
    await market.addTask({ units: 3, maxPrice: 5n * MILLI, classIds: [0] });
    expect(await keeper.cycle(), "open").to.equal(true);
    await market.fulfil(7n);
    const text = await bench.run("keepers/main.ts", "plan", "--config", config);
    expect(text.code, text.said).to.equal(0);
    expect(text.said)
      .to.include("Would settle: the seed of round 1 has arrived.")
      .and.to.include("Round 1: 3 units leased for 0.003 VER, 0 stay open (cheapest first, certified).")
      .and.to.include("Task 1 gets 3 of its 3 units, for 0.003 VER in all.")
      .and.to.include("One more unit would cost 0.001 VER: task 1 would use node 1")
      .and.to.match(/Node 2 gets nothing: it asks 0\.004 VER, 0\.003 VER above/)
      .and.to.match(/Node 3 gets nothing: no task of the round accepts class /);
    const json = await bench.run("keepers/main.ts", "plan", "--config", config, "--json");
    const outlook = JSON.parse(json.said) as {
      step: { kind: string };
      plan: { post: string; cost: { microVer: string } };
      explanation: { nodes: { nodeId: number; reason: string }[] };
    };
    expect(outlook.step.kind).to.equal("settle");
    expect(outlook.plan.cost.microVer).to.equal("3000");
    expect(outlook.explanation.nodes.map(({ reason }) => reason)).to.deep.equal([
      "partly",
      "priceAbove",
      "classNotWanted",
    ]);
    expect(await reader.leaseCount(await reader.block())).to.equal(0);
    // The very bytes are accepted.
    await market.contracts.rounds.settle(1, outlook.plan.post);
    expect(await reader.leaseCount(await reader.block())).to.be.greaterThan(0);
  });
});
