import { stat } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { openSigner } from "../../chain/keys.ts";
import { HARDHAT } from "../../scripts/demo/chain.ts";
import { Bench } from "../support/cli.ts";
import { openMarket } from "../support/market.ts";

const MICRO = 10n ** 12n;
const OWNER = 10;
const FIRST = "0x00000000000000000000000000000000000a0001";
const SECOND = "0x00000000000000000000000000000000000a0002";

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
    const { code, said } = await bench.run(HARDHAT, id, ...where, ...options);
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
    expect(said)
      .to.match(/costs +at most [\d.]+ ETH/)
      .and.to.match(/nothing was sent/);
    expect(await market.contracts.nodes.nodeCount()).to.equal(before);
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
      [{ ask: "cheap" }, /"cheap" is no amount of VER/],
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
  }).timeout(180_000);

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
    const cancelled = await run("task:cancel", "--task", "1", "--account", "1", "--yes");
    expect(cancelled.code, cancelled.said).to.equal(0);
    expect(cancelled.json).to.include({ status: "ended", refunded: 3, leased: 0 });
    const claimed = await run("node:claim", "--account", "1", "--yes");
    expect(claimed.json["amount"]).to.equal((3n * 1_020n * MICRO).toString());
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

  it("a key is made once, outside the repository, and opens with its passphrase", async () => {
    const at = (name: string) => [
      "--keystore",
      join(bench.folder, name),
      "--passphrase-file",
      join(bench.folder, "new.pass"),
    ];
    const make = async (...options: string[]) => bench.run(HARDHAT, "key:new", "--json", ...options);
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
