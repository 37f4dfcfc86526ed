import type { BaseContract, TransactionResponse } from "ethers";

import type { Contracts } from "@verai/client/deployment";
import { ContractRefusal } from "@verai/client/errors";
import { explain } from "@verai/client/explain";
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
  /** Name of the contract's error, such as `RoundOpen`; where there is none, what the node says. */
  readonly refusal: string;
  /** Whether it would have succeeded on top of the block before: then it was right when it was simulated. */
  readonly wasSound: boolean;
  /** What others did in the same block, or in the two before. */
  readonly beside: readonly Call[];
}

/** Blocks before its own in which somebody may have made a transaction impossible after it was simulated. */
const BLOCKS_ON_THE_WAY = 2;

/** Every transaction of these blocks that reverted, and what happened beside it. O(blocks). */
export async function revertedCalls(session: Session, first: number, last: number): Promise<RevertedCall[]> {
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
    const retry = async (number: number): Promise<string | undefined> => {
      try {
        await provider.call({ from, to, data, value, gasLimit, blockTag: number });
        return undefined;
      } catch (error) {
        const explained = explain(error);
        return explained instanceof ContractRefusal ? explained.refusal : explained.message;
      }
    };
    const [before, after] = [await retry(call.block - 1), await retry(call.block)];
    const beside = calls
      .filter(
        ({ block, from: sender }) => sender !== from && block >= call.block - BLOCKS_ON_THE_WAY && block <= call.block,
      )
      .map(({ response: _, ...other }) => other);
    reverted.push({ ...call, refusal: after ?? before ?? "none any more", wasSound: before === undefined, beside });
  }
  return reverted;
}

/** Such a call in one line, for messages. */
export function describeReverted({ hash, from, block, call, refusal, wasSound, beside }: RevertedCall): string {
  const others = beside.map((each) => `${each.call} in block ${String(each.block)}`).join(", ");
  return `${call} by ${from} in block ${String(block)} reverted (${refusal}; ${wasSound ? "sound" : "refused, too,"} on top of the block before); beside it: ${others || "nothing"}; ${hash}`;
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
