import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { parseEther, Wallet } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { agentConfig } from "@verai/agent/config";
import { ensureRegistered } from "@verai/agent/registration";
import type { ChainError } from "@verai/client/errors";
import { openSession, type Session } from "@verai/client/session";
import { roundSnapshot } from "@verai/client/snapshot";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import type { TaskTerms } from "@verai/developer/config";
import { requestOf } from "@verai/developer/task-request";
import { submitTask } from "@verai/developer/submit";
import { specBytes } from "@verai/executor/spec";
import { testSpec } from "@verai/executor/testing";
import { AllocationKeeper } from "@verai/keepers/allocation/allocation-keeper";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { queueSender } from "@verai/keepers/sender";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { Bench, ROOT } from "@verai/devnet/programs";
import { failure } from "../support/queue-bench.ts";
import { openClient, openMarket } from "@verai/devnet/market";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

describe("bad input", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;
  let session: Session;
  let store: CheckpointStore;

  beforeEach(async () => {
    market = await openMarket();
    bench = await Bench.open(market);
    session = await openSession({
      network: bench.network,
      fees: { maxFeePerGas: "100", stuckAfter: 30 },
      journals: join(bench.folder, "journals"),
    });
    store = new CheckpointStore({ directory: join(bench.folder, "store") });
    await store.start();
  });

  afterEach(async () => {
    await store.stop();
    session.close();
    await bench.close();
    await market.close();
  });

  /** VER of an account, in its wallet and in the vault. */
  async function held(account: string): Promise<bigint> {
    const { token, vault } = session.contracts;
    return (await token.balanceOf(account)) + (await vault.claimable(account));
  }

  describe("of a contributor", () => {
    /** Registers with these changes; expects to be refused, and that nothing but gas was spent. */
    async function refused(changes: object, node: object = {}): Promise<ChainError> {
      const config = agentConfig.parse(bench.agent(changes, node));
      const { signer } = await session.queue(config.operator);
      const before = config.owner && (await held((await session.queue(config.owner)).signer.address));
      const error = await failure(ensureRegistered(session, config, signer, "", quiet));
      if (config.owner) expect(await held((await session.queue(config.owner)).signer.address)).to.be.at.least(before);
      expect(await session.contracts.nodes.nodeCount()).to.equal(0n);
      return error;
    }

    it("names the classes that there are where one is unknown", async () => {
      const error = await refused({}, { class: "tpu/moon" });
      expect(error.code).to.equal("UNKNOWN_CLASS");
      expect(error.message).to.include('"tpu/moon"').and.to.include("cpu/eu, cpu/us, gpu-24g/eu");
    });

    it("names the asks beside one that is not on a tick", async () => {
      const error = await refused({}, { ask: "0.0105" });
      expect(error.details["refusal"]).to.equal("AskNotOnTick");
      expect(error.message).to.include("0.0105 VER").and.to.include("use 0.010 or 0.011 VER");
    });

    it("refuses an ask that is no number before anything is asked of the chain", () => {
      const parsed = agentConfig.safeParse(bench.agent({}, { ask: "cheap" }));
      expect(parsed.success).to.equal(false);
      expect(parsed.error?.message).to.include('such as \\"0.012\\"');
      expect(agentConfig.safeParse(bench.agent({}, { capacity: 0 })).success).to.equal(false);
    });

    it("says how much VER is missing where the faucet cannot help", async () => {
      const error = await refused({}, { capacity: 1000 });
      expect(error.code).to.equal("INSUFFICIENT_VER");
      expect(error.message).to.include("100000.0 VER are needed").and.to.include("10000.0 VER a day");
    });

    it("says how much ETH is missing, and where to send it", async () => {
      const poor = Wallet.createRandom();
      const keyFile = await bench.write("poor.key", poor.privateKey);
      const error = await refused({ owner: { keyFile } });
      expect(error.code).to.equal("ETH_TOO_LOW");
      expect(error.message)
        .to.include(poor.address)
        .and.to.match(/has 0(\.0)? ETH/)
        .and.to.include("send it");
    });

    it("does not work for a node of somebody else's that names its operator key", async () => {
      const config = agentConfig.parse(bench.agent({}, {}));
      const { signer } = await session.queue(config.operator);
      await market.addNode({ classId: 0, capacity: 1, ask: 10n ** 15n }, signer);
      const error = await failure(ensureRegistered(session, config, signer, "", quiet));
      expect(error.code).to.equal("FOREIGN_NODE");
      expect(error.message).to.include("Use another operator key");
    });

    it("tells how to register where there is no owner's key", async () => {
      const error = await refused({ owner: undefined });
      expect(error.code).to.equal("NOT_REGISTERED");
      expect(error.message).to.include("Register it from the owner's wallet");
    });
  });

  describe("of a developer", () => {
    const spec = specBytes(testSpec({ trainer: "digits" }));
    const terms: TaskTerms = {
      units: 2,
      maxPrice: "0.01",
      classes: { "cpu/eu": "0" },
      checkpointInterval: 60,
      replicas: 0,
      within: 3600,
    };

    /** Submits with these changes; expects to be refused, and that nothing but gas was spent. */
    async function refused(changes: Partial<TaskTerms>, key: object = { testAccount: 16 }): Promise<ChainError> {
      const { signer } = await session.queue(key as never);
      const before = await held(signer.address);
      const submit = async () => {
        const request = requestOf({ ...terms, ...changes }, await session.reader.classes(await session.reader.block()));
        return submitTask(session, key as never, store, spec, request, quiet);
      };
      const error = await failure(submit());
      expect(await held(signer.address)).to.be.at.least(before);
      expect(await session.contracts.tasks.taskCount()).to.equal(0n);
      expect((await session.contracts.vault.totals()).escrow).to.equal(0n);
      return error;
    }

    it("names the classes that there are where one is unknown", async () => {
      const error = await refused({ classes: { "cpu/eu": "0", "abacus/rome": "0" } });
      expect(error.code).to.equal("UNKNOWN_CLASS");
      expect(error.message).to.include('"abacus/rome"').and.to.include("cpu/eu");
    });

    it("refuses zero units, no class and an interval out of bounds", async () => {
      expect((await refused({ units: 0 })).details["refusal"]).to.equal("NoUnits");
      expect((await refused({ classes: {} })).details["refusal"]).to.equal("NoClasses");
      const interval = await refused({ checkpointInterval: 1 });
      expect(interval.details["refusal"]).to.equal("IntervalOutOfBounds");
      expect(interval.message).to.include("2 s to 86400 s");
    });

    it("names the prices beside one that is not on the grid", async () => {
      const error = await refused({ maxPrice: "0.0100005" });
      expect(error.details["refusal"]).to.equal("PriceNotOnGrid");
      expect(error.message).to.include("0.0100005").and.to.include("0.010001");
      expect((await refused({ maxPrice: "0" })).details["refusal"]).to.equal("PriceIsZero");
    });

    it("refuses more units than a task can have, and a budget beyond what there is", async () => {
      const units = await refused({ units: 2 ** 24 + 1, maxPrice: "0.000001" });
      expect(units.details["refusal"]).to.equal("TooManyUnits");
      expect(units.message).to.include("split it into several tasks");
      const money = await refused({ units: 2 ** 20, maxPrice: "1000000" });
      expect(money.code).to.equal("INSUFFICIENT_VER");
      const price = await refused({ units: 1, maxPrice: "2000000" });
      expect(price.message).to.match(/needed|highest possible/);
    });

    it("tells how much ETH is missing", async () => {
      const keyFile = await bench.write("poor.key", Wallet.createRandom().privateKey);
      const error = await refused({}, { keyFile });
      expect(error.code).to.equal("ETH_TOO_LOW");
    });

    it("names what is wrong in spec and terms, without a connection", async () => {
      const config = await bench.write("developer.json", {
        network: { ...bench.network, rpcUrl: "http://127.0.0.1:1" },
        key: { testAccount: 16 },
        dataDir: join(bench.folder, "developer"),
      });
      const bad = await bench.write("bad.json", { version: 1, name: "x", trainer: "digits" });
      const zero = await bench.write("zero.json", { ...terms, units: 0, maxPrice: "a lot" });
      const noSpec = await bench.run("developer/main.ts", "train", "--config", config, "--spec", bad, "--terms", zero);
      expect(noSpec.code, noSpec.said).to.equal(1);
      expect(noSpec.said).to.include("resources").and.to.include("is missing");
      const good = await bench.write("spec.json", {
        version: 1,
        name: "x",
        trainer: "digits",
        resources: { cpus: 1, memoryMiB: 128 },
        checkpoint: { intervalSeconds: 3 },
        outputs: ["model.bin"],
        timeouts: { unitSeconds: 60 },
      });
      const noTerms = await bench.run(
        "developer/main.ts",
        "train",
        "--config",
        config,
        "--spec",
        good,
        "--terms",
        zero,
      );
      expect(noTerms.code, noTerms.said).to.equal(1);
      const rare = await bench.write("rare.json", { ...terms, checkpointInterval: 2 });
      const args = ["train", "--config", config, "--spec", good, "--terms", rare];
      const tooRare = await bench.run("developer/main.ts", ...args);
      expect(tooRare.code, tooRare.said).to.equal(1);
      expect(tooRare.said)
        .to.include("every 3 s")
        .and.to.include("every 2 s")
        .and.to.include("raise the task's interval");
      expect(noTerms.said).to.include("units").and.to.include('such as "0.012"').and.to.include(zero);
    });
  });

  describe("of an operator", () => {
    const check = (config: string) => bench.run("agent/main.ts", "check", "--config", config);

    it("names a key file that is missing, lies in the repository, or can be read by others", async () => {
      const missing = join(bench.folder, "nowhere.key");
      const none = await check(await bench.write("a.json", bench.agent({ operator: { keyFile: missing } })));
      expect(none.code).to.equal(1);
      expect(none.said).to.include(missing).and.to.include("create it, or name the right one");

      const inside = join(ROOT, ".data", `bad-input-${String(process.pid)}`);
      await mkdir(inside, { recursive: true });
      try {
        const keyFile = join(inside, "operator.key");
        await writeFile(keyFile, Wallet.createRandom().privateKey, { mode: 0o600 });
        const exposed = await check(await bench.write("b.json", bench.agent({ operator: { keyFile } })));
        expect(exposed.code).to.equal(1);
        expect(exposed.said).to.include(keyFile).and.to.include("move it elsewhere");
      } finally {
        await rm(inside, { recursive: true, force: true });
      }

      const key = Wallet.createRandom().privateKey;
      const open = await bench.write("open.key", key, 0o644);
      const shared = await check(await bench.write("c.json", bench.agent({ operator: { keyFile: open } })));
      expect(shared.code).to.equal(1);
      expect(shared.said).to.include(open).and.not.to.include(key.slice(2));
    });

    it("refuses the wrong network, and test accounts anywhere but on a local chain", async () => {
      const network = { ...bench.network, chainId: 84532 };
      const wrong = await check(await bench.write("a.json", bench.agent({ network })));
      expect(wrong.code).to.equal(1);
      expect(wrong.said).to.include("serves chain 31337, but chain 84532 is configured");
    });

    it("names the unknown key of a configuration", async () => {
      const typo = await check(await bench.write("a.json", bench.agent({ intervall: 3 })));
      expect(typo.code).to.equal(1);
      expect(typo.said).to.include("intervall").and.to.include("a.json");
    });

    it("exits with 75, for whatever restarts it, where the RPC endpoint is down", async () => {
      const down = { ...bench.network, rpcUrl: "http://127.0.0.1:1/secret" };
      const agent = await bench.write("agent.json", bench.agent({ network: down }));
      const keeper = await bench.write("keeper.json", { network: down, dataDir: bench.folder, service: { port: 0 } });
      const runs = await Promise.all([
        bench.run("agent/main.ts", "run", "--config", agent),
        bench.run("keepers/main.ts", "run", "--config", keeper),
        bench.run("packages/devnet/vrf-fulfiller.ts", "--rpc", down.rpcUrl, "--deployment", down.deployment),
      ]);
      for (const { code, said } of runs) {
        expect(code, said).to.equal(75);
        expect(said).to.include("http://127.0.0.1:1 gave no answer").and.to.include("Check that the node runs");
        expect(said).not.to.include("secret");
      }
    });
  });

  describe("of others in a round", () => {
    async function keeper(account: number) {
      const client = await openClient(market, account);
      const metrics = allocationMetrics(new Registry());
      const sender = queueSender(client.queue, quiet, () => {
        metrics.lost.inc();
      });
      const parts = { reader: client.reader, sender, metrics, solvers: [lpSolver] as const, logger: quiet };
      return { ...client, keeper: new AllocationKeeper({ ...parts, minRoundAge: 0 }) };
    }

    it("a silent oracle: the round is aborted in time, the tasks keep their places, and no money moves", async () => {
      const { keeper: bot, reader, provider, contracts } = await keeper(5);
      await market.addNode({ classId: 0, capacity: 3, ask: MILLI });
      for (const units of [3, 1, 2]) await market.addTask({ units, maxPrice: 5n * MILLI, classIds: [0] });
      const queue = await reader.queue(await reader.block());
      const { escrow } = await contracts.vault.totals();
      expect(await bot.cycle(), "open").to.equal(true);
      expect(await bot.cycle(), "nothing to do without the seed").to.equal(false);
      await market.pass(61);
      expect(await bot.cycle(), "abort").to.equal(true);
      expect((await reader.round(await reader.block())).status).to.equal("aborted");
      expect(await reader.queue(await reader.block())).to.deep.equal(queue);
      expect((await contracts.vault.totals()).escrow).to.equal(escrow);
      expect((await reader.tasks(await reader.block())).map(({ openUnits }) => openUnits)).to.deep.equal([3, 1, 2]);

      // With an oracle that answers, the first in the queue is the first served.
      await market.pass(5);
      expect(await bot.cycle(), "open again").to.equal(true);
      await market.fulfil(9n);
      expect(await bot.cycle(), "settle").to.equal(true);
      expect(
        (await reader.leases(await reader.block())).map(({ taskId, count }) => [taskId, count]).sort(),
      ).to.have.length.above(0);
      provider.destroy();
    });

    it("a keeper that posts garbage: refused in words, nothing sent, and the honest one settles", async () => {
      const honest = await keeper(5);
      const crook = await keeper(7);
      await market.addNode({ classId: 0, capacity: 2, ask: MILLI });
      await market.addNode({ classId: 0, capacity: 2, ask: 2n * MILLI });
      await market.addTask({ units: 3, maxPrice: 5n * MILLI, classIds: [0] });
      await honest.keeper.cycle();
      await market.fulfil(11n);
      const snapshot = await roundSnapshot(honest.reader);
      if (!snapshot) throw new Error("the round has its seed");
      const plan = planRound(snapshot, lpSolver);
      if (plan.kind !== "plan") throw new Error(plan.why);
      const cheaper = plan.post.slice();
      // The clearing price of the only class, eight bytes at the front.
      new DataView(cheaper.buffer).setBigUint64(0, 1024n * 1000n);
      const fewer = plan.post.slice();
      fewer.set([0, 0, 2], 8);
      const posts = {
        nothing: new Uint8Array(),
        noise: new Uint8Array(64).fill(0xab),
        "a part": plan.post.slice(0, -1),
        "more than all": new Uint8Array([...plan.post, 0]),
        "another price": cheaper,
        "fewer units than could be served": fewer,
      };
      const nonce = await crook.provider.getTransactionCount(crook.signer.address);
      for (const [what, post] of Object.entries(posts)) {
        const error = await failure(
          crook.queue.submit({
            label: "settle",
            prepare: () => crook.contracts.rounds.settle.populateTransaction(snapshot.roundId, post),
          }),
        );
        expect(error.name, `${what}: ${error.message}`).to.equal("ContractRefusalError");
        expect(error.message, what).not.to.match(/unknown|0x[0-9a-f]{8}\b/i);
        expect(error.message.length, what).to.be.above(30);
      }
      expect(await crook.provider.getTransactionCount(crook.signer.address)).to.equal(nonce);
      expect(await honest.reader.leaseCount(await honest.reader.block())).to.equal(0);
      expect(await honest.keeper.cycle(), "settle").to.equal(true);
      const leases = await honest.reader.leases(await honest.reader.block());
      expect(leases.reduce((sum, { count }) => sum + count, 0)).to.equal(3);
      honest.provider.destroy();
      crook.provider.destroy();
    });
  });

  it("asks the faucet for what a wallet lacks, once, and a second time says when it will give again", async () => {
    const config = agentConfig.parse(bench.agent({}, { capacity: 90 }));
    const { signer } = await session.queue(config.operator);
    expect(await ensureRegistered(session, config, signer, "", quiet)).to.equal(1);
    const second = agentConfig.parse(bench.agent({ operator: { testAccount: 7 } }, { capacity: 90 }));
    const other = await session.queue(second.operator);
    const error = await failure(ensureRegistered(session, second, other.signer, "", quiet));
    expect(error.details["refusal"]).to.equal("AlreadyServed");
    expect(await session.contracts.vault.stakeOf(1)).to.equal(parseEther("9000"));
  });

  it("opens one queue for a key, also for two who ask at once", async () => {
    const key = { testAccount: 8 };
    const [one, two] = await Promise.all([session.queue(key), session.queue(key)]);
    expect(one.queue).to.equal(two.queue);
  });
});
