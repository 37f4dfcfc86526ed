import type { BaseContract, JsonRpcApiProvider } from "ethers";

import type { Contracts } from "@verai/client/deployment";

/** Gas of one kind of transaction. */
export interface GasUse {
  readonly step: string;
  readonly count: number;
  readonly median: number;
  readonly highest: number;
}

/** Gas by contract function over all blocks of a (short) chain, from its receipts. O(blocks). */
export async function gasByStep(provider: JsonRpcApiProvider, contracts: Contracts, from: number): Promise<GasUse[]> {
  const named = new Map<string, { name: string; decode: (data: string) => string | undefined }>();
  for (const [key, contract] of Object.entries(contracts) as [string, BaseContract][]) {
    named.set((await contract.getAddress()).toLowerCase(), {
      name: key,
      decode: (data) => contract.interface.parseTransaction({ data })?.name,
    });
  }
  const used = new Map<string, number[]>();
  const last = await provider.getBlockNumber();
  for (let number = from; number <= last; number++) {
    const block = await provider.getBlock(number, true);
    for (const transaction of block?.prefetchedTransactions ?? []) {
      const target = named.get(transaction.to?.toLowerCase() ?? "");
      const step = target && `${target.name}.${target.decode(transaction.data) ?? "?"}`;
      const receipt = step && (await provider.getTransactionReceipt(transaction.hash));
      if (receipt) used.set(step, [...(used.get(step) ?? []), Number(receipt.gasUsed)]);
    }
  }
  return [...used]
    .map(([step, gas]) => {
      const sorted = gas.sort((a, b) => a - b);
      return {
        step,
        count: gas.length,
        median: sorted[Math.floor(sorted.length / 2)] ?? 0,
        highest: sorted.at(-1) ?? 0,
      };
    })
    .sort((a, b) => a.step.localeCompare(b.step));
}

/** The vault's totals against the vault's balance and against what every single account of them says. */
export interface LedgerTotals {
  readonly balance: bigint;
  readonly escrow: bigint;
  readonly stake: bigint;
  readonly claimable: bigint;
  readonly bountyPool: bigint;
  /** Ledger totals add up to the balance, and each total to its accounts. */
  readonly balanced: boolean;
}

/**
 * Reads the totals and adds up their accounts, all at one block: agents claim and keepers are paid meanwhile.
 *
 * @param blockTag Number of the block.
 * @param accounts Everybody who may have something to claim.
 */
export async function readLedgerTotals(
  contracts: Contracts,
  blockTag: number,
  accounts: readonly string[],
): Promise<LedgerTotals> {
  const { vault, token, tasks, nodes } = contracts;
  const at = { blockTag };
  const [balance, totals, taskCount, nodeCount] = await Promise.all([
    token.balanceOf(await vault.getAddress(), at),
    vault.totals(at),
    tasks.taskCount(at),
    nodes.nodeCount(at),
  ]);
  const sum = async (ids: bigint, of: (id: number) => Promise<bigint>) => {
    let total = 0n;
    for (let id = 1; id <= Number(ids); id++) total += await of(id);
    return total;
  };
  const escrow = await sum(taskCount, async (id) => (await vault.escrowOf(id, at)) + (await vault.feesOf(id, at)));
  const stake = await sum(nodeCount, (id) => vault.stakeOf(id, at));
  let claimable = 0n;
  for (const account of new Set(accounts)) claimable += await vault.claimable(account, at);
  return {
    balance,
    escrow: totals.escrow,
    stake: totals.stake,
    claimable: totals.claimable,
    bountyPool: totals.bountyPool,
    balanced:
      balance === totals.escrow + totals.stake + totals.claimable + totals.bountyPool &&
      escrow === totals.escrow &&
      stake === totals.stake &&
      claimable === totals.claimable,
  };
}
