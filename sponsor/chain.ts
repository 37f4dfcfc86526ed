import { Contract, type Interface, type Log, Interface as Abi, toBeHex, toQuantity } from "ethers";

import { explain, revertData } from "@verai/client/error-messages";
import type { RpcProvider } from "@verai/client/provider";
import { SponsorError } from "./errors.ts";
import { ENTRY_POINT, ENTRY_POINT_ABI, type Operation, type PackedOperation } from "./operation.ts";

/** The predeploy of the OP stack that tells the L1 data fee. */
const GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F";
const L1_FEE = new Abi(["function getL1FeeUpperBound(uint256 size) view returns (uint256)"]);

/** Gas that carrying out a batch may take at most. */
export const MAX_CALL_GAS = 2_000_000n;

const ENTRY: Interface = new Abi(ENTRY_POINT_ABI);

/** An operation that the entry point has carried out. */
export interface CarriedOut {
  readonly hash: string;
  readonly account: string;
  readonly nonce: bigint;
  readonly success: boolean;
  /** Wei of ETH. */
  readonly cost: bigint;
  readonly gasUsed: bigint;
  readonly transaction: string;
}

/** The chain as a sponsor needs it: everything is read, nothing sent. */
export class SponsorChain {
  readonly #provider: RpcProvider;
  readonly #entry: Contract;
  /** Code of every passkey account. */
  readonly #code: string;

  constructor(provider: RpcProvider, code: string) {
    this.#provider = provider;
    this.#entry = new Contract(ENTRY_POINT, ENTRY, provider);
    this.#code = code;
  }

  /** Whether the account exists. @throws SponsorError if it is something else than a passkey account. */
  async exists(account: string): Promise<boolean> {
    const code = await this.#provider.getCode(account);
    if (code === "0x") return false;
    if (code.toLowerCase() === this.#code.toLowerCase()) return true;
    throw new SponsorError("NO_PASSKEY_ACCOUNT", "rejected", `${account} is none of the network's passkey accounts.`);
  }

  /** Next nonce of an account under a key. */
  async nonce(account: string, key: bigint): Promise<bigint> {
    return this.#entry.getFunction("getNonce").staticCall(account, key) as Promise<bigint>;
  }

  /** ETH that is left to a paymaster, wei. */
  async deposit(paymaster: string): Promise<bigint> {
    return this.#entry.getFunction("balanceOf").staticCall(paymaster) as Promise<bigint>;
  }

  /**
   * Carries a batch out on paper, as the entry point would: with an account that does not exist yet.
   *
   * @param gas Gas for it.
   * @throws SponsorError with the sentence of the contract's error.
   */
  async tryBatch({ sender, callData }: Operation, gas = MAX_CALL_GAS): Promise<void> {
    const call = { from: ENTRY_POINT, to: sender, data: callData, gas: toQuantity(gas) };
    try {
      await this.#provider.send("eth_call", [call, "latest", { [sender]: { code: this.#code } }]);
    } catch (error) {
      const { code, message, retryable } = explain(error);
      throw new SponsorError(code, "reverted", message, retryable);
    }
  }

  /** Gas that a batch takes, by halving: any node can answer that, also for an account that does not exist yet. */
  async batchGas(op: Operation): Promise<bigint> {
    await this.tryBatch(op);
    let [low, high] = [0n, MAX_CALL_GAS];
    while (high - low > 20_000n) {
      const middle = (low + high) / 2n;
      const enough = await this.tryBatch(op, middle).then(
        () => true,
        () => false,
      );
      if (enough) high = middle;
      else low = middle;
    }
    return high;
  }

  /**
   * Has the entry point carry operations out on paper.
   *
   * @throws SponsorError with what the entry point says.
   */
  async tryOperation(op: PackedOperation, from: string): Promise<void> {
    try {
      await this.#entry.getFunction("handleOps").staticCall([op], from, { from });
    } catch (error) {
      const data = revertData(error);
      const known = data === undefined ? null : ENTRY.parseError(data);
      const reason = known === null ? explain(error).message : String(known.args["reason"]);
      const signature = reason.startsWith("AA24") || reason.startsWith("AA34");
      const message = `The entry point refuses the operation: ${reason}${signature ? "; sign it again, with a passkey of this account" : ""}.`;
      throw new SponsorError("OPERATION_REFUSED", signature ? "signature" : "rejected", message);
    }
  }

  /** What a transaction of this size costs on the L1, wei of ETH; 0 where the chain has no L1. */
  async l1Fee(bytes: number): Promise<bigint> {
    const data = L1_FEE.encodeFunctionData("getL1FeeUpperBound", [bytes]);
    const answer = await this.#provider.call({ to: GAS_PRICE_ORACLE, data }).catch(() => "0x");
    return answer.length === 66 ? BigInt(answer) : 0n;
  }

  /** Base fee of the newest block, its number and its time. */
  async head(): Promise<{ number: number; time: number; baseFee: bigint }> {
    const block = await this.#provider.getBlock("latest");
    if (!block) throw new SponsorError("NO_BLOCK", "internal", "The chain has no newest block; ask again.", true);
    return { number: block.number, time: block.timestamp, baseFee: block.baseFeePerGas ?? 0n };
  }

  /** The operation of an account and nonce that a paymaster has paid for; undefined if there is none from `block` on. */
  async carriedOut(paymaster: string, account: string, nonce: bigint, block: number): Promise<CarriedOut | undefined> {
    const topics = ENTRY.encodeFilterTopics("UserOperationEvent", [null, account, paymaster]);
    const logs = await this.#provider.getLogs({ address: ENTRY_POINT, topics, fromBlock: toBeHex(block) });
    return logs.map(carriedOutIn).find((each) => each?.nonce === nonce);
  }

  /** The receipt of a transaction as the node has it, for wallets. */
  async receipt(transaction: string): Promise<{ readonly logs: readonly Log[]; readonly raw: object } | undefined> {
    const raw = (await this.#provider.send("eth_getTransactionReceipt", [transaction])) as {
      readonly logs: readonly Log[];
    } | null;
    return raw ? { logs: raw.logs, raw } : undefined;
  }
}

/** The operation that a log tells of. */
export function carriedOutIn(log: Pick<Log, "topics" | "data" | "transactionHash">): CarriedOut | undefined {
  const parsed = ENTRY.parseLog({ topics: [...log.topics], data: log.data });
  if (parsed?.name !== "UserOperationEvent") return undefined;
  const [hash, account, , nonce, success, cost, gasUsed] = parsed.args.toArray() as [
    ...[string, string, string, bigint, boolean, bigint, bigint],
  ];
  return { hash, account, nonce, success, cost, gasUsed, transaction: log.transactionHash };
}

/** The transaction that carries an operation out. */
export function handleOps(op: PackedOperation, beneficiary: string): { to: string; data: string } {
  return { to: ENTRY_POINT, data: ENTRY.encodeFunctionData("handleOps", [[op], beneficiary]) };
}
