import { expect } from "chai";
import { TypedDataEncoder, Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { packReports, type Report, REPORT_TYPES, reportDomain, reportsOf, unpackReports } from "@verai/client/report";
import { readShifts, readReportState, readReportStates, readTotals } from "@verai/client/telemetry";
import { REPORT_REFUSALS, enumName } from "@verai/client/enums";
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
      load: 5000,
      latency: 20,
      watts: 100,
      renewable: true,
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
    const what = report(7, { watts: 2 ** 32 - 1, load: 65_535 });
    const domain = reportDomain(LOCAL_CHAIN_ID, await telemetry.getAddress());
    expect(await telemetry.digestOf(what)).to.equal(TypedDataEncoder.hash(domain, REPORT_TYPES, what));
  });

  it("are packed by the client as the contract takes them, and one bad one sinks no batch", async () => {
    const { telemetry } = market.contracts;
    const bad = { ...(await sign(report(2))), report: report(2, { watts: 101 }) };
    const packed = packReports([bad, await sign(report(1)), await sign(report(2, { sequence: 9, load: 100 }))]);
    const receipt = await (await telemetry.post(packed)).wait();
    const events = (receipt?.logs ?? []).map((log) => telemetry.interface.parseLog(log)).filter((log) => log !== null);
    expect(events.map(({ name }) => name)).to.deep.equal(["ReportRefused", "Reported"]);
    expect(enumName(REPORT_REFUSALS, events[0]?.args["reason"] as bigint)).to.equal("badSignature");
    const taken = [report(1), report(2, { sequence: 9, load: 100 })];
    expect(reportsOf(events[1]?.args["reports"] as string)).to.deep.equal(taken);
    expect(unpackReports(packed).map((signed) => signed.report)).to.deep.equal([bad.report, ...taken]);

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
    expect((await readShifts(reader, block, [1])).get(1)).to.deep.equal({ outgoing: 0, incoming: 0 });
    expect((await reader.nodes(block)).map(({ eligible }) => eligible)).to.deep.equal([true, true]);
    provider.destroy();
  });
});
