import { expect } from "chai";

import { MIN_GAS_MARGIN, TransactionQueue } from "@verai/client/tx/queue";
import { openClient, openMarket } from "@verai/devnet/market";
import { settlement } from "@verai/devnet/settlement";

const MILLI = 10n ** 15n;
const [DEVELOPER, OPERATOR] = [1, 6];

describe("gas of what a round's end makes dearer", () => {
  it("suffices for an acceptance that was simulated in an open round, and is mined after it", async () => {
    const market = await openMarket();
    const client = await openClient(market, DEVELOPER);
    try {
      const { contracts, accounts, connection } = market;
      const operator = (await connection.ethers.getSigners())[OPERATOR];
      if (!operator) throw new Error("the simulated chain has too few accounts");
      await market.addNode({ classId: 0, capacity: 1, ask: 4n * MILLI }, operator);
      await market.addNode({ classId: 0, capacity: 4, ask: 9n * MILLI });
      await market.addTask({ units: 1, maxPrice: 20n * MILLI, classIds: [0] });
      await market.pass(10);
      const keeper = contracts.rounds.connect(accounts.deployer);
      await keeper.open();
      await market.fulfil(1n);
      await keeper.settle(1, await settlement(client.reader));
      await contracts.leases.connect(operator).deliver(1, 1, `0x${"11".repeat(32)}`, 0x55, 1);

      // Another round holds the listings while the acceptance is simulated, and ends before it is sent.
      await market.addTask({ units: 2, maxPrice: 20n * MILLI, classIds: [0] });
      await market.pass(10);
      await keeper.open();
      expect(await contracts.supply.frozen()).to.equal(true);
      // The node's listing is noted as behind already, so the acceptance has nothing to note.
      await contracts.nodes.connect(accounts.governance).addStake(1, 1n);
      let [simulated, needed] = [0n, 0n];
      const queue = await TransactionQueue.open(client.signer, client.provider, {
        maxFeePerGas: 10n ** 11n,
        pollMs: 20,
        confirm: async ({ gasLimit }) => {
          simulated = gasLimit - MIN_GAS_MARGIN;
          await market.pass(61);
          await keeper.abort();
          needed = await client.contracts.leases.accept.estimateGas([1], { from: queue.address });
        },
      });
      const receipt = await queue.submit({
        label: "accept",
        prepare: () => client.contracts.leases.accept.populateTransaction([1]),
      });
      expect(receipt?.status).to.equal(1);
      // It did need more than the simulation by more than a small margin: this is what is tested.
      expect(needed).to.be.above((simulated * 125n) / 100n);
      expect((await contracts.leases.lease(1)).status).to.equal(4n);
    } finally {
      client.provider.destroy();
      await market.close();
    }
  });
});
