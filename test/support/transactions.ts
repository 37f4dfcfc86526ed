import type { BaseContract, TransactionResponse } from "ethers";

import type { Contracts } from "@verai/client/deployment";
import { ContractRefusalError } from "@verai/client/errors";
import { explain } from "@verai/client/error-messages";
import type { Session } from "@verai/client/session";

/** A transaction of a block, with what it called. */
export interface Call {
  readonly hash: string;
  readonly from: string;
  readonly block: number;
  /** Contract and function, such as `rounds.open`; the address of a contract that is not the protocol's. */
  readonly call: string;
  readonly succeeded: boolean;
}

/** A transaction that was paid for and changed nothing. */
export interface RevertedCall extends Call {
  /** Name of the contract's error, such as `ListingsFrozen`; where there is none, what the node says. */
  readonly refusal: string;
  /**
   * What others did in the block that made it impossible: the call would have succeeded on top of the block before that one.
   * Empty if it has been impossible for so long that its sender must have known.
   */
  readonly causes: readonly string[];
}

/**
 * What may make a transaction impossible after it was simulated, because its sender cannot know: the call, the contract's
 * refusal, and what somebody else did in between.
 */
const RACES = [
  // A holder that leaves takes the receipts with it that are on their way in others' checkpoints.
  { call: "checkpoints.post", refusal: "NotHolder", cause: "nodes.drain" },
  // Opening a round freezes the listings.
  { call: "nodes.sync", refusal: "ListingsFrozen", cause: "rounds.open" },
] as const;

/** Blocks that a transaction may be on its way from its simulation on, on a slow machine. */
const ON_THE_WAY = 30;

/** Every transaction of these blocks that reverted and lost no race that its sender could not foresee. O(blocks). */
export async function paidInVain(session: Session, first: number, last: number): Promise<RevertedCall[]> {
  const { provider } = session;
  const nameOf = await namer(session.contracts);
  const calls: (Call & { readonly response: TransactionResponse })[] = [];
  for (let number = first; number <= last; number++) {
    const block = await provider.getBlock(number, true);
    for (const response of block?.prefetchedTransactions ?? []) {
      const { hash, from } = response;
      const succeeded = (await provider.getTransactionReceipt(hash))?.status === 1;
      calls.push({ hash, from, block: number, call: nameOf(response), succeeded, response });
    }
  }
  const reverted: RevertedCall[] = [];
  for (const { response, ...call } of calls.filter(({ succeeded }) => !succeeded)) {
    const { from, to, data, value, gasLimit } = response;
    const refusalAt = async (blockTag: number): Promise<string | undefined> => {
      try {
        await provider.call({ from, to, data, value, gasLimit, blockTag });
        return undefined;
      } catch (error) {
        const explained = explain(error);
        return explained instanceof ContractRefusalError ? explained.refusal : explained.message;
      }
    };
    let decided = call.block;
    while (decided > Math.max(first, call.block - ON_THE_WAY) && (await refusalAt(decided - 1)) !== undefined)
      decided--;
    const others = calls.filter(
      ({ block, from: sender, succeeded }) => block === decided && sender !== from && succeeded,
    );
    const refusal = (await refusalAt(call.block)) ?? "none after its block";
    const causes = decided > Math.max(first, call.block - ON_THE_WAY) ? others.map((other) => other.call) : [];
    reverted.push({ ...call, refusal, causes });
  }
  return reverted.filter(
    ({ call, refusal, causes }) =>
      !RACES.some((race) => race.call === call && race.refusal === refusal && causes.includes(race.cause)),
  );
}

async function namer(contracts: Contracts): Promise<(transaction: TransactionResponse) => string> {
  const known = new Map<string, { readonly name: string; readonly contract: BaseContract }>();
  for (const [name, contract] of Object.entries(contracts) as [string, BaseContract][]) {
    known.set((await contract.getAddress()).toLowerCase(), { name, contract });
  }
  return ({ to, data }) => {
    const target = known.get(to?.toLowerCase() ?? "");
    return target
      ? `${target.name}.${target.contract.interface.parseTransaction({ data })?.name ?? "?"}`
      : (to ?? "creation");
  };
}
