import type { Contract, TransactionReceipt } from "ethers";

import type { TaskSubmittedEvent } from "../../types/contracts/contracts/core/tasks/TaskRegistry.ts";
import type { Contracts } from "./deployment.ts";

/** An event of one of the protocol's contracts. */
export interface ProtocolEvent {
  /** Key of the contract in {@link Contracts}, such as `tasks`. */
  readonly contract: keyof Contracts;
  /** Such as `TaskSubmitted`. */
  readonly name: string;
  /** Arguments by name; integers are bigints. */
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * What a transaction did: the events of the protocol's contracts in its receipt, in order. Others are left out.
 *
 * @public
 */
export async function eventsOf(
  contracts: Contracts,
  receipt: Pick<TransactionReceipt, "logs">,
): Promise<ProtocolEvent[]> {
  const named = Object.entries(contracts) as [keyof Contracts, Contract][];
  const byAddress = new Map(
    await Promise.all(
      named.map(async ([key, contract]) => [(await contract.getAddress()).toLowerCase(), [key, contract]] as const),
    ),
  );
  return receipt.logs.flatMap((log) => {
    // Endpoints write addresses in either case.
    const [key, contract] = byAddress.get(log.address.toLowerCase()) ?? [];
    const parsed = contract?.interface.parseLog(log);
    if (key === undefined || !parsed) return [];
    return [{ contract: key, name: parsed.name, args: parsed.args.toObject(true) }];
  });
}

/** A task that a transaction submitted. Money in wei. */
export interface SubmittedTask {
  readonly taskId: number;
  readonly owner: string;
  /** SHA-256 digest of the spec's CID: `0x` and 64 hexadecimal digits. */
  readonly specDigest: string;
  readonly units: number;
  /** Maximum price of a unit. */
  readonly maxPrice: bigint;
  /** What was put in escrow for all units; what they do not cost comes back. */
  readonly escrow: bigint;
}

/** The task that a transaction submitted; undefined if it submitted none. */
export async function submittedTask(
  contracts: Contracts,
  receipt: Pick<TransactionReceipt, "logs">,
): Promise<SubmittedTask | undefined> {
  const events = await eventsOf(contracts, receipt);
  const found = events.find(({ contract, name }) => contract === "tasks" && name === "TaskSubmitted");
  if (!found) return undefined;
  const { taskId, owner, specDigest, units, maxPrice, escrow } =
    found.args as unknown as TaskSubmittedEvent.OutputObject;
  return { taskId: Number(taskId), owner, specDigest, units: Number(units), maxPrice, escrow };
}
