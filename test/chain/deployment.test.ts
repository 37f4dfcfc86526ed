import { expect } from "chai";

import { ROLES } from "../../ignition/modules/core.ts";
import { deployLocal } from "@verai/devnet/deploy";

describe("deployment", () => {
  it("hands every role over and leaves the deployer with none", async () => {
    const { connection, contracts, accounts } = await deployLocal();
    const { deployer, governance, guardian, arbiter } = accounts;
    const holds = async (role: bigint, who: { address: string }) =>
      (await contracts.manager.hasRole(role, who.address)).isMember;
    for (const role of Object.values(ROLES)) expect(await holds(role, deployer)).to.equal(false);
    expect(await holds(ROLES.admin, governance)).to.equal(true);
    expect(await holds(ROLES.parameters, governance)).to.equal(true);
    expect(await holds(ROLES.guardian, guardian)).to.equal(true);
    expect(await holds(ROLES.arbiter, arbiter)).to.equal(true);
    expect(await contracts.seeds.owner()).to.equal(await contracts.manager.getAddress());
    expect(await contracts.token.balanceOf(deployer)).to.equal(0n);
    await connection.close();
  });

  it("lets nobody wire a module again, nor set a parameter without the delay", async () => {
    const { connection, contracts, accounts } = await deployLocal();
    const target = accounts.deployer.address;
    for (const wire of [
      contracts.supply.initialise({
        nodes: target,
        rounds: target,
        leases: target,
        telemetry: target,
        reassignment: target,
        releaseFees: target,
      }),
      contracts.holderPool.initialise(target),
      contracts.tasks.initialise(target, target, target),
      contracts.leases.initialise({
        rounds: target,
        checkpoints: target,
        telemetry: target,
        balancer: target,
        reassignment: target,
        releaseFees: target,
        audits: target,
      }),
      contracts.nodes.initialise(target),
      contracts.seeds.initialise(target, target, target),
      contracts.telemetry.initialise(target),
    ]) {
      await expect(wire).to.be.revertedWithCustomError(contracts.supply, "AlreadyInitialised");
    }
    await expect(contracts.parameters.set(2, 100)).to.be.revertedWithCustomError(
      contracts.parameters,
      "AccessManagedUnauthorized",
    );
    const asGovernance = contracts.parameters.connect(accounts.governance);
    await expect(asGovernance.set(2, 100)).to.be.revertedWithCustomError(
      contracts.manager,
      "AccessManagerNotScheduled",
    );

    // Scheduled and waited for, it works, within the bounds.
    const manager = contracts.manager.connect(accounts.governance);
    const call = contracts.parameters.interface.encodeFunctionData("set", [2, 100]);
    await manager.schedule(contracts.parameters, call, 0);
    await connection.networkHelpers.time.increase(31);
    await asGovernance.set(2, 100);
    expect(await contracts.parameters.get(2)).to.equal(100n);
    await connection.close();
  });

  it("names the audits to all whom they tell, and lets governance alone change their terms, after its delay", async () => {
    const { connection, contracts, accounts } = await deployLocal();
    const { auditEpochs, audits, vault, leases, nodes, seeds, manager } = contracts;
    const at = await audits.getAddress();
    expect(await leases.audits()).to.equal(at);
    expect(await audits.EPOCHS()).to.equal(await auditEpochs.getAddress());
    const [named] = await vault.queryFilter(vault.filters.ModulesSet());
    expect(named?.args.modules.audits).to.equal(at);
    const [expels] = await nodes.queryFilter(nodes.filters.ModuleSet());
    expect(expels?.args.audits).to.equal(at);
    const [asks] = await seeds.queryFilter(seeds.filters.ModulesSet());
    expect(asks?.args.audits).to.equal(await auditEpochs.getAddress());

    const terms = {
      epoch: 30n,
      openTime: 60n,
      step: 60n,
      chance: 50n,
      newChance: 1_000n,
      loss: 5_000n,
      panelOwners: 3n,
    };
    const asGovernance = auditEpochs.connect(accounts.governance);
    await expect(auditEpochs.setTerms(terms)).to.be.revertedWithCustomError(auditEpochs, "AccessManagedUnauthorized");
    await expect(asGovernance.setTerms(terms)).to.be.revertedWithCustomError(manager, "AccessManagerNotScheduled");
    const call = auditEpochs.interface.encodeFunctionData("setTerms", [terms]);
    await manager.connect(accounts.governance).schedule(auditEpochs, call, 0);
    await connection.networkHelpers.time.increase(31);
    await asGovernance.setTerms(terms);
    expect((await auditEpochs.terms()).chance).to.equal(50n);
    await connection.close();
  });

  it("accounts for the whole supply: pool, faucet and treasury", async () => {
    const { connection, contracts, accounts } = await deployLocal();
    const pool = (await contracts.vault.totals()).bountyPool;
    const held = await Promise.all(
      [contracts.vault, contracts.faucet, accounts.governance].map((holder) => contracts.token.balanceOf(holder)),
    );
    expect(held[0]).to.equal(pool);
    expect(held.reduce((sum, each) => sum + each, 0n)).to.equal(await contracts.token.totalSupply());
    await connection.close();
  });

  it("gives the oracle a funded subscription with the seeds contract as its consumer", async () => {
    const { connection, contracts } = await deployLocal();
    const { subscriptionId } = await contracts.seeds.config();
    const subscription = await contracts.coordinator.getSubscription(subscriptionId);
    expect(subscription.nativeBalance).to.equal(100n * 10n ** 18n);
    expect(subscription.consumers).to.deep.equal([await contracts.seeds.getAddress()]);
    await connection.close();
  });
});
