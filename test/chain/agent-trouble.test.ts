import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { CheckpointStore } from "../../checkpoints/store.ts";
import { AllocationKeeper } from "../../keepers/allocation/keeper.ts";
import { allocationMetrics } from "../../keepers/allocation/metrics.ts";
import { laneSender } from "../../keepers/sender.ts";
import { lpSolver } from "../../protocol/allocation/lpSolver.ts";
import { toChainCid } from "../../protocol/checkpoints/cid.ts";
import { specBytes } from "../../workload/spec.ts";
import { Bench, type Program, until } from "../support/cli.ts";
import { Cable } from "../../scripts/demo/cable.ts";
import { openClient, openMarket } from "../support/market.ts";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

/** A training of so many epochs, with a checkpoint every few milliseconds of work. */
const training = (epochs: number) =>
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

describe("an agent in trouble", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;
  let client: Awaited<ReturnType<typeof openClient>>;
  let keeper: AllocationKeeper;
  let store: CheckpointStore;

  beforeEach(async () => {
    market = await openMarket();
    // Checkpoints are due by chain time, which goes on with the blocks.
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [1000] });
    bench = await Bench.open(market);
    client = await openClient(market, 5);
    const { reader } = client;
    const metrics = allocationMetrics(new Registry());
    const sender = laneSender(client.lane, quiet, () => {
      metrics.lost.inc();
    });
    keeper = new AllocationKeeper({ reader, sender, metrics, solvers: [lpSolver], logger: quiet, batchSeconds: 0 });
    store = new CheckpointStore({ directory: join(bench.folder, "developer") });
    await store.start();
  });

  afterEach(async () => {
    await bench.close();
    await store.stop();
    client.provider.destroy();
    await market.close();
  });

  const lease = async (id = 1) => {
    const { reader } = client;
    const [found] = await reader.leases(await reader.pin(), id);
    return found;
  };
  const node = async () => client.reader.node(await client.reader.pin(), 1);
  const checkpoint = async () => (await client.reader.checkpoints(await client.reader.pin(), [1])).get(1);

  /** Starts an agent and waits until it is in the market. */
  async function listed(changes: object = {}): Promise<Program> {
    const file = await bench.write("agent.json", bench.agent(changes));
    const agent = bench.start(["agent/main.ts", "run", "--config", file]);
    await until(
      "the node is listed",
      async () => (await node())?.listing && (await node())?.endpoint !== "",
      agent.said,
    );
    return agent;
  }

  /** Submits a task of one unit with these bytes as its spec, and has it leased. Without bytes nobody has the spec. */
  async function leased(bytes?: Uint8Array): Promise<void> {
    const cid = bytes && (await store.addFile(bytes, { pin: "spec" })).cid;
    store.setPeers(((await node())?.endpoint ?? "").split(","));
    const spec = cid && toChainCid(cid);
    await market.addTask({ units: 1, maxPrice: 5n * MILLI, classIds: [0], interval: 2, ...(spec && { spec }) });
    await market.pass(5);
    expect(await keeper.cycle(), "open").to.equal(true);
    await market.fulfil(3n);
    expect(await keeper.cycle(), "settle").to.equal(true);
    expect((await lease())?.status).to.equal("active");
  }

  const unitLog = async (dataDir: string) =>
    readFile(join(dataDir, "leases", "1-1", "unit-0", "unit.log"), "utf8").catch(() => "");
  const written = async (dataDir: string) => (await unitLog(dataDir)).split(" written").length - 1;

  for (const { what, bytes, says } of [
    { what: "cannot be fetched", bytes: undefined, says: "cannot be fetched" },
    { what: "does not validate", bytes: new TextEncoder().encode('{"version":1}'), says: "is missing" },
    {
      what: "wants what this node cannot run",
      bytes: specBytes({
        ...(JSON.parse(new TextDecoder().decode(training(1))) as never as object),
        ...unknownTrainer(),
      } as never),
      says: "has no trainer",
    },
  ]) {
    it(`gives a lease back whose spec ${what}, says why, and is not penalised`, async () => {
      const agent = await listed({ specTimeout: 2 });
      const before = await node();
      await leased(bytes);
      const given = await until(
        "the lease is given back",
        async () => {
          const found = await lease();
          return found?.status === "released" && found;
        },
        agent.said,
      );
      expect(agent.said()).to.include("giving the lease back").and.to.include(says);
      const after = await node();
      expect([after?.status, after?.stake, after?.cooldownUntil]).to.deep.equal([
        "active",
        before?.stake,
        before?.cooldownUntil,
      ]);
      const task = await client.reader.task(await client.reader.pin(), given.taskId);
      expect([task?.status, task?.openUnits]).to.deep.equal(["open", 1]);
    });
  }

  it("keeps its work running while the RPC endpoint is down, and takes no lease for gone", async () => {
    const cable = new Cable(market.url);
    await cable.plug();
    try {
      const dataDir = join(bench.folder, "agent");
      const agent = await listed({ network: { ...bench.network, rpcUrl: cable.url } });
      await leased(training(3000));
      await until("a checkpoint is posted", checkpoint, agent.said);
      await cable.cut();
      await until("the agent has noticed", () => agent.said().includes("cycle failed"), agent.said);
      expect(agent.said()).to.include(`${cable.url} gave no answer`);
      const [posted, then] = [await checkpoint(), await written(dataDir)];
      await until("the work goes on meanwhile", async () => (await written(dataDir)) > then + 5, agent.said);
      expect(await checkpoint()).to.deep.equal(posted);
      await cable.plug();
      await until(
        "checkpoints are posted again",
        async () => ((await checkpoint())?.sequence ?? 0) > (posted?.sequence ?? 0),
        agent.said,
      );
      const now = await lease();
      expect([now?.status, now?.fence]).to.deep.equal(["active", 1]);
      expect((await unitLog(dataDir)).split("--- unit").length - 1, "starts of the unit").to.equal(1);
      expect(agent.said()).not.to.match(/not ours any more|giving the lease back/);
    } finally {
      await cable.cut();
    }
  });

  describe("on a disk of 8 MiB", () => {
    let disk: string;

    before(function () {
      try {
        const probe = "/tmp/drmp-mount-probe";
        execFileSync("mkdir", ["-p", probe]);
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "ignore" });
        execFileSync("umount", [probe]);
      } catch {
        process.stdout.write("    (skipped: a small file system can be mounted by root alone)\n");
        this.skip();
      }
    });

    beforeEach(async () => {
      disk = join(bench.folder, "disk");
      await mkdir(disk);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    });

    afterEach(() => {
      if (existsSync(disk)) execFileSync("umount", ["-l", disk]);
    });

    /** Writes until nothing more fits. */
    function fill(): string {
      const path = join(disk, "ballast");
      const { stderr } = spawnSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4k"], { encoding: "utf8" });
      expect(stderr).to.include("No space left");
      return path;
    }

    it("names the directory where there is no room to start, and leaves nothing behind", async () => {
      fill();
      const file = await bench.write("agent.json", bench.agent({ dataDir: join(disk, "agent") }));
      const { code, said } = await bench.run("agent/main.ts", "run", "--config", file);
      expect(code, said).to.equal(1);
      expect(said)
        .to.include(join(disk, "agent"))
        .and.to.match(/no space|full/i);
      expect(await client.contracts.nodes.nodeCount()).to.equal(0n);
    });

    it("waits while it is full, loses nothing, and goes on when there is room", async () => {
      const dataDir = join(disk, "agent");
      const agent = await listed({ dataDir });
      const { stake } = (await node()) ?? {};
      await leased(training(500));
      await until("a checkpoint is posted", checkpoint, agent.said);
      const ballast = fill();
      await until("the agent says so", () => agent.said().includes(`The disk of ${dataDir} is full`), agent.said);
      await until("the unit cannot go on", () => agent.said().includes("lease waits for room"), agent.said);
      await rm(ballast);
      await until("the result is delivered", async () => (await lease())?.status === "delivered", agent.said);
      expect(agent.said()).to.include("there is room again").and.not.to.include("giving the lease back");
      const log = await unitLog(dataDir);
      expect(log).to.match(/going on after step [1-9]/);
      const after = await node();
      expect(after?.stake).to.equal(stake);
      await until("the node is in the market again", async () => (await node())?.status === "active", agent.said);
      // What is on disk is whole.
      for (const name of await readdir(join(dataDir, "journals"))) {
        expect(JSON.parse(await readFile(join(dataDir, "journals", name), "utf8"))).to.have.property("entries");
      }
      const { result } = (await lease()) ?? {};
      expect(result?.size).to.be.above(0);
    });
  });
});

function unknownTrainer() {
  return { trainer: "oracle-of-delphi", env: {} };
}
