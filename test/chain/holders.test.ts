import { expect } from "chai";

import { openClient, openMarket } from "@verai/devnet/market";
import { settlement } from "@verai/devnet/settlement";
import { answer } from "@verai/client/readers";
import { type HolderDraw, holdersOf, type PoolPosition } from "@verai/protocol/checkpoints/holders";

const MILLI = 10n ** 15n;
const VER = 10n ** 18n;
const [REPLICAS, TASKS] = [1, 12];
/** Accounts that own nodes. */
const OWNERS = [10, 11, 12];

/** The holder pool, kept as contracts/core/nodes/HolderPool.sol keeps it. */
class Pool {
  readonly positions: PoolPosition[] = [];
  readonly owners = new Map<number, number>();

  join(owner: number, weight: bigint, freezes: number): void {
    const nodeId = this.positions.length + 1;
    this.owners.set(nodeId, owner);
    this.positions.push({ nodeId, active: true, since: freezes, weight, grownAt: freezes, weightBefore: weight });
  }

  change(nodeId: number, changes: Partial<PoolPosition>): void {
    const position = this.at(nodeId - 1);
    this.positions[nodeId - 1] = { ...position, ...changes };
  }

  at(position: number): PoolPosition {
    const found = this.positions[position];
    if (!found) throw new Error(`the pool has no position ${String(position)}`);
    return found;
  }
}

describe("the holders of a lease", () => {
  it("are the same in TypeScript as the contracts name, for many draws, whatever becomes of the pool", async () => {
    const market = await openMarket({
      ReportTimeout: { value: 43_200 },
      RoundMaxTasks: { value: TASKS },
      RoundMaxUnits: { value: 64 },
    });
    const client = await openClient(market);
    try {
      const { contracts, accounts, connection } = market;
      const signers = await connection.ethers.getSigners();
      const keeper = contracts.rounds.connect(accounts.deployer);
      const pool = new Pool();
      let freezes = 0;
      const addNode = async (capacity: number) => {
        const owner = OWNERS[pool.positions.length % OWNERS.length] ?? 0;
        await market.addNode({ classId: 0, capacity, ask: MILLI }, undefined, owner);
        pool.join(owner, BigInt(capacity) * 100n, freezes);
      };
      const runRound = async (word: bigint) => {
        for (let i = 0; i < TASKS; i++)
          await market.addTask({ units: 2, maxPrice: 9n * MILLI, classIds: [0], replicas: REPLICAS });
        await market.pass(10);
        await keeper.open();
        freezes += 1;
        await market.fulfil(word);
        await keeper.settle(freezes, await settlement(client.reader));
      };
      /** Draws that were compared, and holders that they named. */
      const compare = async () => {
        const block = await client.reader.block();
        const leases = await client.reader.leases(block);
        let named = 0;
        for (const { id, nodeId } of leases) {
          const [drawn, taskId, start] = await answer(contracts.leases.drawOf(id));
          const draw: HolderDraw = {
            salt: drawn.salt,
            freeze: Number(drawn.freeze),
            positions: Number(drawn.positions),
            average: drawn.average,
            taskId: Number(taskId),
            start: Number(start),
          };
          const other = (each: number) => pool.owners.get(each) !== pool.owners.get(nodeId);
          const expected = holdersOf(draw, REPLICAS, (position) => pool.at(position), other);
          const found = await client.reader.holders(block, id);
          const holders = found.map((holder) => ({ candidate: holder.candidate, nodeId: holder.nodeId }));
          expect(holders, `lease ${String(id)}`).to.deep.equal(expected);
          named += expected.length;
        }
        expect(named).to.be.above(leases.length, "one holder would show little");
        return leases.length;
      };

      for (let i = 0; i < 9; i++) await addNode(1 + ((i * 5) % 8));
      await runRound(11n);
      expect(await compare()).to.be.above(TASKS);

      // One joins late, one drains, one adds stake: for the draws of the first freeze the stake of then counts.
      await addNode(8);
      await contracts.nodes.connect(signers[OWNERS[1] ?? 0]).drain(2);
      pool.change(2, { active: false });
      await contracts.nodes.connect(accounts.governance).addStake(1, 900n * VER);
      pool.change(1, { weight: 1_000n, weightBefore: pool.at(0).weight, grownAt: freezes });
      await compare();
      await runRound(12n);
      expect(await compare()).to.be.above(2 * TASKS);
    } finally {
      client.provider.destroy();
      await market.close();
    }
  });
});
