import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { ENUMS } from "@verai/client/generated/enums";
import { HARDHAT } from "@verai/devnet/chain";
import { Bench } from "@verai/devnet/programs";
import { openMarket } from "@verai/devnet/market";
import { ROOT } from "@verai/devnet/processes";
import { ROLES } from "../../ignition/modules/core.ts";

/** Longer than any delay of the local deployment, seconds. */
const DELAY = 120;
const ETH = 10n ** 18n;

/** What the guide tells governance and the guardian to call, in its sections' order. */
describe("the guide for deployers, after the deployment", () => {
  const guide = readFileSync(join(ROOT, "docs/guides/deployer.md"), "utf8");
  let market: Awaited<ReturnType<typeof openMarket>>;
  let bench: Bench;

  before(async () => {
    market = await openMarket();
    bench = await Bench.open(market);
    process.env["DRMP_LOCALHOST_URL"] = market.url;
  });

  after(async () => {
    delete process.env["DRMP_LOCALHOST_URL"];
    await bench.close();
    await market.close();
  });

  /** What network:check says of one thing. */
  async function check(): Promise<(what: string) => { level: string; says: string }> {
    const where = ["--network", "localhost", "--deployment", bench.network.deployment, "--json"];
    const { code, said } = await bench.run(HARDHAT, "network:check", ...where);
    const { findings } = JSON.parse(said.split("\n").findLast((line) => line.startsWith("{")) ?? "{}") as {
      findings: { level: string; what: string; says: string }[];
    };
    expect(code, said).to.equal(findings.some(({ level }) => level === "wrong") ? 1 : 0);
    return (what) => findings.find((one) => one.what === what) ?? { level: "none", says: "" };
  }

  it("governance takes the oracle's subscription, and anyone funds it", async () => {
    for (const call of ["acceptSubscriptionOwnerTransfer(id)", "fundSubscriptionWithNative(id)"])
      expect(guide).to.include(call);
    const { coordinator, seeds } = market.contracts;
    const { subscriptionId } = await seeds.config();
    expect((await check())("oracle: owner").says).to.include(
      `acceptSubscriptionOwnerTransfer(${String(subscriptionId)})`,
    );
    await coordinator.connect(market.accounts.governance).acceptSubscriptionOwnerTransfer(subscriptionId);
    const [before] = [(await coordinator.getSubscription(subscriptionId)).nativeBalance];
    const [somebody] = market.accounts.others;
    if (!somebody) throw new Error("no account left");
    await coordinator.connect(somebody).fundSubscriptionWithNative(subscriptionId, { value: ETH });
    expect((await coordinator.getSubscription(subscriptionId)).nativeBalance).to.equal(before + ETH);
    expect((await check())("oracle: owner").level).to.equal("ok");
  });

  it("a parameter changes after the role's delay, within its bounds, and network:check says so", async () => {
    for (const call of ["AccessManager.schedule(parameters, data, 0)", "Parameters.set(param, value)"])
      expect(guide).to.include(call);
    const { manager, parameters } = market.contracts;
    const { governance } = market.accounts;
    const param = ENUMS.Param.findIndex((name) => /^feeBps$/i.test(name));
    const { value, max } = await parameters.bounded(param);
    const change = async (to: bigint) => {
      const data = parameters.interface.encodeFunctionData("set", [param, to]);
      await manager.connect(governance).schedule(await parameters.getAddress(), data, 0);
      await expect(parameters.connect(governance).set(param, to)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerNotReady",
      );
      await market.pass(DELAY);
      return parameters.connect(governance).set(param, to);
    };
    await change(value + 1n);
    expect((await check())("parameter: FeeBps")).to.include({ level: "note" });
    // Refused when it is executed, as the guide says.
    await expect(change(max + 1n)).to.be.revertedWithCustomError(parameters, "ParameterOutOfBounds");
  });

  it("a role moves to another address, and the old one can do nothing any longer", async () => {
    const { manager, parameters } = market.contracts;
    const { governance, guardian, others } = market.accounts;
    const [, next] = others;
    if (!next) throw new Error("no account left");
    const target = await manager.getAddress();
    for (const data of [
      manager.interface.encodeFunctionData("grantRole", [ROLES.guardian, next.address, 0]),
      manager.interface.encodeFunctionData("revokeRole", [ROLES.guardian, guardian.address]),
    ]) {
      await manager.connect(governance).schedule(target, data, 0);
      await market.pass(DELAY);
      await manager.connect(governance).execute(target, data);
    }
    await market.pass(DELAY);
    await expect(parameters.connect(guardian).setIntakePaused(true)).to.be.revertedWithCustomError(
      parameters,
      "AccessManagedUnauthorized",
    );
    // The file still names the old one.
    expect((await check())("role: guardian")).to.include({ level: "wrong" });

    for (const call of ["Parameters.setIntakePaused(true)", "Parameters.setIntakePaused(false)"])
      expect(guide).to.include(call);
    await parameters.connect(next).setIntakePaused(true);
    expect((await check())("intake")).to.include({ level: "note" });
    await parameters.connect(next).setIntakePaused(false);
    expect((await check())("intake")).to.include({ level: "ok" });
  });
});
