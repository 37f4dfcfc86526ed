import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { AbiCoder, keccak256 } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { openClient, openMarket } from "@verai/devnet/market";
import { AuditIndex } from "@verai/keepers/audits/audit-index";
import { AuditsKeeper } from "@verai/keepers/audits/audits-keeper";
import { auditsMetrics } from "@verai/keepers/audits/audits-metrics";
import { Mirror } from "@verai/keepers/mirror";
import { queueSender } from "@verai/keepers/sender";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { leaseUnits } from "../support/leases.ts";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });
const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const seedOf = (value: bigint) => keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [value]));
/** Chance of the segments of a node that is new. */
const NEW = 1_000;
const VERIFYING = 1n;
const OPENING = 2n;
const REFUSED = 10n;
const UNVERIFIED = 12n;

type Client = Awaited<ReturnType<typeof openClient>>;

describe("the keeper of audits", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Client;
  let operators: Client[];
  let folder: string;
  let leaseId: number;
  let keeper: AuditsKeeper;
  let index: AuditIndex;
  let mirror: Mirror;

  /** A keeper's process that begins on the same disk, and has forgotten all else. */
  function restart(): void {
    index?.close();
    mirror?.close();
    index = new AuditIndex(client.reader, join(folder, "audits.db"));
    mirror = new Mirror(client.reader, join(folder, "mirror.db"));
    keeper = new AuditsKeeper({
      ...{ reader: client.reader, index, mirror, logger: quiet, metrics: auditsMetrics(new Registry()) },
      sender: queueSender(client.queue, quiet, () => undefined),
    });
  }

  /** A cycle of a process that was killed before it. */
  async function cycle(): Promise<boolean> {
    restart();
    return keeper.cycle();
  }

  async function post(sequence: number, progress = 2_000 * sequence): Promise<void> {
    const [producer] = operators;
    if (!producer) throw new Error("there is no producer");
    const { fence } = await market.contracts.leases.lease(leaseId);
    const claim = { leaseId, fence, digest: word(70 + sequence), codec: 0x70, progress, size: 2n ** 60n + 1n };
    // Past the queue, which would send again what a reorganisation undoes.
    const checkpoints = producer.contracts.checkpoints.connect(producer.signer);
    await (await checkpoints.postTraced(claim, word(900 + sequence), [])).wait();
  }

  /** Answers the newest epoch with a seed that draws the segment, or does not. */
  async function answer(sequence: number, draws = true): Promise<void> {
    const { auditEpochs, coordinator, seeds } = market.contracts;
    const { requestId } = await auditEpochs.epoch(await auditEpochs.epochCount());
    let value = 1n;
    while (isDrawn(auditSalt(seedOf(value), leaseId, sequence), NEW) !== draws) value += 1n;
    await coordinator.fulfillRandomWordsWithOverride(requestId, seeds, [value]);
  }

  const statusOf = async (sequence: number) => (await market.contracts.audits.auditOf(leaseId, sequence)).status;
  const sent = async () => client.provider.getTransactionCount(client.signer);

  beforeEach(async () => {
    market = await openMarket();
    client = await openClient(market, 5);
    folder = await mkdtemp(join(tmpdir(), "drmp-audits-keeper-"));
    operators = [];
    for (let n = 0; n < 4; n++) {
      const operator = await openClient(market, 6 + n);
      operators.push(operator);
      await market.addNode({ classId: 0, capacity: 2, ask: BigInt(n + 1) * MILLI }, operator.signer, 10 + n);
      const { auditEpochs } = operator.contracts;
      await operator.queue.submit({
        label: "enlist",
        prepare: () => auditEpochs.enlist.populateTransaction(n + 1, true),
      });
    }
    await leaseUnits(market, client, 2, 100);
    leaseId = Number(await market.contracts.leases.leaseCount());
    restart();
  });

  afterEach(async () => {
    index.close();
    mirror.close();
    for (const operator of operators) operator.provider.destroy();
    client.provider.destroy();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("asks for a seed only while something waits for one, and moves an audit on at every time-out, whichever process does", async () => {
    const { auditEpochs } = market.contracts;
    expect(await cycle(), "nothing was posted").to.equal(false);
    await post(1);
    expect(await cycle(), "it may share its seed with others").to.equal(false);
    await market.pass(25);
    expect(await cycle(), "open an epoch").to.equal(true);
    expect(await auditEpochs.epochCount()).to.equal(1n);
    expect(await cycle(), "the oracle has not answered").to.equal(false);
    await answer(1);
    expect(await cycle(), "open the audit").to.equal(true);
    expect(await statusOf(1)).to.equal(VERIFYING);
    expect(await cycle(), "the verifier has its time").to.equal(false);
    let tries = 0;
    while ((await statusOf(1)) !== UNVERIFIED) {
      tries += 1;
      await market.pass(181);
      expect(await cycle(), "move it on").to.equal(true);
      expect(tries).to.be.below(5);
    }
    expect(tries).to.be.above(1);
    const before = await sent();
    await market.pass(1_000);
    expect(await cycle()).to.equal(false);
    expect(await sent()).to.equal(before);
    expect(index.audits()).to.deep.equal([]);
  });

  it("opens only what the seed drew, by its links up to the head of the lease", async () => {
    await post(1);
    await post(2);
    await post(3);
    await market.pass(25);
    expect(await cycle()).to.equal(true);
    await post(4);
    // Of three segments one is drawn at least, and perhaps the others.
    await answer(2);
    expect(await cycle()).to.equal(true);
    expect(await statusOf(2)).to.equal(VERIFYING);
    expect(await statusOf(4)).to.equal(0n);
    await market.pass(25);
    expect(await cycle(), "an epoch for the fourth").to.equal(true);
    await answer(4, false);
    const before = await sent();
    expect(await cycle()).to.equal(false);
    expect(await sent()).to.equal(before);
  });

  it("gives an epoch up whose oracle is silent, and its segments to the next", async () => {
    const { auditEpochs } = market.contracts;
    await post(1);
    await market.pass(25);
    expect(await cycle()).to.equal(true);
    await market.pass(50);
    expect(await cycle(), "its time is not over").to.equal(false);
    await market.pass(15);
    expect(await cycle(), "another epoch").to.equal(true);
    expect((await auditEpochs.epoch(1)).abandoned).to.equal(true);
    await answer(1);
    expect(await cycle()).to.equal(true);
    expect(await statusOf(1)).to.equal(VERIFYING);
    expect((await market.contracts.audits.auditOf(leaseId, 1)).epochId).to.equal(2n);
  });

  it("ends the lease of a producer that opens nothing, and lets no delivery be paid before", async () => {
    const { audits, leases } = market.contracts;
    const [producer] = operators;
    await post(1, 20_000);
    await market.pass(25);
    await cycle();
    await answer(1);
    await cycle();
    const { fence } = await leases.lease(leaseId);
    await producer?.queue.submit({
      label: "deliver",
      prepare: () => producer.contracts.leases.deliver.populateTransaction(leaseId, fence, word(5), 0x70, 10),
    });
    const { due } = await leases.lease(leaseId);
    expect(await cycle(), "hold the payment").to.equal(true);
    expect((await leases.lease(leaseId)).due).to.be.above(due);
    const { verifierId } = await audits.auditOf(leaseId, 1);
    const verifier = operators[Number(verifierId) - 1];
    await verifier?.queue.submit({
      label: "commit",
      prepare: () => verifier.contracts.audits.commit.populateTransaction(leaseId, 1, word(1)),
    });
    expect(await statusOf(1)).to.equal(OPENING);
    await market.pass(61);
    expect(await cycle(), "close").to.equal(true);
    expect(await statusOf(1)).to.equal(REFUSED);
    expect((await client.reader.leasesById(await client.reader.block(), [leaseId]))[0]?.status).to.equal("rejected");
    expect(await cycle()).to.equal(false);
    expect(index.audits()).to.deep.equal([]);
  });

  it("forgets what a reorganisation has undone, and proves what took its place", async () => {
    const { provider } = market.connection;
    await post(1);
    await cycle();
    const before = (await provider.request({ method: "evm_snapshot" })) as string;
    await post(2, 5_000);
    await cycle();
    expect(index.since(0).map(({ progress }) => progress)).to.deep.equal([2_000, 3_000]);
    await provider.request({ method: "evm_revert", params: [before] });
    for (let n = 0; n < 3; n++) await market.pass(1);
    await cycle();
    expect(index.since(0).map(({ progress }) => progress)).to.deep.equal([2_000]);
    await post(2, 7_000);
    await market.pass(25);
    await cycle();
    expect(index.since(0).map(({ progress }) => progress)).to.deep.equal([2_000, 5_000]);
    await answer(2);
    expect(await cycle()).to.equal(true);
    expect(await statusOf(2)).to.equal(VERIFYING);
  });

  it("proves segments of a lease that had posted long before it began", async () => {
    for (let sequence = 1; sequence <= 4; sequence++) {
      await post(sequence);
      await market.pass(5);
    }
    const late = new AuditIndex(client.reader, undefined, 2);
    await late.look();
    expect(late.since(0).map(({ sequence }) => sequence)).to.deep.equal([4]);
    const proof = await late.proofOf({ leaseId, sequence: 3 });
    if (!proof?.before) throw new Error("there is no proof");
    const { before, end, head, later } = proof;
    expect(await market.contracts.checkpoints.isPosted(leaseId, head, before, end, [...later])).to.equal(true);
    expect(late.since(0).map(({ sequence }) => sequence)).to.deep.equal([1, 2, 3, 4]);
    late.close();
  });
});
