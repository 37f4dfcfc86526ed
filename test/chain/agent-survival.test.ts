import { readdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { CheckpointStore } from "@verai/checkpoint-store/store";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { FailoverKeeper } from "@verai/keepers/failover/failover-keeper";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { type LogLine, parseLog } from "@verai/devnet/logs";
import { referenceWeights } from "@verai/devnet/reference-run";
import { specBytes } from "@verai/executor/spec";
import { Bench, type Program, until } from "@verai/devnet/programs";
import type { ParameterChanges } from "@verai/devnet/chain";
import { openAccess } from "@verai/client/open-access";
import { openClient, openMarket } from "@verai/devnet/market";

const MILLI = 10n ** 15n;
const INTERVAL = 2;
/** The grace of a lease where nothing may fail because this machine is slow, seconds. */
const GRACE = 1200;
/** More than an interval and its grace. */
const LEAP = GRACE + 100;
/** The nodes report in time, however far the chain's clock leaps. */
const PATIENT: ParameterChanges = {
  LeaseGrace: { value: GRACE },
  ReportTimeout: { value: 65_535, max: 65_535 },
};
const quiet = pino({ level: "silent" });

/** A training of so many epochs of some 32 steps, each of which takes 60 ms. */
const training = (epochs: number) =>
  specBytes({
    version: 1,
    name: "survival",
    trainer: "digits",
    args: [
      ...["--epochs", String(epochs), "--train", "1000", "--test", "100", "--checkpoint-steps", "10", "--pace", "60"],
    ],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [8] }) },
    resources: { cpus: 1, memoryMiB: 256 },
    checkpoint: { intervalSeconds: INTERVAL, everySteps: 10 },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 300, graceSeconds: 5 },
  });

/** A pin as it is on disk. */
interface PinFile {
  readonly cid: string;
  readonly labels: readonly string[];
  readonly blocks: readonly string[];
}

describe("work that outlives its node", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;
  let client: Awaited<ReturnType<typeof openClient>>;
  let allocation: AllocationKeeper;
  let failover: FailoverKeeper;
  /** The developer's. */
  let store: CheckpointStore;

  async function open(changes: ParameterChanges = {}): Promise<void> {
    market = await openMarket(changes);
    await market.connection.provider.request({ method: "evm_setIntervalMining", params: [1000] });
    bench = await Bench.open(market);
    client = await openClient(market, 5);
    const { reader, queue } = client;
    const sender = queueSender(queue, quiet, () => undefined);
    const common = { reader, sender, logger: quiet };
    const metrics = allocationMetrics(new Registry());
    allocation = new AllocationKeeper({ ...common, metrics, solvers: [lpSolver], minRoundAge: 0 });
    failover = new FailoverKeeper({ ...common, confirmation: undefined, metrics: failoverMetrics(new Registry()) });
    // The task's owner: nobody else gets its result.
    const access = await openAccess({ ...client, provider: client.provider }, market.accounts.governance);
    store = new CheckpointStore({ directory: join(bench.folder, "developer"), access });
    await store.start();
  }

  afterEach(async () => {
    await bench.close();
    await store.stop();
    client.provider.destroy();
    await market.close();
  });

  const lease = async (id: number) => (await client.reader.leases(await client.reader.block(), id))[0];
  const node = async (id: number) => client.reader.node(await client.reader.block(), id);
  const newest = async (id: number) => client.reader.newestCheckpoints(await client.reader.block(), id);
  const dataOf = (name: string) => join(bench.folder, name);
  const folderOf = (name: string, leaseAndFence: string) => join(dataOf(name), "leases", leaseAndFence);

  /** Starts an agent of one unit and waits until it is in the market. */
  async function listed(name: string, id: number, ask: string, network: object = {}): Promise<Program> {
    const config = bench.agent(
      {
        network: { ...bench.network, ...network },
        operator: { testAccount: 5 + id },
        owner: { testAccount: 9 + id },
        dataDir: dataOf(name),
        store: { listen: ["/ip4/127.0.0.1/tcp/0"], replicas: 1 },
      },
      { capacity: 1, ask },
    );
    const agent = bench.start(["agent/main.ts", "run", "--config", await bench.write(`${name}.json`, config)]);
    const isListed = async () => {
      const found = await node(id);
      return found?.listing !== undefined && found.endpoint !== "";
    };
    await until(`${name} is listed`, isListed, agent.said);
    return agent;
  }

  /** Has the cheapest node train a task of one unit until so many of its checkpoints are on chain. */
  async function trained(spec: Uint8Array, checkpoints: number, agent: Program): Promise<void> {
    const { cid } = await store.addFile(spec, { pin: "spec-1" });
    const nodes = await client.reader.nodes(await client.reader.block());
    store.setPeers(nodes.flatMap(({ endpoint }) => endpoint.split(",")));
    const wish = { units: 1, maxPrice: 5n * MILLI, classIds: [0], interval: INTERVAL, replicas: 1 };
    await market.addTask({ ...wish, spec: toChainCid(cid) });
    await market.pass(5);
    expect(await allocation.cycle(), "open").to.equal(true);
    await market.fulfil(3n);
    expect(await allocation.cycle(), "settle").to.equal(true);
    expect((await lease(1))?.nodeId).to.equal(1);
    const isThere = async () => ((await newest(1))[0]?.sequence ?? 0) >= checkpoints;
    await until(`${String(checkpoints)} checkpoints are posted`, isThere, agent.said);
  }

  /** Expires the first lease, and has its range drawn for. */
  async function failedOver(): Promise<void> {
    expect(await failover.cycle(), "expire and open").to.equal(true);
    expect((await lease(1))?.status).to.equal("expired");
    const { coordinator, seeds } = market.contracts;
    const { requestId } = await client.reader.batch(await client.reader.block());
    await coordinator.fulfillRandomWordsWithOverride(requestId, seeds, [5n]);
    expect(await failover.cycle(), "draw").to.equal(true);
    const successor = await lease(2);
    expect([successor?.nodeId, successor?.parent, successor?.fence]).to.deep.equal([2, 1, 2]);
  }

  /** SHA-256 of the weights that the second lease is delivered with. */
  async function delivered(agent: Program): Promise<string> {
    const found = await until("the result is delivered", async () => (await lease(2))?.result, agent.said);
    const target = join(bench.folder, "result");
    await store.fetchTo(fromChainCid(found), target, { maxBytes: found.size, timeout: 120_000 });
    const metrics = await readFile(join(target, "unit-0", "metrics.json"), "utf8");
    return (JSON.parse(metrics) as { weightsSha256: string }).weightsSha256;
  }

  const lineOf = (agent: Program, msg: string, more: object = {}): LogLine | undefined =>
    parseLog(agent.said()).find(
      (line) => line.msg.startsWith(msg) && Object.entries(more).every(([key, value]) => line[key] === value),
    );

  /** Pins of a lease's checkpoints on an agent's disk. */
  async function pinsOf(name: string, leaseId: number): Promise<PinFile[]> {
    const folder = join(dataOf(name), "store", "pins");
    const files = (await readdir(folder)).filter((file) => file.endsWith(".json"));
    const pins = await Promise.all(
      files.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8").catch(() => "{}")) as PinFile),
    );
    const label = new RegExp(`^(checkpoint|attested|replica)-${String(leaseId)}$`);
    return pins.filter(({ labels = [] }) => labels.some((each) => label.test(each)));
  }

  /** Overwrites on an agent's disk all that one checkpoint has and the other has not. @returns blocks overwritten. */
  async function damage(name: string, cid: string, other: string): Promise<number> {
    const pins = await pinsOf(name, 1);
    const spared = new Set(pins.find((pin) => pin.cid === other)?.blocks);
    const hit = (pins.find((pin) => pin.cid === cid)?.blocks ?? []).filter((block) => !spared.has(block));
    for (const block of hit) {
      await writeFile(join(dataOf(name), "store", "blocks", block.slice(0, 2), block), "damaged");
    }
    return hit.length;
  }

  it("goes on from the checkpoint before, to the same bits, where the newest one is damaged on every disk", async function () {
    this.timeout(1_200_000);
    await open(PATIENT);
    const spec = training(10);
    const ann = await listed("ann", 1, "0.001");
    const ben = await listed("ben", 2, "0.002");
    await trained(spec, 3, ann);
    ann.child.kill("SIGKILL");
    await ann.exit;
    // What she had sent is mined.
    await market.pass(1);
    const [last, before] = (await newest(1)).map((checkpoint) => fromChainCid(checkpoint).toString());
    if (last === undefined || before === undefined) throw new Error("there are two checkpoints");

    // A node that signs for copies keeps the newest two of them, and one that may yet be posted.
    const heldBy = async (name: string) => (await pinsOf(name, 1)).map(({ cid }) => cid);
    await until(
      "ben holds the newest two",
      async () => {
        const held = await heldBy("ben");
        return held.includes(last) && held.includes(before) && held.length <= 3;
      },
      ben.said,
    );
    expect(await damage("ann", last, before)).to.be.above(0);
    expect(await damage("ben", last, before)).to.be.above(0);

    await market.pass(LEAP);
    await failedOver();
    await until("the work goes on", () => lineOf(ben, "restored from checkpoint", { lease: 2 }), ben.said);
    expect(lineOf(ben, "checkpoint cannot be restored, trying the one before")?.["cid"]).to.equal(last);
    expect(lineOf(ben, "restored from checkpoint", { lease: 2 })?.["cid"]).to.equal(before);
    const weights = await delivered(ben);
    expect(weights).to.equal((await referenceWeights(spec, 1, [0]))[0]);
  });

  it("is given up by a node that learns too late that it was expired: fenced, it kills its own workload", async function () {
    this.timeout(1_200_000);
    await open(PATIENT);
    const rpcProxy = new RpcProxy(market.url);
    await rpcProxy.plug();
    try {
      const spec = training(14);
      const ann = await listed("ann", 1, "0.001", { rpcUrl: rpcProxy.url });
      const ben = await listed("ben", 2, "0.002");
      await trained(spec, 2, ann);
      const pid = await processOf("ann");
      await rpcProxy.cut();
      const stake = (await node(1))?.stake ?? 0n;
      await market.pass(LEAP);
      await failedOver();
      const [last] = await newest(1);
      expect(isAlive(pid), "the zombie knows of nothing and works on").to.equal(true);
      await rpcProxy.plug();
      await until("the zombie stops", () => lineOf(ann, "stopping work that is no longer ours"), ann.said);
      expect(lineOf(ann, "stopping work that is no longer ours")?.["why"]).to.equal("the lease is expired");
      await until("its workload is gone", () => !isAlive(pid), ann.said);
      await until("its work is deleted", () => !existsSync(folderOf("ann", "1-1")), ann.said);
      expect((await newest(1))[0], "nothing more was posted for it").to.deep.equal(last);
      const failed = await node(1);
      expect(failed?.stake ?? 0n).to.be.below(stake);
      expect(failed?.cooldownUntil).to.be.above((await client.reader.block()).timestamp);
      expect(await delivered(ben)).to.equal((await referenceWeights(spec, 1, [0]))[0]);
      expect((await lease(1))?.result).to.equal(undefined);
    } finally {
      await rpcProxy.cut();
    }
  });

  it("is stopped by a node that is cut off once the lease must be overdue, before anybody expires it", async function () {
    this.timeout(1_200_000);
    await open();
    const rpcProxy = new RpcProxy(market.url);
    await rpcProxy.plug();
    try {
      const ann = await listed("ann", 1, "0.001", { rpcUrl: rpcProxy.url });
      const ben = await listed("ben", 2, "0.002");
      await trained(training(200), 2, ann);
      const pid = await processOf("ann");
      await rpcProxy.cut();
      await until(
        "she stops it herself",
        () => lineOf(ann, "stopping work: the chain cannot be reached", { lease: 1 }),
        ann.said,
      );
      await until("her workload is gone", () => !isAlive(pid), ann.said);
      const cutOff = await lease(1);
      expect(cutOff?.status).to.equal("active");
      const overdue = async () => (await client.reader.block()).timestamp > (cutOff?.due ?? Infinity);
      await until("the chain's clock has also passed it", overdue, ann.said);
      await failedOver();
      await until("the work goes on", () => lineOf(ben, "restored from checkpoint", { lease: 2 }), ben.said);
      await rpcProxy.plug();
      await until("she deletes the work", () => !existsSync(folderOf("ann", "1-1")), ann.said);
      expect(ann.said()).not.to.include("giving the lease back");
      // The only one who could have signed for it was cut off.
      const isThere = async () => ((await newest(2))[0]?.progress ?? 0) > ((await newest(1))[0]?.progress ?? 0);
      await until("the successor gets further than she had", isThere, ben.said);
    } finally {
      await rpcProxy.cut();
    }
  });

  /** Id of the process that runs the first lease's unit. */
  async function processOf(name: string): Promise<number> {
    const record = await readFile(join(folderOf(name, "1-1"), "unit-0", "process.json"), "utf8");
    return (JSON.parse(record) as { pid: number }).pid;
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
