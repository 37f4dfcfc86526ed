import { expect } from "chai";
import { parseEther, toBeHex, Wallet } from "ethers";

import { signConsent } from "@verai/client/consent";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { checkDeployment, connect, type Contracts, type Deployment } from "@verai/client/deployment";
import { ChainError, ContractRefusalError } from "@verai/client/errors";
import { explain } from "@verai/client/error-messages";
import { LeaseIndex } from "@verai/client/lease-index";
import { signPermit } from "@verai/client/permit";
import { Reader } from "@verai/client/readers";
import { roundSnapshot, supplySnapshot } from "@verai/client/snapshot";
import { pathSolver } from "@verai/protocol/allocation/path-solver";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { microToWei } from "@verai/protocol/money/ver";
import { deployLocal } from "@verai/devnet/deploy";

const TICK = parseEther("0.001");
const DIGEST = `0x${"5d".repeat(32)}`;
const DAG_PB = 0x70;
/** An owner that is its own operator, which signs nothing. */
const itself = (owner: string) => ({ operator: owner, deadline: 0n, signature: "0x" });

/** The stake of a node of the local parameters, with room. */
const STAKE = parseEther("3000");

async function setUp() {
  const { connection, accounts, contracts: deployed } = await deployLocal();
  const { ethers } = connection;
  const addresses: Deployment["addresses"] = {
    VerToken: await deployed.token.getAddress(),
    Vault: await deployed.vault.getAddress(),
    PoolOutlet: await deployed.outlet.getAddress(),
    Parameters: await deployed.parameters.getAddress(),
    NodeRegistry: await deployed.nodes.getAddress(),
    Supply: await deployed.supply.getAddress(),
    TaskRegistry: await deployed.tasks.getAddress(),
    LeaseRegistry: await deployed.leases.getAddress(),
    CheckpointRegistry: await deployed.checkpoints.getAddress(),
    VrfSeeds: await deployed.seeds.getAddress(),
    RoundManager: await deployed.rounds.getAddress(),
    Lens: await deployed.lens.getAddress(),
    Telemetry: await deployed.telemetry.getAddress(),
    EnergyLedger: await deployed.ledger.getAddress(),
    Balancer: await deployed.balancer.getAddress(),
    Reassignment: await deployed.reassignment.getAddress(),
    ReleaseFees: await deployed.releaseFees.getAddress(),
  };
  const deployment: Deployment = { chainId: LOCAL_CHAIN_ID, file: "test", addresses };
  const contracts = connect(deployment, ethers.provider);
  const [owner, developer] = accounts.others;
  if (!owner || !developer) throw new Error("too few accounts");
  const treasury = deployed.token.connect(accounts.governance);
  for (const account of [owner, developer]) {
    await treasury.transfer(account.address, parseEther("1000000"));
    await deployed.token.connect(account).approve(addresses.Vault ?? "", parseEther("1000000"));
  }
  const network = connection.provider;

  /** Registers a node whose operator key is its number. */
  const register = async (n: number, classId: number, ticks: bigint, capacity = 4) => {
    const key = new Wallet(toBeHex(n, 32));
    const profile = {
      energySource: 2,
      powerThreshold: 300,
      powerMax: 1000,
      endpoint: `/ip4/127.0.0.1/tcp/${String(9000 + n)}`,
    };
    const consent = await signConsent(deployed, key, owner.address);
    const terms = { classId, capacity, ask: ticks * TICK };
    await deployed.nodes.connect(owner).register({ ...consent }, terms, profile, BigInt(capacity) * parseEther("150"));
    return key.address;
  };

  const submission = async (units: number, classIds: number[], surcharges: bigint[] = []) => ({
    specDigest: DIGEST,
    specCodec: 0x55,
    units,
    maxPrice: 100n * TICK,
    checkpointInterval: 60,
    maxUnitTime: 86_400,
    auditChance: 0,
    deadline: (await connection.networkHelpers.time.latest()) + 100_000,
    classIds,
    surcharges,
    replicas: 0,
  });

  const openRound = async () => {
    await connection.networkHelpers.time.increase(5);
    await deployed.rounds.connect(owner).open();
    const { requestId } = await deployed.rounds.current();
    return async () => deployed.coordinator.connect(owner).fulfillRandomWords(requestId, addresses.VrfSeeds ?? "");
  };

  return {
    connection,
    network,
    accounts,
    deployed,
    deployment,
    contracts,
    owner,
    developer,
    register,
    submission,
    openRound,
  };
}

describe("reading the chain", () => {
  let made: Awaited<ReturnType<typeof setUp>>;
  let contracts: Contracts;
  let reader: Reader;

  beforeEach(async () => {
    made = await setUp();
    ({ contracts } = made);
    // Small pages, so that everything takes several.
    reader = new Reader(contracts, { nodes: 3, tasks: 2, leases: 2, queue: 2, checkpoints: 2 });
  });

  afterEach(() => made.connection.close());

  it("finds the deployment's code, and its absence", async () => {
    const { provider } = made.connection.ethers;
    await checkDeployment(made.deployment, provider);
    await made.network.request({ method: "hardhat_setCode", params: [made.deployment.addresses.Vault, "0x"] });
    const gone = await checkDeployment(made.deployment, provider).catch((error: unknown) => error);
    expect(gone).to.have.property("code", "DEPLOYMENT_GONE");
    const empty = await contracts.vault.totals().catch(explain);
    expect(empty).to.have.property("code", "NO_CONTRACT");
  });

  it("reads all nodes page by page, at the block it is pinned to", async () => {
    for (let n = 1; n <= 7; n++) await made.register(n, n % 2, BigInt(10 + n));
    const block = await reader.block();
    await made.register(8, 0, 5n);
    const nodes = await reader.nodes(block);
    expect(nodes.map(({ id }) => id)).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
    expect(nodes[2]).to.deep.include({
      id: 3,
      status: "active",
      classId: 1,
      askTick: 13,
      capacity: 4,
      leased: 0,
      owner: made.owner.address,
      energySource: "solar",
      powerThreshold: 300,
      powerMax: 1000,
      eligible: true,
      stake: parseEther("600"),
      endpoint: "/ip4/127.0.0.1/tcp/9003",
    });
    expect(nodes[2]?.listing).to.deep.equal({ classId: 1, tick: 13, units: 4, position: 0 });
    expect(await reader.node(block, 8)).to.equal(undefined);
    expect((await reader.node(await reader.block(), 8))?.askTick).to.equal(5);
    expect(await reader.nodeOfOperator(block, new Wallet(toBeHex(3, 32)).address)).to.equal(3);
    expect(await reader.nodeOfOperator(block, made.developer.address)).to.equal(undefined);
  });

  it("is not stopped by a node whose endpoint is no text", async () => {
    const { nodes } = made.deployed;
    const profile = { energySource: 0, powerThreshold: 0, powerMax: 0, endpoint: "????" };
    const terms = { classId: 0, capacity: 1, ask: TICK };
    const call = await nodes.register.populateTransaction(itself(made.owner.address), terms, profile, STAKE);
    // "????" becomes bytes that are no UTF-8.
    const data = call.data.replace("3f3f3f3f", "fffefdfc");
    expect(data).not.to.equal(call.data);
    await made.owner.sendTransaction({ to: call.to, data });
    await made.register(1, 0, 3n);
    const read = await reader.nodes(await reader.block());
    expect(read.map(({ endpoint }) => endpoint)).to.deep.equal(["", "/ip4/127.0.0.1/tcp/9001"]);
  });

  it("reads tasks, queue, classes and parameters", async () => {
    await made.register(1, 0, 10n);
    const tasks = made.deployed.tasks.connect(made.developer);
    for (let i = 1; i <= 5; i++) await tasks.submit(await made.submission(i, [0, 1], i === 3 ? [0n, 2n * TICK] : []));
    await tasks.cancel(2);
    const block = await reader.block();
    const read = await reader.tasks(block);
    expect(read.map(({ id, units, status }) => [id, units, status])).to.deep.equal([
      [1, 1, "open"],
      [2, 2, "ended"],
      [3, 3, "open"],
      [4, 4, "open"],
      [5, 5, "open"],
    ]);
    expect(read[2]?.classes).to.deep.equal([
      { classId: 0, surcharge: 0n },
      { classId: 1, surcharge: 2n * TICK },
    ]);
    expect(read[2]?.spec).to.deep.equal({ codec: 0x55, digest: DIGEST });
    expect((await reader.tasks(block, 4)).map(({ id }) => id)).to.deep.equal([4, 5]);
    expect(await reader.task(block, 6)).to.equal(undefined);
    const queue = await reader.queue(block);
    expect(queue.filter((id) => id !== 2)).to.deep.equal([1, 3, 4, 5]);
    expect(await reader.queue(block, 1)).to.deep.equal([1]);
    expect((await reader.classes(block))[0]).to.deep.equal({ id: 0, name: "cpu/eu", tickSize: 1000 });
    const parameters = await reader.parameters(block);
    expect(parameters.feeBps).to.equal(200);
    expect(parameters.disputeWindow).to.equal(180);
    expect((await reader.round(block)).id).to.equal(0);
  });

  it("takes a snapshot of a seeded round that a plan is made from and settles it", async () => {
    await made.register(1, 0, 10n);
    await made.register(2, 0, 10n);
    await made.register(3, 1, 9n, 2);
    await made.register(4, 2, 10n);
    await made.deployed.tasks.connect(made.developer).submit(await made.submission(3, [0]));
    await made.deployed.tasks.connect(made.developer).submit(await made.submission(4, [0, 1], [0n, TICK]));
    const answerSeed = await made.openRound();
    expect(await roundSnapshot(reader)).to.equal(undefined);
    await answerSeed();
    const snapshot = await roundSnapshot(reader);
    expect(snapshot?.roundId).to.equal(1);
    expect(snapshot?.tasks).to.deep.equal([
      { id: 1, units: 3, maxPrice: 100_000, classes: [{ classId: 0, surcharge: 0 }] },
      {
        id: 2,
        units: 4,
        maxPrice: 100_000,
        classes: [
          { classId: 0, surcharge: 0 },
          { classId: 1, surcharge: 1000 },
        ],
      },
    ]);
    expect(snapshot?.classes).to.deep.equal([
      {
        id: 0,
        name: "cpu/eu",
        tickSize: 1000,
        nodes: [
          { id: 1, tick: 10, units: 4, position: 0 },
          { id: 2, tick: 10, units: 4, position: 1 },
        ],
      },
      { id: 1, name: "cpu/us", tickSize: 1000, nodes: [{ id: 3, tick: 9, units: 2, position: 0 }] },
    ]);
    if (!snapshot) return;
    const plan = planRound(snapshot, pathSolver);
    if (plan.kind !== "plan") throw new Error(plan.why);
    await made.deployed.rounds.connect(made.owner).settle(1, plan.post);
    expect(await roundSnapshot(reader)).to.equal(undefined);
    const round = await reader.round(await reader.block());
    expect(round).to.deep.include({ status: "settled", unitsOpen: 0, classIds: [0, 1] });
    const supply = await supplySnapshot(reader, await reader.block());
    expect(supply[2]?.nodes).to.deep.equal([{ id: 4, tick: 1, units: 4, position: 0 }]);
  });

  it("follows leases: new ones, those that change, and a reorganisation", async () => {
    const { deployed, owner, developer, network } = made;
    await deployed.nodes
      .connect(owner)
      .register(
        itself(owner.address),
        { classId: 0, capacity: 9, ask: TICK },
        { energySource: 1, powerThreshold: 0, powerMax: 0, endpoint: "" },
        STAKE,
      );
    const index = new LeaseIndex(reader);
    expect((await index.refresh()).read).to.deep.equal([]);
    const settle = async (units: number) => {
      await deployed.tasks.connect(developer).submit(await made.submission(units, [0]));
      await (
        await made.openRound()
      )();
      const snapshot = await roundSnapshot(reader);
      const plan = snapshot && planRound(snapshot, pathSolver);
      if (!snapshot || plan?.kind !== "plan") throw new Error("no plan");
      await deployed.rounds.connect(owner).settle(snapshot.roundId, plan.post);
    };
    await settle(2);
    await settle(3);
    expect((await index.refresh()).read.map(({ id }) => id)).to.deep.equal([1, 2]);
    expect(index.get(2)).to.deep.include({ taskId: 2, nodeId: 1, start: 0, count: 3, price: 1000, status: "active" });

    // Absurd sizes are only claims, which must not stop anybody from reading.
    const huge = 2n ** 64n - 1n;
    const claim = { leaseId: 1, fence: index.get(1)?.fence ?? 0, digest: DIGEST, codec: DAG_PB };
    await deployed.checkpoints.connect(owner).post({ ...claim, progress: 5000, size: 10 }, []);
    await deployed.checkpoints.connect(owner).post({ ...claim, progress: 9000, size: huge }, []);
    const block = await reader.block();
    const checkpoints = await reader.checkpoints(block, [2, 1]);
    expect([...checkpoints.keys()]).to.deep.equal([1]);
    expect(checkpoints.get(1)).to.deep.equal({
      codec: DAG_PB,
      digest: DIGEST,
      progress: 9000,
      size: Number.MAX_SAFE_INTEGER,
      at: block.timestamp,
      sequence: 2,
      startedAt: checkpoints.get(1)?.startedAt,
    });
    expect(checkpoints.get(1)?.startedAt).to.be.lessThanOrEqual(block.timestamp).and.to.be.greaterThan(0);
    expect((await reader.newestCheckpoints(block, 1)).map(({ sequence }) => sequence)).to.deep.equal([2, 1]);
    expect(await reader.newestCheckpoints(block, 2)).to.deep.equal([]);

    await deployed.leases.connect(owner).deliver(1, claim.fence, DIGEST, DAG_PB, huge);
    await index.refresh();
    expect(index.get(1)?.result?.digest).to.equal(DIGEST);
    expect(index.live().map(({ id, status }) => [id, status])).to.deep.equal([
      [1, "delivered"],
      [2, "active"],
    ]);
    const before = (await network.request({ method: "evm_snapshot" })) as string;
    await deployed.leases.connect(developer).accept([1]);
    await index.refresh();
    expect(index.live().map(({ id }) => id)).to.deep.equal([2]);
    expect((await index.refresh()).read.map(({ id }) => id)).to.deep.equal([2]);

    // Undone and grown beyond: what was final no longer is.
    await network.request({ method: "evm_revert", params: [before] });
    await made.connection.networkHelpers.mine(3);
    const changes = await index.refresh();
    expect(changes.reorganised).to.equal(true);
    expect(index.get(1)?.status).to.equal("delivered");
  });

  it("signs a permit with which a task is submitted without an approval", async () => {
    const [, , poor] = made.accounts.others;
    if (!poor) throw new Error("too few accounts");
    await made.deployed.token.connect(made.accounts.governance).transfer(poor.address, parseEther("50"));
    const submission = await made.submission(10, [0]);
    const tasks = made.deployed.tasks.connect(poor);
    // The work and its fee, and the price of eight seeds that rounds may cost it.
    const { seedPrice } = await reader.parameters(await reader.block());
    const escrow = (10n * submission.maxPrice * 10_200n) / 10_000n + microToWei(8 * seedPrice);
    const refused = explain(await tasks.submit.staticCall(submission).catch((error: unknown) => error));
    expect(refused).to.be.instanceOf(ContractRefusalError);
    expect(refused.message).to.match(/is allowed to take 0 VER, but 1\.046 VER are needed; approve/);
    const deposit = await reader.depositFor(await reader.block(), {
      ...{ units: 10, maxPrice: submission.maxPrice, auditChance: 0 },
    });
    expect(deposit).to.deep.equal({ escrow, fee: parseEther("0.01") });
    const permit = await signPermit(contracts, poor, deposit.escrow + deposit.fee);
    await tasks.submitWithPermit(submission, permit);
    expect((await reader.task(await reader.block(), 1))?.escrow).to.equal(escrow);
    expect(await contracts.token.allowance(poor.address, contracts.vault)).to.equal(0n);
  });

  it("tells a contract's refusal in a sentence, through a real node", async () => {
    const { nodes } = made.deployed;
    const profile = { energySource: 0, powerThreshold: 0, powerMax: 0, endpoint: "" };
    const ask = parseEther("0.0105");
    const error = await nodes
      .connect(made.owner)
      .register.staticCall(itself(made.owner.address), { classId: 0, capacity: 1, ask }, profile, STAKE)
      .catch((reason: unknown) => explain(reason));
    expect(error).to.be.instanceOf(ChainError);
    expect((error as ChainError).message).to.equal(
      "The ask 0.0105 VER is not a multiple of the class's tick 0.001 VER; use 0.010 or 0.011 VER.",
    );
  });

  it("sends what is asked for together as one request, at one block", async () => {
    const provider = made.connection.ethers.provider;
    const asked: { to?: unknown; blockTag?: unknown }[] = [];
    const counting = new Proxy(provider, {
      get(target, name, self: object) {
        if (name === "provider") return self;
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "call") return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async (tx: { to?: unknown; blockTag?: unknown }) => {
          asked.push(tx);
          return target.call(tx as never);
        };
      },
    });
    const batched = new Reader(connect(made.deployment, counting));
    await made.register(1, 0, 10n);
    const block = await batched.block();
    await made.connection.networkHelpers.mine(2);
    const [node, classes, missing, refused] = await Promise.all([
      batched.node(block, 1),
      batched.classes(block),
      batched.node(block, 9),
      batched.health(block, 77).catch((error: unknown) => error),
    ]);
    expect(asked.map(({ to, blockTag }) => [to, blockTag])).to.deep.equal([
      [made.deployment.addresses.Lens, block.number],
    ]);
    expect(node?.id).to.equal(1);
    expect(classes).to.have.length.greaterThan(0);
    expect(missing).to.equal(undefined);
    expect(refused).to.be.instanceOf(ContractRefusalError);
    expect((refused as ContractRefusalError).message).to.match(/lease 77/i);
  });
});
