import { expect } from "chai";
import { Wallet } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { nodeReportFacts, refusalOf } from "@verai/client/report-refusal";
import {
  packReports,
  type Report,
  REPORT_TYPES,
  reportDomain,
  reportsOf,
  type SignedReport,
} from "@verai/client/report";
import { readEnergyParts } from "@verai/client/energy-parts";
import type { Session } from "@verai/client/session";
import { readClassEnergy, readEnergy, readReportState, readTotals } from "@verai/client/telemetry";
import { REPORT_REFUSALS, type ReportRefusal, enumName } from "@verai/client/enums";
import { carbonTerms } from "@verai/developer/carbon";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { BalancingKeeper } from "@verai/keepers/balancing/balancing-keeper";
import { FailoverKeeper } from "@verai/keepers/failover/failover-keeper";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { ReportsKeeper } from "@verai/keepers/reports/reports-keeper";
import { reportsMetrics } from "@verai/keepers/reports/reports-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { openClient, openMarket } from "@verai/devnet/market";
import { readHourly } from "@verai/tasks/task/hourly-carbon";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });
const operators = [1, 2, 3].map((i) => new Wallet(`0x${String(i).repeat(64)}`));

describe("reports, throttling and balance", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  const closing: (() => Promise<void> | void)[] = [];

  beforeEach(async () => {
    market = await openMarket();
    client = await newClient(5);
    for (const [i, operator] of operators.entries()) {
      await market.addNode({ classId: 0, capacity: 4, ask: MILLI * BigInt(i + 1) }, operator, 10 + i);
    }
    await market.pass(40);
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await market.close();
  });

  async function newClient(account: number) {
    const opened = await openClient(market, account);
    closing.push(() => {
      opened.provider.destroy();
    });
    return opened;
  }

  async function energyKeeper(account: number, minFee?: number) {
    const { reader, queue } = await newClient(account);
    const sender = queueSender(queue, quiet, () => undefined);
    const metrics = reportsMetrics(new Registry());
    const bounds = { reports: 100, gas: 12_000_000, waitMs: 0 };
    return { keeper: new ReportsKeeper({ reader, sender, logger: quiet, metrics, bounds, minFee }), metrics };
  }

  async function signed(
    nodeId: number,
    changes: Partial<Report> = {},
    signer = operators[nodeId - 1],
  ): Promise<SignedReport> {
    const { sequence } = await readReportState(client.reader, await client.reader.block(), nodeId);
    const report: Report = {
      nodeId,
      sequence: sequence + 1,
      load: 1_000,
      latency: 5,
      watts: 50,
      renewable: false,
      ...changes,
    };
    const domain = reportDomain(LOCAL_CHAIN_ID, await client.contracts.telemetry.getAddress());
    return { report, signature: (await signer?.signTypedData(domain, REPORT_TYPES, report)) ?? "" };
  }

  /** Posts a report that must be taken. */
  async function post(nodeId: number, changes: Partial<Report> = {}): Promise<void> {
    await market.pass(10);
    const packed = packReports([await signed(nodeId, changes)]);
    expect(await market.contracts.telemetry.post.staticCall(packed)).to.equal(1n);
    await market.contracts.telemetry.post(packed);
  }

  /** The first node runs a lease for an interval and posts a checkpoint of it. */
  async function showHeadway(leaseId: number, fence: number): Promise<void> {
    const { networkHelpers, ethers } = market.connection;
    const [operator] = operators;
    if (!operator) throw new Error("there is no operator");
    await networkHelpers.setBalance(operator.address, 10n ** 18n);
    await market.pass(61);
    const checkpoints = market.contracts.checkpoints.connect(operator.connect(ethers.provider));
    const claim = { leaseId, fence, digest: ethers.id("checkpoint"), codec: 0x55, progress: 100, size: 1 };
    await checkpoints.post(claim, []);
  }

  /** What the contract says of a report: why it is refused, or undefined if it is taken. */
  async function onChain(each: SignedReport): Promise<ReportRefusal | undefined> {
    const response = await market.contracts.telemetry.post(packReports([each]));
    const receipt = await response.wait();
    const { telemetry } = market.contracts;
    const events = (receipt?.logs ?? []).map((log) => telemetry.interface.parseLog(log));
    const refused = events.find((event) => event?.name === "ReportRefused");
    return refused ? enumName(REPORT_REFUSALS, refused.args["reason"] as bigint) : undefined;
  }

  it("refuses off chain exactly what the contract refuses", async () => {
    const cases: Partial<Report>[] = [{ sequence: 0 }, { load: 10_001 }, { watts: 401 }, { watts: 400 }];
    const seen = new Set<ReportRefusal | undefined>();
    const compare = async (each: SignedReport) => {
      const facts = await nodeReportFacts(client.reader, await client.reader.block(), each.report.nodeId);
      const reason = refusalOf(each, facts);
      expect(await onChain(each), JSON.stringify(each.report)).to.equal(reason);
      seen.add(reason);
    };
    for (const changes of cases) await compare(await signed(1, changes));
    await compare(await signed(2, {}, operators[0]));
    await compare({ ...(await signed(2)), signature: `0x${"00".repeat(31)}01${"00".repeat(31)}01` });
    await compare({ ...(await signed(2)), report: { ...(await signed(2)).report, nodeId: 9 } });
    expect(seen.size).to.equal(6);
    // The one good report is on chain, and the rest has changed nothing.
    const block = await client.reader.block();
    expect((await readReportState(client.reader, block, 1)).sequence).to.equal(1);
    expect((await readTotals(client.reader, block)).nodes).to.equal(1);
  });

  it("posts what agents send in one transaction, and pays for nothing that is refused", async () => {
    const [one, two] = [await energyKeeper(6), await energyKeeper(7)];
    await one.keeper.cycle();
    await two.keeper.cycle();
    const reports = [await signed(1), await signed(2, { load: 5_000 }), await signed(3)];
    const wire = (each: SignedReport) => JSON.parse(JSON.stringify(each)) as unknown;
    for (const each of reports) expect(one.keeper.receive(wire(each))).to.deep.equal({ accepted: true });
    expect(two.keeper.receive(wire(reports[0]!))).to.deep.equal({ accepted: true });
    for (const [body, reason] of [
      ["nonsense", "malformed"],
      [wire(await signed(2, {}, operators[0])), "badSignature"],
      [wire(await signed(2, { load: 10_001 })), "loadTooHigh"],
    ]) {
      expect(one.keeper.receive(body)).to.deep.equal({ accepted: false, reason });
    }
    const before = await market.connection.ethers.provider.getBlockNumber();
    expect(await one.keeper.cycle()).to.equal(true);
    const { telemetry } = market.contracts;
    const taken = await telemetry.queryFilter(telemetry.filters.Reported(), before + 1);
    expect(taken.map(({ args }) => reportsOf(args.reports).map(({ nodeId }) => nodeId))).to.deep.equal([[1, 2, 3]]);
    expect(await telemetry.queryFilter(telemetry.filters.ReportRefused(), before)).to.have.length(0);
    // The second keeper learns of it without paying, and so does a replay.
    expect(await two.keeper.cycle()).to.equal(false);
    expect(await one.keeper.cycle(), "nothing is left to post").to.equal(false);
    expect(one.keeper.receive(wire(reports[0]!))).to.deep.equal({ accepted: false, reason: "sequenceNotGrowing" });
  });

  it("asks nodes to pay for the posting of their reports, if it is told to", async () => {
    const { keeper } = await energyKeeper(6, 200);
    await keeper.cycle();
    const wire = async () => JSON.parse(JSON.stringify(await signed(1))) as unknown;
    expect(keeper.receive(await wire())).to.deep.equal({ accepted: false, reason: "unpaid" });
    const { telemetry, token, vault } = market.contracts;
    const signers = await market.connection.ethers.getSigners();
    const owner = signers[10];
    await token.connect(market.accounts.governance).transfer(owner?.address ?? "", 10n ** 18n);
    await token.connect(owner).approve(vault, 10n ** 18n);
    await telemetry.connect(owner).prepay(1, 5, 200);
    await keeper.cycle();
    expect(keeper.receive(await wire())).to.deep.equal({ accepted: true });
    expect(await keeper.cycle()).to.equal(true);
    expect((await readReportState(client.reader, await client.reader.block(), 1)).prepaid).to.equal(4);
    expect(await vault.claimable(signers[6]?.address ?? "")).to.equal(200n * 10n ** 12n);
  });

  it("throttles after two reports above the threshold, frees after one within it, and lapses the silent", async () => {
    const { keeper } = await energyKeeper(6);
    const reportState = async () => readReportState(client.reader, await client.reader.block(), 1);
    await post(1, { watts: 150 });
    await keeper.cycle();
    expect((await reportState()).throttled).to.equal(false);
    await post(1, { watts: 150 });
    await keeper.cycle();
    expect(await reportState()).to.include({ throttled: true, watts: 150, previousWatts: 150 });
    expect((await client.reader.node(await client.reader.block(), 1))?.eligible).to.equal(false);
    await post(1, { watts: 90 });
    await keeper.cycle();
    expect((await reportState()).throttled).to.equal(false);
    const { reportTimeout } = await client.reader.parameters(await client.reader.block());
    await market.pass(reportTimeout + 1);
    await keeper.cycle();
    expect((await reportState()).counted).to.equal(false);
    expect((await client.reader.node(await client.reader.block(), 2))?.eligible).to.equal(false);
    expect(await keeper.cycle(), "nothing is left to do").to.equal(false);
  });

  it("moves work once when two keepers balance at the same time, and never back", async () => {
    const { reader, queue } = client;
    const metrics = allocationMetrics(new Registry());
    const sender = queueSender(queue, quiet, () => undefined);
    const parts = { reader, sender, metrics, logger: quiet, minRoundAge: 0 };
    const allocation = new AllocationKeeper({ ...parts, solvers: [lpSolver] });
    await market.addTask({ units: 4, maxPrice: 20n * MILLI, classIds: [0] });
    await allocation.cycle();
    await market.fulfil(5n);
    expect(await allocation.cycle()).to.equal(true);
    const balance = async (account: number) => {
      const own = await newClient(account);
      const ownSender = queueSender(own.queue, quiet, () => undefined);
      const worth = { point: 0.006, hours: 1 / 6, transactions: 0.011, pause: 0.05 };
      const context = { reader: own.reader, sender: ownSender, logger: quiet, hysteresis: 200 };
      return new BalancingKeeper({ ...context, worth, movedShare: 0.3 });
    };
    const keepers = [await balance(6), await balance(7)];
    for (const keeper of keepers) expect(await keeper.cycle(), "no reports yet").to.equal(false);
    const [hot] = await reader.leases(await reader.block());
    expect(hot).to.include({ nodeId: 1, count: 4 });
    const loads = [
      [1, 9_500],
      [2, 500],
      [3, 5_000],
    ] as const;
    for (const [nodeId, load] of loads) await post(nodeId, { load });
    for (const keeper of keepers) expect(await keeper.cycle(), "the lease has no headway yet").to.equal(false);
    await showHeadway(hot?.id ?? 0, hot?.fence ?? 0);
    for (const [nodeId, load] of loads) await post(nodeId, { load });
    const sent = await Promise.all(keepers.map((keeper) => keeper.cycle()));
    expect(sent.filter(Boolean)).to.have.length(1);
    const { balancer } = market.contracts;
    const [moved, ...others] = await balancer.queryFilter(balancer.filters.Moved());
    expect(others).to.have.length(0);
    // Without another unit it would be within the band, and a round would fill it again.
    expect([moved?.args.fromNode, moved?.args.units]).to.deep.equal([1n, 1n]);
    // Its agent does not hand over: when the grace has ended, a keeper does.
    const { moveGrace } = await reader.parameters(await reader.block());
    await market.pass(moveGrace + 1);
    expect(await keepers[0]?.cycle()).to.equal(true);
    // The taker is drawn: the one that is below the band.
    const { coordinator, reassignment, seeds } = market.contracts;
    const failover = new FailoverKeeper({
      reader,
      confirmation: undefined,
      sender,
      logger: quiet,
      metrics: failoverMetrics(new Registry()),
    });
    expect(await failover.cycle(), "open").to.equal(true);
    await coordinator.fulfillRandomWordsWithOverride((await reassignment.current()).requestId, seeds, [7n]);
    expect(await failover.cycle(), "draw").to.equal(true);
    const leases = (await reader.leases(await reader.block())).filter(({ status }) => status === "active");
    expect(leases.map(({ nodeId, count }) => [nodeId, count]).sort()).to.deep.equal([
      [1, 3],
      [2, 1],
    ]);
    // The same reports again: nothing moves further, for the range cools down and the ends have to report first.
    for (const keeper of keepers) expect(await keeper.cycle()).to.equal(false);
  });

  it("turns a carbon price into surcharges by the chain's own figures", async () => {
    const { reader } = client;
    const block = await reader.block();
    const classes = await reader.classes(block);
    const named = classes.map(({ id, name }) => ({ classId: id, name }));
    const terms = await carbonTerms(reader, block, named, 100_000_000);
    const [eu, us] = ["cpu/eu", "cpu/us"].map((name) =>
      terms.get(classes.find((each) => each.name === name)?.id ?? -1),
    );
    // 3.5 W for an hour at 213.02 g/kWh, at 100 VER/kg.
    expect(eu).to.include({ joulesPerUnit: 12_600, gramsPerKwh: 213.02, surcharge: 74_557 });
    expect(us?.surcharge).to.equal(134_243);
  });

  it("tells what reports said of a task's energy, by which its carbon is reckoned by the hour", async () => {
    const { reader, queue, provider, contracts } = client;
    const sender = queueSender(queue, quiet, () => undefined);
    const metrics = allocationMetrics(new Registry());
    const allocation = new AllocationKeeper({
      ...{ reader, sender, metrics, logger: quiet, minRoundAge: 0 },
      solvers: [lpSolver],
    });
    for (let task = 0; task < 2; task++) await market.addTask({ units: 2, maxPrice: 20n * MILLI, classIds: [0] });
    await allocation.cycle();
    await market.fulfil(5n);
    await allocation.cycle();
    const leases = await reader.leases(await reader.block());
    expect(leases.map(({ nodeId, taskId }) => [nodeId, taskId])).to.deep.equal([
      [1, 1],
      [1, 2],
    ]);

    // Half an hour each, the second of them partly renewable; the other task's share is none of the first one's.
    const [operator] = operators;
    if (!operator) throw new Error("there is no operator");
    const { networkHelpers, ethers } = market.connection;
    await networkHelpers.setBalance(operator.address, 10n ** 18n);
    const ledger = market.contracts.ledger.connect(operator.connect(ethers.provider));
    for (const renewableJoules of [0, 200_000]) {
      await market.pass(1_800);
      const shares = leases.map(({ id }) => ({ leaseId: id, seconds_: 1_800, joules: 200_000 }));
      const energy = { nodeId: 1, period: 1_800, joules: 400_000, renewableJoules, idleUnitSeconds: 0, shares };
      await ledger.report({ ...energy, method: 1, version: 256 });
    }
    const block = await reader.block();
    const parts = await readEnergyParts(client, 1, [1], 0, block.number);
    const until = Number(await contracts.ledger.coveredUntil(1));
    expect(parts).to.deep.equal([
      { leaseId: 1, from: until - 3_600, until: until - 1_800, joules: 200_000, renewableJoules: 0 },
      { leaseId: 1, from: until - 1_800, until, joules: 200_000, renewableJoules: 100_000 },
    ]);

    // Twice the average in the first half hour, and nothing known of the rest.
    const classes = new Map((await reader.classes(block)).map(({ id, name }) => [id, name]));
    const [energy, task] = [await readEnergy(reader, block, "task", 1), await reader.task(block, 1)];
    if (!task) throw new Error("there is no task");
    const { gridIntensity } = await readClassEnergy(reader, block, 0);
    const hours = new Map<number, number>();
    const first = parts[0]?.from ?? 0;
    const last = Math.floor((until - 1_801) / 3_600) * 3_600;
    for (let hour = Math.floor(first / 3_600) * 3_600; hour <= last; hour += 3_600)
      hours.set(hour, gridIntensity / 500);
    const table = { from: first, until: last + 3_600, hours: new Map([["eu", hours]]) };
    const session = { reader, provider, contracts, close: () => undefined } as unknown as Session;
    const { grams, share } = await readHourly(session, block, task, leases, energy, classes, table);
    const average = (joules: number) => ((joules / 3_600_000) * gridIntensity) / 1_000;
    const covered = share * 300_000;
    expect(covered).to.be.at.least(200_000).and.at.most(300_001);
    expect(Math.abs(grams - average(300_000) - average(covered))).to.be.below(0.01);
  });
});
