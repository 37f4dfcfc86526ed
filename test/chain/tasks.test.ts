import { stat } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSigner } from "@verai/client/keys";
import { HARDHAT } from "@verai/devnet/chain";
import { DRMP } from "@verai/devnet/doors";
import { Bench } from "@verai/devnet/programs";
import { openClient, openMarket } from "@verai/devnet/market";
import { settlement } from "@verai/devnet/settlement";

const MICRO = 10n ** 12n;
const OWNER = 10;
/** Test accounts, whose consent the command signs itself. */
const FIRST = "0xdD2FD4581271e230360230F9337D5c0430Bf44C0";
const SECOND = "0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199";

/** One line of `network:check`. */
interface Finding {
  readonly level: string;
  readonly what: string;
  readonly says: string;
}

interface Outcome {
  readonly code: number | NodeJS.Signals;
  readonly said: string;
  /** What was printed as JSON. */
  readonly json: Record<string, unknown>;
}

describe("Hardhat tasks", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;

  before(async () => {
    market = await openMarket();
    bench = await Bench.open(market);
    process.env["DRMP_LOCALHOST_URL"] = market.url;
    await market.addNode({ classId: 0, capacity: 4, ask: 5_000n * MICRO });
  });

  after(async () => {
    delete process.env["DRMP_LOCALHOST_URL"];
    await bench.close();
    await market.close();
  });

  async function run(id: string, ...options: string[]): Promise<Outcome> {
    const where = ["--network", "localhost", "--deployment", bench.network.deployment, "--json"];
    const { code, said } = await bench.command(id, ...where, ...options);
    const line = said.split("\n").filter((one) => one.startsWith("{"));
    return { code, said, json: JSON.parse(line.at(-1) ?? "{}") as Record<string, unknown> };
  }

  const register = (changes: Readonly<Record<string, string>>, ...flags: string[]) => {
    const offer = { account: String(OWNER), class: "cpu/eu", capacity: "2", ask: "0.004", ...changes };
    return run("node:register", ...Object.entries(offer).flatMap(([name, value]) => [`--${name}`, value]), ...flags);
  };

  it("a dry run shows what a transaction would cost and sends nothing", async () => {
    const before = await market.contracts.nodes.nodeCount();
    // The account has no VER yet: the faucet's transaction is the first one.
    const { code, said, json } = await register({ operator: FIRST }, "--dry-run");
    expect(code, said).to.equal(0);
    expect(json).to.deep.equal({ dryRun: true });
    // The registration itself was simulated as it will be once the VER has arrived.
    expect(said).to.match(/simulated: "register a node of 2 units.*goes through once the VER has arrived/);
    expect(said)
      .to.match(/costs +at most [\d.]+ ETH/)
      .and.to.match(/nothing was sent/);
    expect(await market.contracts.nodes.nodeCount()).to.equal(before);
  });

  it("what the registration would be refused for is told before the faucet is asked", async () => {
    const { token } = market.contracts;
    const before = await token.balanceOf(await ownerAddress());
    for (const flags of [["--dry-run"], ["--yes"]]) {
      const { code, said, json } = await register({ operator: FIRST, ask: "0.0045" }, ...flags);
      expect(code, said).to.equal(1);
      expect(json["error"]).to.include({ code: "ASK_NOT_ON_TICK" });
      expect(said).to.match(/0\.0045.*use 0\.004 or 0\.005 VER/);
    }
    expect(await token.balanceOf(await ownerAddress()), "the faucet was not asked").to.equal(before);
  });

  it("nothing is sent without a yes", async () => {
    const { code, said, json } = await register({ operator: FIRST });
    expect(code).to.equal(1);
    expect(said).to.match(/Add --yes to send without asking/);
    expect(json).to.have.property("error");
  });

  it("a node is registered by permit in one transaction, and shown with why it is idle", async () => {
    const { code, said, json } = await register({ operator: FIRST }, "--yes");
    expect(code, said).to.equal(0);
    expect(json["stake"]).to.equal((200n * 10n ** 18n).toString());
    expect(json["transactions"]).to.have.lengthOf(2);
    const shown = await run("node:status", "--node", String(json["node"]));
    expect(shown.code, shown.said).to.equal(0);
    expect(shown.json).to.include({ status: "active", class: "cpu/eu", capacity: 2, idle: "no task is waiting" });
  });

  it("bad input is refused with the value and the remedy, before anything is sent", async () => {
    const operator = SECOND;
    const offTick = await register({ operator, ask: "0.0000005" }, "--yes");
    expect(offTick.code).to.equal(1);
    expect(offTick.said).to.match(/0\.0000005/);
    for (const [change, sentence] of [
      [{ class: "cpu/mars" }, /no class "cpu\/mars"; use one of: cpu\/eu/],
      [{ "energy-source": "coal" }, /no source of electricity called "coal"; use one of/],
      [{ operator: "me" }, /--operator has to be an address.*it is "me"/],
      [{ operator: `0x${"77".repeat(20)}` }, /no consent of an operator; make one.*node:consent --owner/],
      [{ consent: "12:0x12" }, /0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199 was good until|has not agreed to work/],
      [{ ask: "cheap" }, /"cheap" is not an amount of VER/],
    ] as const) {
      const { code, said } = await register({ operator, ...change }, "--yes");
      expect(code, said).to.equal(1);
      expect(said).to.match(sentence);
    }
    const unknown = await run("node:drain", "--node", "99", "--account", String(OWNER), "--yes");
    expect(unknown.said).to.match(/There is no node 99/);
    const foreign = await run("node:exit", "--node", "1", "--account", String(OWNER), "--yes");
    expect(foreign.code).to.equal(1);
    expect(foreign.json["error"]).to.include({ code: "NOT_OWNER" });
  }).timeout(1_200_000);

  it("a quote is the optimum at listed prices, cheapest first", async () => {
    const { code, said, json } = await run("task:quote", "--units", "5", "--max-price", "0.01", "--classes", "cpu/eu");
    expect(code, said).to.equal(0);
    // Two units at 0.004 and three at 0.005 VER.
    expect(json).to.include({ leasedUnits: 5, openUnits: 0, cost: (23_000n * MICRO).toString() });
    expect(json["nodes"]).to.have.lengthOf(2);
    const dear = await run("task:quote", "--units", "5", "--max-price", "0.0045", "--classes", "cpu/eu=0.001");
    expect(dear.json).to.include({ leasedUnits: 0, openUnits: 5, cost: "0" });
  });

  it("a task that waits says why; what is cancelled comes back", async () => {
    await market.addTask({ units: 3, maxPrice: 1_000n * MICRO, classIds: [0] });
    const { json, said } = await run("task:status", "--task", "1");
    expect(json["waiting"], said).to.match(
      /maximum price is too low: the cheapest node that is free \(cpu\/eu\) needs 0\.003 VER more/,
    );
    expect(json["cause"]).to.include({ code: "price", value: "0.001 VER", bound: "at least 0.004 VER" });
    const low = await run("task:raise-price", "--task", "1", "--max-price", "0.001", "--account", "1", "--yes");
    expect(low.json["error"], low.said).to.include({ code: "PRICE_NOT_RAISED" });
    const fine = await run("task:raise-price", "--task", "1", "--max-price", "0.0035001", "--account", "1", "--yes");
    expect(fine.said).to.match(/finer than a micro-VER.*0\.0035 VER and 0\.003501 VER/);
    const raised = await run("task:raise-price", "--task", "1", "--max-price", "0.0035", "--account", "1", "--yes");
    expect(raised.code, raised.said).to.equal(0);
    expect(raised.json["transactions"]).to.have.lengthOf(1);
    expect(raised.json).to.include({ maxPrice: (3_500n * MICRO).toString(), added: (3n * 2_550n * MICRO).toString() });
    // The permit replaced the allowance by which this account submits tasks.
    const { contracts, accounts } = market;
    await contracts.token.connect(accounts.governance).approve(await contracts.vault.getAddress(), 10n ** 27n);
    const cancelled = await run("task:cancel", "--task", "1", "--account", "1", "--yes");
    expect(cancelled.code, cancelled.said).to.equal(0);
    expect(cancelled.json).to.include({ status: "ended", refunded: 3, leased: 0 });
    const claimed = await run("node:claim", "--account", "1", "--yes");
    // The escrow, and the price of eight seeds that rounds might have cost.
    expect(claimed.json["amount"]).to.equal(((3n * 3_570n + 8n * 2_000n) * MICRO).toString());
  });

  it("rounds and leases are listed", async () => {
    expect((await run("round:status")).json).to.deep.equal({ round: null });
    await market.addTask({ units: 1, maxPrice: 9_000n * MICRO, classIds: [0] });
    const opened = await run("round:open", "--account", "5", "--yes");
    expect(opened.code, opened.said).to.equal(0);
    const round = await run("round:status");
    expect(round.json).to.include({ round: 1, status: "seeding" });
    expect(round.json["demands"]).to.deep.equal([{ task: 2, units: 1 }]);
    expect((await run("task:status", "--task", "2")).json["waiting"]).to.match(/waits for its seed/);
    expect((await run("round:leases", "--live")).json).to.deep.equal({ leases: [] });
  });

  it("a dry run refuses a task that no node could run", async () => {
    const spec = (changes: object) =>
      bench.write("wanted.json", {
        version: 1,
        name: "wanted",
        trainer: "digits",
        resources: { cpus: 1, memoryMiB: 256 },
        checkpoint: { intervalSeconds: 60 },
        outputs: ["model.bin"],
        timeouts: { unitSeconds: 60 },
        ...changes,
      });
    const store = ["--store", join(bench.folder, "store")];
    const submit = async (changes: object, ...more: string[]) => {
      const offer = ["--units", "2", "--max-price", "0.01", "--classes", "cpu/eu", "--interval", "60s"];
      return run("task:submit", "--spec", await spec(changes), ...offer, ...store, "--account", "15", ...more);
    };
    const count = await market.contracts.tasks.taskCount();
    for (const [changes, code, sentence] of [
      [{ trainer: "numerals" }, "UNKNOWN_TRAINER", /"numerals", but nodes have: digits/],
      [{ resources: { cpus: 1, memoryMiB: 256, gpus: 2 } }, "NO_GPUS", /2 GPUs a unit.*machines of cpu\/eu have none/],
    ] as const) {
      for (const flag of ["--dry-run", "--yes"]) {
        const { code: exit, said, json } = await submit(changes, flag);
        expect(exit, said).to.equal(1);
        expect(json["error"]).to.include({ code });
        expect(said).to.match(sentence);
      }
    }
    const late = await submit({}, "--within", "1s", "--dry-run");
    expect(late.code, late.said).to.equal(1);
    expect(late.json["error"], late.said).to.have.property("code").that.does.not.equal("FAILED");
    const fine = await submit({}, "--dry-run");
    expect(fine.code, fine.said).to.equal(0);
    expect(fine.said).to.match(/simulated: "submit task" goes through once the VER has arrived/);
    expect(fine.said).to.match(/audits +none: the program is no built-in trainer with checkpoint\.everySteps/);
    const steps = { checkpoint: { intervalSeconds: 60, everySteps: 10 } };
    expect((await submit(steps, "--dry-run")).said).to.match(/audits +each segment with 1\.33 % at least/);
    expect((await submit(steps, "--audits", "0", "--dry-run")).said).to.match(/audits +none, as asked for/);
    const untraceable = await submit({}, "--audits", "1", "--dry-run");
    expect(untraceable.json["error"], untraceable.said).to.include({ code: "UNTRACEABLE_STEPS" });
    expect(await market.contracts.tasks.taskCount()).to.equal(count);
    expect(await market.contracts.token.balanceOf(await accountAddress(15))).to.equal(0n);
  });

  it("stake is added, and what would be refused is refused before anything is sent", async () => {
    const none = await run("node:stake", "--node", "99", "--amount", "1", "--account", String(OWNER), "--yes");
    expect(none.said).to.match(/There is no node 99/);
    const before = await market.contracts.vault.stakeOf(2);
    const dry = await run("node:stake", "--node", "2", "--amount", "5", "--account", String(OWNER), "--dry-run");
    expect(dry.code, dry.said).to.equal(0);
    const added = await run("node:stake", "--node", "2", "--amount", "5", "--account", String(OWNER), "--yes");
    expect(added.code, added.said).to.equal(0);
    expect(await market.contracts.vault.stakeOf(2)).to.equal(before + 5n * 10n ** 18n);
    const oneTransaction = market.contracts.nodes.interface.fragments.some(
      (one) => "name" in one && one.name === "addStakeWithPermit",
    );
    expect(added.json["transactions"]).to.have.lengthOf(oneTransaction ? 1 : 2);
  });

  it("a result is disputed with its bond, and the task says until when and what can be done", async () => {
    await market.fulfil(7n);
    const client = await openClient(market, 5);
    const post = await settlement(client.reader);
    const { roundId } = { roundId: (await client.reader.round(await client.reader.block())).id };
    await client.queue.submit({
      label: "settle",
      prepare: () => client.contracts.rounds.settle.populateTransaction(roundId, post),
    });
    const [lease] = await client.reader.leases(await client.reader.block());
    const node = lease && (await client.reader.node(await client.reader.block(), lease.nodeId));
    if (!lease || !node) throw new Error("no lease was granted");
    const { ethers, networkHelpers } = market.connection;
    await networkHelpers.setBalance(node.operator, 10n ** 18n);
    const operator = await ethers.getImpersonatedSigner(node.operator);
    const early = await run("task:dispute", "--lease", String(lease.id), "--account", "1", "--yes");
    expect(early.code, early.said).to.equal(1);
    expect(early.json["error"]).to.have.property("code", "WRONG_LEASE_STATUS");
    await market.contracts.leases.connect(operator).deliver(lease.id, lease.fence, ethers.id("rubbish"), 0x55, 1000);
    const delivered = await run("task:status", "--task", String(lease.taskId));
    expect(delivered.said).to.match(/refuse it until .* with `npx hardhat task:dispute --lease 1`/);
    const foreign = await run("task:dispute", "--lease", String(lease.id), "--account", "12", "--yes");
    expect(foreign.json["error"]).to.include({ code: "NOT_OWNER" });
    const dry = await run("task:dispute", "--lease", String(lease.id), "--account", "1", "--dry-run");
    expect(dry.code, dry.said).to.equal(0);
    const { code, said, json } = await run("task:dispute", "--lease", String(lease.id), "--account", "1", "--yes");
    expect(code, said).to.equal(0);
    // 10 % of 0.004 VER for the one unit.
    expect(json).to.include({ lease: lease.id, status: "disputed", bond: (400n * MICRO).toString() });
    const shown = await run("task:status", "--task", String(lease.taskId));
    expect(shown.said).to.match(/is disputed: the arbiter rules until .*the bond is 0\.0004 VER/);
    expect((await run("task:dispute", "--lease", "99", "--account", "1", "--yes")).said).to.match(
      /There is no lease 99/,
    );
    client.provider.destroy();
  });

  it("the fee of a release without headway is settled once the task has ended", async () => {
    const { ethers, networkHelpers } = market.connection;
    const client = await openClient(market, 5);
    const { reader, contracts } = client;
    await market.addTask({ units: 1, maxPrice: 9_000n * MICRO, classIds: [0] });
    await market.pass(60);
    const opened = await run("round:open", "--account", "5", "--yes");
    expect(opened.code, opened.said).to.equal(0);
    await market.fulfil(8n);
    const round = await reader.round(await reader.block());
    const post = await settlement(reader);
    await client.queue.submit({
      label: "settle",
      prepare: () => contracts.rounds.settle.populateTransaction(round.id, post),
    });
    const block = await reader.block();
    const lease = (await reader.leases(block)).at(-1);
    const node = lease && (await reader.node(block, lease.nodeId));
    if (!lease || !node) throw new Error("no lease was granted");
    await networkHelpers.setBalance(node.operator, 10n ** 18n);
    const operator = await ethers.getImpersonatedSigner(node.operator);
    await market.contracts.leases.connect(operator).release(lease.id, lease.fence, 1);
    const settle = async () => run("task:settle-fees", "--task", String(lease.taskId), "--account", "1", "--yes");
    const early = await settle();
    // Time helps: worth another try.
    expect(early.code, early.said).to.equal(75);
    expect(early.json["error"]).to.have.property("code", "TASK_NOT_ENDED");
    expect((await run("task:cancel", "--task", String(lease.taskId), "--account", "1", "--yes")).code).to.equal(0);
    const settled = await settle();
    expect(settled.code, settled.said).to.equal(0);
    expect(settled.json["settled"]).to.equal(String(await contracts.releaseFees.feeFor(1)));
    expect(await contracts.vault.feesOf(lease.taskId)).to.equal(0n);
    expect((await settle()).said).to.match(/No release fees of task \d+ are held/);
    client.provider.destroy();
  });

  it("a key is made once, outside the repository, and opens with its passphrase", async () => {
    const at = (name: string) => [
      "--keystore",
      join(bench.folder, name),
      "--passphrase-file",
      join(bench.folder, "new.pass"),
    ];
    const make = async (...options: string[]) => bench.command("key:new", "--json", ...options);
    const made = await make(...at("new.json"));
    expect(made.code, made.said).to.equal(0);
    const { address } = JSON.parse(made.said.split("\n").findLast((line) => line.startsWith("{")) ?? "{}") as {
      address: string;
    };
    const source = { keystore: join(bench.folder, "new.json"), passphraseFile: join(bench.folder, "new.pass") };
    expect((await openSigner(source, 84532)).address).to.equal(address);
    expect((await stat(source.keystore)).mode & 0o077).to.equal(0);
    expect((await make(...at("new.json"))).said).to.match(/no key is overwritten/);
    expect((await make("--keystore", "here.json", ...at("new.json").slice(2))).said).to.match(/inside the repository/);
  });

  it("the drmp command line says the same as Hardhat's door", async () => {
    const where = ["--network", "localhost", "--deployment", bench.network.deployment, "--json"];
    const lastLine = (said: string) => said.split("\n").findLast((line) => line.startsWith("{"));
    for (const [subject, verb, ...options] of [
      ["node", "status", "--node", "1"],
      ["task", "quote", "--units", "2", "--max-price", "0.01", "--classes", "cpu/eu"],
      ["round", "leases", "--live"],
      ["network", "check"],
    ] as const) {
      const [atHardhat, atDrmp] = await Promise.all([
        bench.run(HARDHAT, `${subject}:${verb}`, ...where, ...options),
        bench.run(DRMP, subject, verb, ...where, ...options),
      ]);
      expect(atDrmp.code, atDrmp.said).to.equal(0);
      expect(lastLine(atDrmp.said)).to.equal(lastLine(atHardhat.said)).and.to.match(/^\{/);
    }
  });

  it("the network's check of a file that names nobody yet says so, and is no error", async () => {
    const json = await otherParameters();
    const Drmp = { ...(json as { Drmp: object }).Drmp, guardian: "REPLACE_ME" };
    const { said, json: found } = await run(
      "network:check",
      "--parameters",
      await bench.write("nobody.json", { Drmp }),
    );
    expect(found["error"], said).to.equal(undefined);
    const note = (found["findings"] as { level: string; what: string }[]).find(({ what }) => what === "role: guardian");
    expect(note).to.include({ level: "note" });
  });

  it("the network's check finds nothing wrong, and tells what governance has changed", async () => {
    const fine = await run("network:check");
    expect(fine.code, fine.said).to.equal(0);
    expect(fine.json).to.include({ wrong: 0 });
    const { manager, seeds } = market.contracts;
    // A parameters file that asks for another oracle key and other bounds.
    const file = await bench.write("other.json", await otherParameters());
    const { code, json } = await run("network:check", "--parameters", file);
    expect(code).to.equal(1);
    const wrong = (json["findings"] as { level: string; what: string }[]).filter(({ level }) => level === "wrong");
    expect(wrong.map(({ what }) => what)).to.have.members(["oracle: key hash", "parameter: FeeBps"]);
    expect(await seeds.owner()).to.equal(await manager.getAddress());
  });

  it("the network's check finds a contract with one byte of other code", async () => {
    const [found, levels] = [[] as string[], new Set<string>()];
    const { provider } = market.connection;
    for (const contract of [market.contracts.vault, market.contracts.manager]) {
      const address = await contract.getAddress();
      const code = (await provider.request({ method: "eth_getCode", params: [address, "latest"] })) as string;
      // The first instruction that is not a value: PUSH1 0x80 becomes PUSH1 0xa0.
      await provider.request({ method: "hardhat_setCode", params: [address, code.replace("0x6080", "0x60a0")] });
      const { code: ended, json } = await run("network:check");
      const finding = (json["findings"] as Finding[]).find(({ what }) => what === "code");
      expect(ended).to.equal(1);
      found.push(finding?.says ?? "");
      levels.add(finding?.level ?? "");
      await provider.request({ method: "hardhat_setCode", params: [address, code] });
    }
    expect([...levels]).to.deep.equal(["wrong"]);
    expect(found[0]).to.include(`Vault (${await market.contracts.vault.getAddress()})`);
    expect(found[1]).to.match(/AccessManager \(0x/);
    expect((await run("network:check")).code).to.equal(0);
  });

  async function accountAddress(index: number): Promise<string> {
    return (await openSigner({ testAccount: index }, LOCAL_CHAIN_ID)).address;
  }

  const ownerAddress = () => accountAddress(OWNER);

  async function otherParameters(): Promise<object> {
    const { default: json } = (await import("../../ignition/parameters/localhost.json", {
      with: { type: "json" },
    })) as {
      default: { Drmp: Record<string, unknown> };
    };
    const { FeeBps } = json.Drmp as { FeeBps: { value: number; min: number; max: number } };
    return { Drmp: { ...json.Drmp, vrfKeyHash: `0x${"22".repeat(32)}`, FeeBps: { ...FeeBps, max: FeeBps.max + 1 } } };
  }
});
