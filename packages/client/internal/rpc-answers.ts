import { type Provider, TransactionReceipt } from "ethers";

import { RpcUnavailableError } from "../errors.ts";

/** A receipt that can be relied on, once its block is known to be part of the chain. */
export interface ReadReceipt {
  readonly receipt: TransactionReceipt;
  /** Undefined if the endpoint does not say. */
  readonly gasUsed: bigint | undefined;
  readonly gasPrice: bigint | undefined;
  /** L1 data fee, wei; 0 where the endpoint states none. */
  readonly l1Fee: bigint;
}

/** A block as far as it is needed. */
export interface ReadBlock {
  readonly number: number;
  readonly hash: string;
  readonly baseFee: bigint | undefined;
  /** Only where the block was asked for with its transactions; those that are well-formed. */
  readonly transactions: readonly { readonly hash: string; readonly from: string; readonly nonce: number }[];
}

/** A quantity of JSON-RPC; undefined if the value is none. */
export function toQuantity(value: unknown): bigint | undefined {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,64}$/i.test(value)) return undefined;
  return BigInt(value);
}

/** A quantity that a number holds exactly; undefined if the value is none. */
export function toCount(value: unknown): number | undefined {
  const quantity = toQuantity(value);
  return quantity !== undefined && quantity <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(quantity) : undefined;
}

/** The same, where nothing else is an answer. @throws {@link RpcUnavailableError} */
export function requireCount(value: unknown, what: string): number {
  const count = toCount(value);
  if (count === undefined) throw unreadable(what, value);
  return count;
}

/**
 * Reads a block. Null is an answer: the endpoint does not know it.
 *
 * @throws {@link RpcUnavailableError} if it is neither a block nor null.
 */
export function toBlock(value: unknown): ReadBlock | null {
  if (value === null) return null;
  const number = toCount(field(value, "number"));
  const hash = toHash(field(value, "hash"));
  if (number === undefined || hash === undefined) throw unreadable("a block", value);
  const listed = field(value, "transactions");
  const transactions = (Array.isArray(listed) ? (listed as unknown[]) : []).flatMap((each) => {
    const [own, from, nonce] = [toHash(field(each, "hash")), field(each, "from"), toCount(field(each, "nonce"))];
    return own !== undefined && typeof from === "string" && nonce !== undefined ? [{ hash: own, from, nonce }] : [];
  });
  return { number, hash, baseFee: toQuantity(field(value, "baseFeePerGas")), transactions };
}

/**
 * Reads a receipt. Null is an answer: there is none yet. What only tells of costs may be missing or malformed; what
 * tells whether the transaction was mined, where, and with what effect may not.
 *
 * @param hash Of the transaction that was asked for.
 * @param address Its sender.
 * @throws {@link RpcUnavailableError} if it is neither null nor a receipt of this transaction.
 */
export function toReceipt(value: unknown, hash: string, address: string, provider: Provider): ReadReceipt | null {
  if (value === null) return null;
  const status = toCount(field(value, "status"));
  const blockNumber = toCount(field(value, "blockNumber"));
  const blockHash = toHash(field(value, "blockHash"));
  const listed = field(value, "logs");
  const from = field(value, "from");
  const isOther = typeof from === "string" && from.toLowerCase() !== address.toLowerCase();
  if (
    toHash(field(value, "transactionHash")) !== hash ||
    isOther ||
    (status !== 0 && status !== 1) ||
    blockNumber === undefined ||
    blockHash === undefined ||
    !Array.isArray(listed)
  ) {
    throw unreadable("a receipt", value);
  }
  const gasUsed = toQuantity(field(value, "gasUsed"));
  const gasPrice = toQuantity(field(value, "effectiveGasPrice"));
  const index = toCount(field(value, "transactionIndex")) ?? 0;
  const logs = (listed as unknown[]).map((log, i) => {
    const [own, data, topics] = [field(log, "address"), field(log, "data"), field(log, "topics")];
    if (typeof own !== "string" || typeof data !== "string" || !Array.isArray(topics)) throw unreadable("a log", log);
    return {
      transactionHash: hash,
      blockHash,
      blockNumber,
      removed: false,
      address: own,
      data,
      topics: topics as string[],
      index: toCount(field(log, "logIndex")) ?? i,
      transactionIndex: index,
    };
  });
  const text = (name: string): string | null => {
    const found = field(value, name);
    return typeof found === "string" ? found : null;
  };
  const receipt = new TransactionReceipt(
    {
      to: text("to"),
      from: typeof from === "string" ? from : address,
      contractAddress: text("contractAddress"),
      hash,
      index,
      blockHash,
      blockNumber,
      logsBloom: text("logsBloom") ?? "0x",
      logs,
      gasUsed: gasUsed ?? 0n,
      cumulativeGasUsed: toQuantity(field(value, "cumulativeGasUsed")) ?? gasUsed ?? 0n,
      effectiveGasPrice: gasPrice ?? 0n,
      type: toCount(field(value, "type")) ?? 2,
      status,
      root: null,
    },
    provider,
  );
  return { receipt, gasUsed, gasPrice, l1Fee: toQuantity(field(value, "l1Fee")) ?? 0n };
}

/** An answer that says nothing: the endpoint has to be asked again. */
export function unreadable(what: string, value: unknown): RpcUnavailableError {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 120);
  return new RpcUnavailableError(
    "server",
    `The RPC endpoint's answer is not ${what}: ${shown}. Check the node's log, or use another endpoint.`,
  );
}

function toHash(value: unknown): string | undefined {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/i.test(value) ? value.toLowerCase() : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
