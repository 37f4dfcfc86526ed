import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { openClient, openMarket } from "@verai/devnet/market";
import { Bench } from "@verai/devnet/programs";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";

const MICRO = 10n ** 12n;
const MILLI = 10n ** 15n;
/** More than the eight seeds of 0.002 VER that a task pays for in advance: nobody but its owner puts it back. */
const SUBMISSION_FEE = 20_000;
const DEPOSIT = 8n * 2_000n * MICRO;
const quiet = pino({ level: "silent" });

describe("parked tasks", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;
  let client: Awaited<ReturnType<typeof openClient>>;
  let keeper: AllocationKeeper;

  before(async () => {
    market = await openMarket({ RoundMaxTasks: { value: 1 }, SubmissionFee: { value: SUBMISSION_FEE } });
    bench = await Bench.open(market);
    process.env["DRMP_LOCALHOST_URL"] = market.url;
    client = await openClient(market, 5);
    keeper = new AllocationKeeper({
      reader: client.reader,
      sender: queueSender(client.queue, quiet, () => undefined),
      solvers: [lpSolver],
      logger: quiet,
      metrics: allocationMetrics(new Registry()),
      minRoundAge: 0,
    });
  });

  after(async () => {
    delete process.env["DRMP_LOCALHOST_URL"];
    client.provider.destroy();
    await bench.close();
    await market.close();
  });

  async function run(id: string, ...options: string[]) {
    const where = ["--network", "localhost", "--deployment", bench.network.deployment, "--json"];
    const { code, said } = await bench.command(id, ...where, ...options);
    const line = said.split("\n").findLast((one) => one.startsWith("{"));
    return { code, said, json: JSON.parse(line ?? "{}") as Record<string, unknown> };
  }

  async function standing() {
    const block = await client.reader.block();
    const { ids } = await client.reader.parked(block, 0, 9);
    return { queue: await client.reader.queue(block, 9), parked: [...ids].sort((a, b) => a - b) };
  }

  const depositOf = async (id: number) => (await client.reader.task(await client.reader.block(), id))?.roundDeposit;

  it("the keeper parks what stands before a task that can be served, and opens a round for that one", async () => {
    await market.addNode({ classId: 0, capacity: 1, ask: 5n * MILLI });
    await market.addTask({ units: 1, maxPrice: MILLI, classIds: [0] });
    await market.addTask({ units: 1, maxPrice: MILLI, classIds: [0] });
    await market.addTask({ units: 1, maxPrice: 9n * MILLI, classIds: [0] });
    await market.pass(5);
    expect(await standing()).to.deep.equal({ queue: [1, 2, 3], parked: [] });
    expect(await keeper.cycle(), "open").to.equal(true);
    expect(await standing(), "opening looked at both on the way").to.deep.equal({ queue: [], parked: [1, 2] });
    await market.fulfil(7n);
    expect(await keeper.cycle(), "settle").to.equal(true);
    const [lease] = await client.reader.leases(await client.reader.block());
    expect(lease).to.include({ taskId: 3, nodeId: 1, count: 1 });
    expect(await keeper.cycle(), "no round serves the parked ones").to.equal(false);
    expect(await standing()).to.deep.equal({ queue: [], parked: [1, 2] });
  });

  it("task:enqueue refuses what no round can serve, and says where a task that is not parked stands", async () => {
    const refused = await run("task:enqueue", "--task", "2", "--account", "1", "--yes");
    expect(refused.code, refused.said).to.not.equal(0);
    expect(refused.json["error"], refused.said).to.include({ code: "NOTHING_TO_ENQUEUE" });
    const leased = await run("task:enqueue", "--task", "3", "--account", "1", "--yes");
    expect(leased.code, leased.said).to.equal(0);
    expect(leased.json).to.include({ task: 3, parked: false, queued: false });
    expect(leased.said).to.match(/Task 3 is not parked/);
    expect((await standing()).parked).to.deep.equal([1, 2]);
  });

  it("task:fund adds to a round deposit by permit, and then the keeper puts the task back at its cost", async () => {
    await market.addNode({ classId: 0, capacity: 2, ask: MILLI });
    expect(await keeper.cycle(), "neither can pay for its stay").to.equal(false);
    const fund = (...flags: string[]) =>
      run("task:fund", "--task", "1", "--amount", "0.01", "--account", "12", ...flags);
    const dry = await fund("--dry-run");
    expect(dry.code, dry.said).to.equal(0);
    expect(await depositOf(1)).to.equal(DEPOSIT);
    const funded = await fund("--yes");
    expect(funded.code, funded.said).to.equal(0);
    const amount = 10n * MILLI;
    expect(funded.json).to.include({ task: 1, added: String(amount), roundDeposit: String(DEPOSIT + amount) });
    expect(funded.said).to.match(/Task 1 has 0\.026 VER for places in rounds now/);
    expect(await keeper.cycle(), "enqueue").to.equal(true);
    expect(await standing()).to.deep.equal({ queue: [1], parked: [2] });
    expect(await depositOf(1)).to.equal(DEPOSIT + amount - BigInt(SUBMISSION_FEE) * MICRO);
  });

  it("task:enqueue puts a task back for its owner, whose deposit stays what it is", async () => {
    const foreign = await run("task:enqueue", "--task", "2", "--account", "12", "--yes");
    expect(foreign.json["error"], foreign.said).to.include({ code: "NOTHING_TO_ENQUEUE" });
    const { code, said, json } = await run("task:enqueue", "--task", "2", "--account", "1", "--yes");
    expect(code, said).to.equal(0);
    expect(json).to.include({ task: 2, parked: false, queued: true });
    expect(await standing()).to.deep.equal({ queue: [1, 2], parked: [] });
    expect(await depositOf(2)).to.equal(DEPOSIT);
    const again = await run("task:enqueue", "--task", "2", "--account", "1", "--yes");
    expect(again.said).to.match(/Task 2 is not parked: it is in the queue/);
  });
});
