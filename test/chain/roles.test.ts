import { expect } from "chai";

import { openMarket } from "@verai/devnet/market";

const VER = 10n ** 18n;
/** Longer than any delay of the local deployment, seconds. */
const DELAY = 120;

describe("roles, as they are deployed", () => {
  it("refuse strangers every function of a role", async () => {
    const market = await openMarket();
    const { contracts, accounts } = market;
    const [stranger] = accounts.others;
    if (!stranger) throw new Error("no account left");
    const { parameters, supply, ledger, telemetry, leases, token, seeds, manager, auditEpochs } = contracts;
    const config = {
      keyHash: `0x${"01".repeat(32)}`,
      subscriptionId: 1,
      callbackGasLimit: 100_000,
      confirmations: 3,
      nativePayment: true,
    };
    const terms = {
      epoch: 600,
      openTime: 3_600,
      step: 300,
      chance: 100,
      newChance: 1_000,
      loss: 5_000,
      panelOwners: 5,
    };
    const calls = [
      parameters.connect(stranger).set(0, 1),
      parameters.connect(stranger).setIntakePaused(true),
      supply.connect(stranger).addClasses([]),
      ledger.connect(stranger).setClassEnergies([]),
      telemetry.connect(stranger).setMaxLatency(0, 100),
      leases.connect(stranger).rule(1, true),
      auditEpochs.connect(stranger).setTerms(terms),
      token.connect(stranger).mint(stranger.address, 1),
    ];
    for (const call of calls) {
      await expect(call).to.be.revertedWithCustomError(parameters, "AccessManagedUnauthorized");
    }
    await expect(seeds.connect(stranger).setConfig(config)).to.be.revert(market.connection.ethers);
    await expect(manager.connect(stranger).grantRole(0, stranger.address, 0)).to.be.revertedWithCustomError(
      manager,
      "AccessManagerUnauthorizedAccount",
    );
    await market.close();
  });

  it("let the guardian cancel what governance has scheduled for a parameter", async () => {
    const market = await openMarket();
    const { manager, parameters } = market.contracts;
    const { governance, guardian } = market.accounts;
    const target = await parameters.getAddress();
    const call = parameters.interface.encodeFunctionData("set", [2, 300]);
    await manager.connect(governance).schedule(target, call, 0);
    await manager.connect(guardian).cancel(governance.address, target, call);
    await market.pass(DELAY);
    await expect(manager.connect(governance).execute(target, call)).to.be.revertedWithCustomError(
      manager,
      "AccessManagerNotScheduled",
    );
    await market.close();
  });

  it("cannot close what contributors, developers and keepers call", async () => {
    const market = await openMarket();
    const { manager, vault, parameters, nodes, supply, tasks, leases, telemetry, ledger, rounds } = market.contracts;
    const { governance } = market.accounts;
    for (const contract of [vault, parameters, nodes, supply, tasks, leases, telemetry, ledger, rounds]) {
      const call = manager.interface.encodeFunctionData("setTargetClosed", [await contract.getAddress(), true]);
      await manager.connect(governance).schedule(await manager.getAddress(), call, 0);
      await market.pass(DELAY);
      await manager.connect(governance).execute(await manager.getAddress(), call);
    }
    await expect(parameters.connect(governance).set(2, 300)).to.be.revertedWithCustomError(
      parameters,
      "AccessManagedUnauthorized",
    );
    await market.addNode({ classId: 0, capacity: 2, ask: 10n ** 16n });
    await market.addTask({ units: 2, maxPrice: 2n * 10n ** 16n, classIds: [0] });
    await rounds.open();
    await market.fulfil(7n);
    expect((await rounds.current()).status).to.equal(2n);
    await tasks.connect(governance).cancel(1);
    await nodes.connect(governance).drain(1);
    await vault.connect(governance).fundBountyPool(VER);
    await market.close();
  });
});
