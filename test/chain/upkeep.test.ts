import { expect } from "chai";
import { formatEther } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { openClient, openMarket } from "@verai/devnet/market";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";

const MILLI = 10n ** 15n;
const VER = 10n ** 18n;
/** Cycles from one look at the bounty pool to the next. */
const POOL_LOOKS = 64;

describe("upkeep that no round waits for", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let registry: Registry;
  let said: string[];

  beforeEach(async () => {
    market = await openMarket();
    client = await openClient(market);
    registry = new Registry();
    said = [];
  });

  afterEach(async () => {
    client.provider.destroy();
    await market.close();
  });

  function keeperOf() {
    const quiet = pino({ level: "silent" });
    return new AllocationKeeper({
      reader: client.reader,
      sender: queueSender(client.queue, quiet, () => undefined),
      solvers: [lpSolver],
      logger: pino({ level: "warn" }, { write: (line: string) => void said.push(line) }),
      metrics: allocationMetrics(registry),
      minRoundAge: 0,
    });
  }

  async function valueOf(name: string): Promise<number | undefined> {
    const found = (await registry.getMetricsAsJSON()).find((metric) => metric.name === name);
    const [first] = found?.values ?? [];
    return first?.value;
  }

  it("the keeper shows what the bounty pool has, and says once when it is empty", async () => {
    const keeper = keeperOf();
    const { contracts, accounts, connection } = market;
    const { vault, outlet } = contracts;
    const pool = async () => (await vault.totals()).bountyPool;
    const shown = () => valueOf("drmp_bounty_pool_ver");
    const warnings = () => said.filter((line) => line.includes("the bounty pool is empty")).length;
    const rest = async () => {
      for (let i = 1; i < POOL_LOOKS; i++) await keeper.cycle();
    };
    expect((await pool()) > 0n).to.equal(true);
    await keeper.cycle();
    expect(await shown()).to.equal(Number(formatEther(await pool())));
    // A module that is allowed to pays all of it out.
    const module = await outlet.getAddress();
    await connection.networkHelpers.setBalance(module, VER);
    await connection.networkHelpers.impersonateAccount(module);
    await vault.connect(await connection.ethers.getSigner(module)).payBounty(accounts.governance, await pool());
    await rest();
    expect(await shown(), "not yet looked at again").to.not.equal(0);
    expect(warnings()).to.equal(0);
    await keeper.cycle();
    expect([await shown(), warnings()]).to.deep.equal([0, 1]);
    await vault.connect(accounts.governance).fundBountyPool((5n * VER) / 2n);
    await rest();
    await keeper.cycle();
    expect([await shown(), warnings()]).to.deep.equal([2.5, 1]);
  });

  it("release fees of ended tasks go where they belong without anybody's asking, late tasks being closed first", async () => {
    const keeper = keeperOf();
    const { contracts, accounts, connection } = market;
    const [, , , , , , first, second] = await connection.ethers.getSigners();
    if (!first || !second) throw new Error("the simulated chain has too few accounts");
    // Each of them takes a task and gives it back at once.
    for (const [i, operator] of [first, second].entries()) {
      await market.addNode({ classId: 0, capacity: 1, ask: MILLI }, operator, 10 + i);
      await market.addTask({ units: 1, maxPrice: 9n * MILLI, classIds: [0] });
      await market.pass(20);
      expect(await keeper.cycle(), "open").to.equal(true);
      await market.fulfil(BigInt(i));
      expect(await keeper.cycle(), "settle").to.equal(true);
      await contracts.leases.connect(operator).release(i + 1, 1, 1);
    }
    expect(await contracts.releaseFees.heldCount()).to.equal(2n);
    expect(await keeper.cycle(), "neither task has ended").to.equal(false);

    const before = (await contracts.vault.totals()).bountyPool;
    const fees = (await contracts.vault.feesOf(1)) + (await contracts.vault.feesOf(2));
    expect(fees > 0n).to.equal(true);
    await contracts.tasks.connect(accounts.governance).cancel(1);
    expect(await keeper.cycle(), "distribute").to.equal(true);
    expect(await contracts.releaseFees.heldPage(0, 9)).to.deep.equal([2n]);
    expect(await keeper.cycle()).to.equal(false);

    await market.pass(200_000);
    expect(await keeper.cycle(), "close").to.equal(true);
    expect(await keeper.cycle(), "distribute").to.equal(true);
    expect(await contracts.releaseFees.heldCount()).to.equal(0n);
    expect((await contracts.vault.feesOf(1)) + (await contracts.vault.feesOf(2))).to.equal(0n);
    // Nobody ran them, and too few say so: the pool has the fees.
    expect((await contracts.vault.totals()).bountyPool - before).to.equal(fees);
    expect(await valueOf("drmp_release_fees_distributed_total")).to.equal(2);
    expect(await keeper.cycle(), "nothing is left").to.equal(false);
  });
});
