import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { ReportJournal, type Sample } from "@verai/agent/telemetry/report-journal";
import { telemetryMetrics } from "@verai/agent/telemetry/telemetry-metrics";
import { Reporter, type ReporterContext } from "@verai/agent/telemetry/reporter";
import { REPORT_PROTOCOL } from "@verai/client/report-protocol";
import { readEnergy, readReportState } from "@verai/client/telemetry";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { ReportsKeeper } from "@verai/keepers/reports/reports-keeper";
import { MESSAGE_BYTES } from "@verai/keepers/reports/message";
import { reportsMetrics } from "@verai/keepers/reports/reports-metrics";
import { queueSender } from "@verai/keepers/sender";
import { openClient, openMarket } from "@verai/devnet/market";

const quiet = pino({ level: "silent" });

describe("an agent's reports", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let folder: string;
  const closing: (() => Promise<void> | void)[] = [];
  /** What the meters tell next. */
  let sample: Sample;
  let sent: string[];

  beforeEach(async () => {
    market = await openMarket();
    // The node's operator is the account that the client's queue belongs to.
    client = await openClient(market, 6);
    closing.push(() => {
      client.provider.destroy();
    });
    await market.addNode({ classId: 0, capacity: 2, ask: 10n ** 15n }, client.signer);
    folder = await mkdtemp(join(tmpdir(), "drmp-reporter-"));
    sample = {
      seconds: 12,
      load: 0.5,
      joules: 900,
      renewableJoules: 0,
      method: "estimated",
      idleUnitSeconds: 0,
      leases: [],
    };
    sent = [];
    await market.pass(20);
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function store(name: string): Promise<CheckpointStore> {
    const opened = new CheckpointStore({ directory: join(folder, name) });
    await opened.start();
    closing.push(() => opened.stop());
    return opened;
  }

  /** An agent's reporter as after a start: all that it knows is on disk. */
  async function reporter(changes: Partial<ReporterContext> = {}): Promise<Reporter> {
    const { reader, contracts, provider, queue, signer } = client;
    const session = { reader, contracts, provider } as unknown as ReporterContext["session"];
    return new Reporter({
      session,
      nodeId: 1,
      signer,
      store: {
        request: () => Promise.reject(new Error("nobody there")),
        roundTrips: () => Promise.resolve(new Map([["a", 7.6]])),
      },
      journal: await ReportJournal.open(join(folder, "reports.json")),
      sampler: { next: () => Promise.resolve(sample) } as ReporterContext["sampler"],
      keepers: [],
      send: (label, prepare) => {
        sent.push(label);
        return queue.submit({ label, prepare });
      },
      version: 1,
      energyInterval: 20,
      metrics: telemetryMetrics(new Registry()),
      logger: quiet,
      ...changes,
    });
  }

  const block = async () => client.reader.block();
  const reportState = async () => readReportState(client.reader, await block(), 1);

  it("are posted by the node itself where it knows no keeper, each once", async () => {
    const agent = await reporter();
    await agent.sample();
    await agent.cycle();
    expect(await reportState()).to.include({ sequence: 1, load: 5_000, latency: 8, watts: 75 });
    await agent.cycle();
    expect(sent).to.deep.equal(["report"]);
    await agent.sample();
    await market.pass(20);
    await agent.cycle();
    // A second report, and the energy of both periods.
    expect(sent).to.deep.equal(["report", "report", "energy"]);
    expect((await readEnergy(client.reader, await block(), "node", 1)).estimatedJoules).to.equal(1_800n);
    await agent.cycle();
    expect(sent).to.have.length(3);
  });

  it("tell the energy once, also after a kill between sending and hearing of it", async () => {
    const { queue } = client;
    let deaf = true;
    const send: ReporterContext["send"] = async (label, prepare) => {
      sent.push(label);
      if (label !== "energy") return queue.submit({ label, prepare });
      if (!deaf) await queue.submit({ label, prepare });
      else await prepare();
      throw new Error("killed");
    };
    const joules = async () => (await readEnergy(client.reader, await block(), "node", 1)).joules;
    sample = { ...sample, seconds: 20 };
    await market.pass(20);
    const unsent = await reporter({ send });
    await unsent.sample();
    await unsent.cycle();
    expect(await joules()).to.equal(0n);
    deaf = false;
    const unheard = await reporter({ send });
    await unheard.cycle();
    expect(await joules()).to.equal(900n);
    const again = await reporter();
    await again.cycle();
    expect(await joules()).to.equal(900n);
    expect(sent.filter((label) => label === "energy")).to.have.length(2);
  });

  it("go to keepers over the network, and the node waits for them to post", async () => {
    const keeperStore = await store("keeper");
    const keeperClient = await openClient(market, 7);
    closing.push(() => {
      keeperClient.provider.destroy();
    });
    const keeper = new ReportsKeeper({
      reader: keeperClient.reader,
      sender: queueSender(keeperClient.queue, quiet, () => undefined),
      logger: quiet,
      metrics: reportsMetrics(new Registry()),
      bounds: { reports: 100, gas: 10_000_000, waitMs: 0 },
    });
    await keeper.cycle();
    await keeperStore.handle(REPORT_PROTOCOL, (body) => ({ ...keeper.receive(body) }), { maxBytes: MESSAGE_BYTES });
    const agent = await reporter({ store: await store("agent"), keepers: [keeperStore.multiaddrs().join(",")] });
    await agent.sample();
    await agent.cycle();
    expect(sent).to.deep.equal([]);
    expect(await keeper.cycle()).to.equal(true);
    expect((await reportState()).sequence).to.equal(1);
    await agent.cycle();
    expect(sent).to.deep.equal([]);
  });

  it("are posted by the node if its keepers do not do it in time", async () => {
    let now = 1_000_000;
    const deaf = await store("deaf");
    await deaf.handle(REPORT_PROTOCOL, () => ({ accepted: true }));
    const parts = { store: await store("agent"), keepers: deaf.multiaddrs(), selfPostAfter: 15, now: () => now };
    const agent = await reporter(parts);
    await agent.sample();
    await agent.cycle();
    now += 14_000;
    await agent.cycle();
    expect(sent).to.deep.equal([]);
    now += 1_000;
    await agent.cycle();
    expect(sent).to.have.length(1);
    expect((await reportState()).sequence).to.equal(1);
  });

  it("that the network would refuse are given up without paying for them", async () => {
    const agent = await reporter();
    sample = { ...sample, joules: 401 * 12 };
    await agent.sample();
    await agent.cycle();
    expect((await reportState()).sequence).to.equal(0);
    sample = { ...sample, joules: 100, seconds: 10 };
    await agent.sample();
    await agent.cycle();
    expect((await reportState()).sequence).to.equal(2);
    // One report; and the energy, cut down to what the machine may draw.
    expect(await client.provider.getTransactionCount(client.signer.address)).to.equal(2);
  });
});
