import { connect } from "@verai/client/deployment";
import { readDeployment } from "@verai/client/deployment-file";
import { CHAIN_ID, type RehearsalChain } from "./chain.ts";

/** A checkpoint that others have signed for, as the chain tells. */
export interface HeldCheckpoint {
  readonly lease: number;
  /** The nodes that hold a copy. */
  readonly nodes: readonly number[];
}

/** Every checkpoint so far that was posted with receipts, from the contracts' events. */
export async function heldCheckpoints({ provider }: RehearsalChain, file: string): Promise<HeldCheckpoint[]> {
  const { checkpoints } = connect(await readDeployment(CHAIN_ID, file), provider);
  const events = await checkpoints.queryFilter(checkpoints.filters.CheckpointReplicated(), 0);
  return events.map(({ args }) => ({ lease: Number(args.leaseId), nodes: args.nodeIds.map(Number) }));
}
