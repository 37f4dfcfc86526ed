import { expect } from "chai";
import { TypedDataEncoder, Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { packReports, type Report, REPORT_TYPES, reportDomain } from "@verai/client/report";
import { readEnergy, readShifts, readReportState, readReportStates, readTotals } from "@verai/client/telemetry";
import { ENERGY_METHODS, numberOf, REPORT_REFUSALS, enumName } from "@verai/client/enums";
import { openClient, openMarket } from "@verai/devnet/market";

const MILLI = 10n ** 15n;

describe("reports", () => {
  const operators = [1, 2].map((n) => new Wallet(`0x${String(n).repeat(64)}`));
  let market: Awaited<ReturnType<typeof openMarket>>;

  beforeEach(async () => {
    market = await openMarket();
    for (const operator of operators) {
      await market.addNode({ classId: 0, capacity: 4, ask: 10n * MILLI }, operator);
    }
    await market.pass(300);
  });
  afterEach(async () => market.close());

  function report(nodeId: number, changes: Partial<Report> = {}): Report {
    return {
      nodeId,
      sequence: 1,
      period: 60,
      load: 5000,
      latency: 20,
      joules: 6000,
      renewableJoules: 6000,
      method: numberOf(ENERGY_METHODS, "estimated"),
      version: 258,
      idleUnitSeconds: 0,
      shares: [],
      ...changes,
    };
  }

  async function sign(what: Report) {
    const operator = operators[what.nodeId - 1];
    if (!operator) throw new Error(`node ${String(what.nodeId)} has no operator`);
    const domain = reportDomain(LOCAL_CHAIN_ID, await market.contracts.telemetry.getAddress());
    return { report: what, signature: await operator.signTypedData(domain, REPORT_TYPES, what) };
  }

  it("are hashed by the client as by the contract", async () => {
    const { telemetry } = market.contracts;
    const shares = [
      { leaseId: 3, joules: 1 },
      { leaseId: 2 ** 32 - 1, joules: 2 ** 40 - 1 },
    ];
    const what = report(7, { shares, joules: 2 ** 40 - 1, load: 65_535, version: 65_535 });
    const domain = reportDomain(LOCAL_CHAIN_ID, await telemetry.getAddress());
    expect(await telemetry.digestOf({ ...what, shares })).to.equal(TypedDataEncoder.hash(domain, REPORT_TYPES, what));
  });

  it("are packed by the client as the contract takes them, and one bad one sinks no batch", async () => {
    const { telemetry } = market.contracts;
    const bad = { ...(await sign(report(2))), report: report(2, { joules: 6001 }) };
    const packed = packReports([bad, await sign(report(1)), await sign(report(2, { sequence: 9, load: 100 }))]);
    const receipt = await (await telemetry.post(packed)).wait();
    const events = (receipt?.logs ?? []).map((log) => telemetry.interface.parseLog(log)).filter((log) => log !== null);
    expect(events.map(({ name }) => name)).to.deep.equal(["ReportRefused", "Reported", "Reported"]);
    expect(enumName(REPORT_REFUSALS, events[0]?.args["reason"] as bigint)).to.equal("badSignature");
    expect(events[1]?.args.toArray()).to.deep.equal([1n, 1n, 60n, 5000n, 20n, 6000n, 6000n, 3n, 258n, 0n]);

    const { reader, provider } = await openClient(market);
    const block = await reader.block();
    const reportStates = await readReportStates(reader, block);
    expect(reportStates.map(({ nodeId, sequence, load }) => [nodeId, sequence, load])).to.deep.equal([
      [1, 1, 5000],
      [2, 9, 100],
    ]);
    expect(await readReportState(reader, block, 1)).to.deep.include({ watts: 100, renewable: true, counted: true });
    expect(await readTotals(reader, block)).to.deep.equal({
      load: 4 * 5100,
      watts: 200,
      capacity: 8,
      nodes: 2,
      renewableNodes: 2,
      throttledNodes: 0,
    });
    const energy = await readEnergy(reader, block, "network");
    expect(energy.estimatedJoules).to.equal(12_000n);
    expect(energy.joules - energy.estimatedJoules).to.equal(0n);
    expect(energy.renewableBps).to.equal(10_000n);
    expect((await readEnergy(reader, block, "node", 2)).joules).to.equal(6000n);
    expect((await readShifts(reader, block, [1])).get(1)).to.deep.equal({ outgoing: 0, incoming: 0 });
    expect((await reader.nodes(block)).map(({ eligible }) => eligible)).to.deep.equal([true, true]);
    provider.destroy();
  });
});
