import type { BlockReference } from "@verai/client/block-reference";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { type LeaseEnd, readLeaseEnds } from "@verai/client/lease-ends";
import type { Session } from "@verai/client/session";

/** Time between two blocks of BASE, seconds. */
const BLOCK_SECONDS = 2;

/** How far back a command looks, seconds: a week, some thirty requests. An indexer knows the rest. */
const LOOK_BACK_SECONDS = 7 * 24 * 60 * 60;

/**
 * How the leases of a task or of a node ended in the last week, by lease. A local chain, whose blocks have any times, is looked at
 * from its beginning.
 *
 * @param from Chain time before which there was none, seconds.
 */
export async function readEnds(
  session: Pick<Session, "provider" | "contracts">,
  block: BlockReference,
  whose: { readonly taskId: number } | { readonly nodeId: number },
  from = 0,
): Promise<ReadonlyMap<number, LeaseEnd>> {
  const since = await firstBlock(session, block, Math.max(from, block.timestamp - LOOK_BACK_SECONDS));
  const ends = await readLeaseEnds(session, whose, since, block.number);
  return new Map(ends.map((end) => [end.leaseId, end]));
}

/** The first block whose time is not before `from`, or one a little earlier. A local chain, whose blocks have any times, begins at its first. */
export async function firstBlock(
  { provider }: Pick<Session, "provider">,
  block: BlockReference,
  from: number,
): Promise<number> {
  const local = (await provider.getNetwork()).chainId === BigInt(LOCAL_CHAIN_ID);
  const blocks = Math.ceil(Math.max(0, block.timestamp - from) / BLOCK_SECONDS) + 1;
  return local ? 0 : Math.max(0, block.number - blocks);
}
