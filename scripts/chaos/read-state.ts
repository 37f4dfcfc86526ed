import type { Contracts } from "@verai/client/deployment";
import type { BlockReference } from "@verai/client/block-reference";
import { blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { ChainState } from "./invariants.ts";
import type { World } from "./world.ts";

/** Reads all that the invariants are about at one block. O(accounts + tasks + nodes + leases) calls. */
export async function readState(
  { reader, contracts }: Pick<Session, "reader" | "contracts">,
  accounts: readonly string[],
): Promise<ChainState> {
  const block = await reader.block();
  const at = blockTag(block);
  const { vault, token } = contracts;
  const [tasks, nodes, leases, supply, balance, totals] = await Promise.all([
    reader.tasks(block),
    reader.nodes(block),
    reader.leases(block),
    token.totalSupply(at),
    token.balanceOf(await vault.getAddress(), at),
    vault.totals(at),
  ]);
  const checkpoints = await reader.checkpoints(
    block,
    leases.map(({ id }) => id),
  );
  const moving = leases.filter(({ status }) => status === "moving");
  const departures = await Promise.all(
    moving.map(async ({ id }) => [id, Number((await contracts.leases.departureOf(id, at)).units)] as const),
  );
  const { escrow, stake, claimable, bountyPool } = totals;
  const sums = await addUp(contracts, block, {
    tasks: tasks.map(({ id }) => id),
    nodes: nodes.map(({ id }) => id),
    accounts: [...new Set([...accounts, ...nodes.map(({ owner }) => owner)])],
  });
  return {
    block: block.number,
    tasks,
    nodes,
    leases,
    checkpoints,
    departures: new Map(departures),
    supply,
    balance,
    totals: { escrow, stake, claimable, bountyPool },
    sums,
  };
}

async function addUp(
  { vault }: Contracts,
  block: BlockReference,
  ids: { readonly tasks: readonly number[]; readonly nodes: readonly number[]; readonly accounts: readonly string[] },
): Promise<ChainState["sums"]> {
  const at = blockTag(block);
  const sum = async (amounts: Promise<bigint>[]) => (await Promise.all(amounts)).reduce((all, each) => all + each, 0n);
  return {
    escrow: await sum(ids.tasks.flatMap((id) => [vault.escrowOf(id, at), vault.feesOf(id, at)])),
    stake: await sum(ids.nodes.map((id) => vault.stakeOf(id, at))),
    claimable: await sum(ids.accounts.map((account) => vault.claimable(account, at))),
  };
}

/**
 * Active leases whose newest checkpoint nobody but their own node has pinned; none, if receipts are worth anything. What
 * a later checkpoint has replaced while the disks were looked at is passed over.
 */
export async function unheld(world: World, state: ChainState): Promise<string[]> {
  const pinned = await world.pinned();
  const missing = state.leases.filter(({ id, status, nodeId }) => {
    const newest = state.checkpoints.get(id);
    if (status !== "active" || !newest) return false;
    const producer = state.nodes.find((node) => node.id === nodeId)?.operator;
    const cid = fromChainCid(newest).toString();
    return ![...pinned].some(([operator, cids]) => operator !== producer && cids.has(cid));
  });
  const { reader } = world.session;
  const now = await reader.checkpoints(
    await reader.block(),
    missing.map(({ id }) => id),
  );
  return missing
    .filter(({ id }) => now.get(id)?.sequence === state.checkpoints.get(id)?.sequence)
    .map(({ id }) => `nobody but its node holds the newest checkpoint of lease ${String(id)}`);
}
