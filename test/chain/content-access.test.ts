import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { Wallet } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { ACCESS_PROTOCOL } from "@verai/checkpoint-store/access/access";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { type ContentAccess, type Readers, subjectsOf } from "@verai/client/content-access";
import { openAccess } from "@verai/client/open-access";
import { Reader } from "@verai/client/readers";
import { openClient, openMarket } from "@verai/devnet/market";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { FailoverKeeper } from "@verai/keepers/failover/failover-keeper";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { taskHolders } from "@verai/protocol/checkpoints/task-holders";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });
/** What bounds a fetch that is to be refused, and one that is not, however busy the machine is. Milliseconds. */
const REFUSED = { timeout: 4_000, stallTimeout: 1_000 };
const GRANTED = { timeout: 120_000, stallTimeout: 60_000 };
const SECRET = Buffer.from("weights that are nobody else's business");

/** Who may read what, decided by a real chain, and real stores that ask each other over real connections. */
describe("whose eyes", function () {
  this.timeout(180_000);
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let folder: string;
  const operators = [1, 2, 3, 4].map(() => new Wallet(Wallet.createRandom().privateKey));
  const stranger = new Wallet(Wallet.createRandom().privateKey);
  const stores: CheckpointStore[] = [];
  let readers: Readers | undefined;

  const access = (signer: Wallet | undefined): Promise<ContentAccess> =>
    openAccess(
      { reader: new Reader(client.contracts), contracts: client.contracts, provider: client.provider },
      signer,
      () => Promise.resolve(readers),
    );

  async function storeOf(signer: Wallet | undefined): Promise<CheckpointStore> {
    const store = new CheckpointStore({
      directory: join(folder, `store-${String(stores.length)}`),
      access: await access(signer),
    });
    stores.push(store);
    await store.start();
    return store;
  }

  /** Whether a key gets some content of a store, as it should. */
  const canGet = (signer: Wallet | undefined, from: CheckpointStore, cid: string, lease?: number) =>
    gets(signer, from, cid, lease, GRANTED);

  /** Whether a key gets some content of a store, as it should not. */
  async function gets(
    signer: Wallet | undefined,
    from: CheckpointStore,
    cid: string,
    lease?: number,
    bounds = REFUSED,
  ): Promise<boolean> {
    const store = await storeOf(signer);
    store.setPeers(from.multiaddrs());
    const got = await store.fetch(cid, { ...bounds, hint: lease ?? null }).then(
      () => true,
      () => false,
    );
    // Not a byte, where it is refused.
    expect(store.usedBytes > 0).to.equal(got);
    return got;
  }

  const sender = () => queueSender(client.queue, quiet, () => undefined);

  async function leased(): Promise<void> {
    const { reader } = client;
    const metrics = allocationMetrics(new Registry());
    const keeper = new AllocationKeeper({
      reader,
      sender: sender(),
      metrics,
      solvers: [lpSolver],
      logger: quiet,
      minRoundAge: 0,
    });
    await market.pass(10);
    expect(await keeper.cycle(), "open").to.equal(true);
    await market.fulfil(3n);
    expect(await keeper.cycle(), "settle").to.equal(true);
  }

  const operatorOf = (nodeId: number): Wallet => operators[nodeId - 1] ?? stranger;

  before(async () => {
    market = await openMarket();
    client = await openClient(market);
    folder = await mkdtemp(join(tmpdir(), "whose-eyes-"));
    for (const [i, operator] of operators.entries()) {
      await market.addNode({ classId: 0, capacity: 2, ask: BigInt(i + 1) * MILLI }, operator, 10 + i);
    }
    await market.addTask({ units: 2, maxPrice: 20n * MILLI, classIds: [0], interval: 60, replicas: 1 });
    await leased();
  });

  after(async () => {
    for (const store of stores) await store.stop();
    client.provider.destroy();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("serves a lease's work to its node, its holders and its developer, and to nobody else", async () => {
    const block = await client.reader.block();
    const [lease] = await client.reader.leases(block);
    const producer = operatorOf(lease?.nodeId ?? 0);
    const holders = (await client.reader.holders(block, 1)).map(({ nodeId }) => nodeId);
    const holder = await storeOf(operatorOf(holders[0] ?? 0));
    const { cid } = await holder.addFile(SECRET, { pin: "attested-1" });
    const root = cid.toString();
    expect(await canGet(producer, holder, root), "its node").to.equal(true);
    expect(await canGet(operatorOf(holders[1] ?? holders[0] ?? 0), holder, root), "a holder").to.equal(true);
    expect(await gets(stranger, holder, root), "a stranger").to.equal(false);
    expect(await gets(stranger, holder, root, 1), "a stranger who names the lease").to.equal(false);
    expect(await gets(undefined, holder, root), "one without a key").to.equal(false);
    readers = { readers: [stranger.address.toUpperCase().replace("0X", "0x")] };
    expect(await canGet(stranger, holder, root), "a key that the developer names").to.equal(true);
    readers = { public: true };
    expect(await canGet(undefined, holder, root), "a public task").to.equal(true);
    readers = undefined;
    const task = await client.reader.task(block, 1);
    const mayRead = await (await access(undefined)).mayRead(task?.owner.toLowerCase(), { kind: "work", leaseId: 1 });
    expect(mayRead, "its developer").to.equal(true);
  });

  it("gives a curious holder nothing of tasks that it does not hold", async () => {
    // Another task, whose lease nobody has: its holders are none.
    const holder = await storeOf(operators[0]);
    const { cid } = await holder.addFile(Buffer.from("of another task"), { pin: "attested-99" });
    for (const operator of operators) expect(await gets(operator, holder, cid.toString(), 1)).to.equal(false);
    // What is here for no known reason is for nobody.
    const own = await holder.addFile(Buffer.from("its own"), { pin: "diary" });
    for (const operator of operators) expect(await gets(operator, holder, own.cid.toString(), 1)).to.equal(false);
  });

  it("takes a proof from the peer, for the content and in the time that it was made for, and from nobody else", async () => {
    const [holder, owner, thief] = [await storeOf(undefined), await storeOf(operators[0]), await storeOf(stranger)];
    const block = await client.reader.block();
    const [lease] = await client.reader.leases(block);
    const producer = operatorOf(lease?.nodeId ?? 0);
    const { cid } = await holder.addFile(SECRET, { pin: "attested-1" });
    const other = await holder.addFile(Buffer.from("other content of it"), { pin: "attested-1" });
    const root = cid.toString();
    const make = async (peer: string, content = root) => (await access(producer)).prove({ root: content, peer });
    const ask = async (from: CheckpointStore, proof: Awaited<ReturnType<typeof make>>, content = root) =>
      from.request(holder.multiaddrs().slice(0, 1), ACCESS_PROTOCOL, { root: content, proof }).then(
        () => "granted",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    expect(await ask(owner, await make(owner.peerId))).to.equal("granted");
    // Read off a line, or handed on by a node that was asked: another peer, and other content.
    expect(await ask(thief, await make(owner.peerId))).to.match(/no reason/);
    expect(await ask(owner, await make(owner.peerId), other.cid.toString())).to.match(/no reason/);
    // A time that was changed changes what was signed; and an old one is over.
    const proof = await make(owner.peerId);
    const fields = proof ?? {};
    expect(await ask(owner, { ...fields, until: Number(fields.until) + 60 })).to.match(/no reason/);
    const past = Number(fields.until) - 900;
    expect(await ask(owner, { ...fields, until: past })).to.match(/is over/);
    expect(await ask(owner, { ...fields, until: past + 100_000 })).to.match(/counts too long/);
    expect(await ask(owner, { ...fields, signature: "0x" + "00".repeat(65) })).to.match(/no signature/);
    expect(await ask(owner, { until: 1 })).to.match(/malformed/);
  });

  it("lets those read the spec who have a lease of the task, and those who hold it for others", async () => {
    const anyone = await access(undefined);
    const address = (wallet: Wallet) => wallet.address.toLowerCase();
    const drawn = taskHolders(1, 4).map((id) => operatorOf(id));
    for (const wallet of drawn)
      expect(await anyone.mayRead(address(wallet), { kind: "spec", taskId: 1 })).to.equal(true);
    expect(await anyone.mayRead(address(stranger), { kind: "spec", taskId: 1 })).to.equal(false);
    expect(await anyone.mayRead(address(stranger), { kind: "input", taskId: 1 }, { lease: 1 })).to.equal(false);
    expect(await anyone.mayRead(address(drawn[0] ?? stranger), { kind: "spec", taskId: 2 })).to.equal(false);
    // Logs are for the developer.
    for (const wallet of operators)
      expect(await anyone.mayRead(address(wallet), { kind: "log", leaseId: 1 })).to.equal(false);
    expect(subjectsOf(["spec-0", "result-01", "diary", "checkpoint-1x", "spec-7"])).to.deep.equal([
      { kind: "spec", taskId: 7 },
    ]);
  });

  it("serves a failed lease's work to its successor, and no longer to the node that was slashed", async () => {
    const { reader } = client;
    const failover = new FailoverKeeper({
      reader,
      confirmation: undefined,
      sender: sender(),
      logger: quiet,
      metrics: failoverMetrics(new Registry()),
    });
    const [lease] = await reader.leases(await reader.block());
    const former = operatorOf(lease?.nodeId ?? 0);
    await market.pass(200);
    await failover.cycle();
    await market.pass(60);
    for (let round = 0; round < 3 && (await reader.leases(await reader.block()))[0]?.status === "active"; round++) {
      await failover.cycle();
    }
    expect((await reader.leases(await reader.block()))[0]?.status).to.equal("expired");
    const { coordinator, seeds } = market.contracts;
    await coordinator.fulfillRandomWordsWithOverride((await reader.batch(await reader.block())).requestId, seeds, [5n]);
    await failover.cycle();
    const [, successor] = await reader.leases(await reader.block());
    expect(successor?.parent).to.equal(1);
    const next = operatorOf(successor?.nodeId ?? 0);
    expect(next.address).to.not.equal(former.address);

    const holder = await storeOf(undefined);
    const left = (await holder.addFile(SECRET, { pin: "attested-1" })).cid.toString();
    const newer = (
      await holder.addFile(Buffer.from("what the successor made"), { pin: `attested-${String(successor?.id)}` })
    ).cid;
    expect(await canGet(next, holder, left, successor?.id), "the successor").to.equal(true);
    const anyone = await access(undefined);
    const holders = (await reader.holders(await reader.block(), successor?.id ?? 0, 4)).map(({ nodeId }) => nodeId);
    expect(await gets(former, holder, left, 1), "the former node").to.equal(false);
    expect(await gets(former, holder, left, successor?.id), "the former node in its successor's name").to.equal(false);
    const drawnAgain = holders.includes(lease?.nodeId ?? 0);
    const look = drawnAgain ? canGet : gets;
    expect(await look(former, holder, newer.toString(), 1), "what came after it").to.equal(drawnAgain);
    expect(
      await anyone.mayRead(
        former.address.toLowerCase(),
        { kind: "exchange", leaseId: successor?.id ?? 0 },
        { lease: 1 },
      ),
    ).to.equal(drawnAgain);
  });
});
