/** A JSON-RPC call as far as its answer is judged by it. */
export interface RpcCall {
  readonly method: string;
  readonly params?: unknown;
}

const QUANTITY = /^0x[0-9a-f]{1,64}$/i;
const BYTES = /^0x(?:[0-9a-f]{2})*$/i;
const HASH = /^0x[0-9a-f]{64}$/i;
const ADDRESS = /^0x[0-9a-f]{40}$/i;

/** Says what is wrong with a result, given the call's parameters; undefined if nothing is. */
type Shape = (result: unknown, params: readonly unknown[]) => string | undefined;

/** The result of each method whose shape is known; of the others any result is taken. */
const SHAPES: Readonly<Record<string, Shape>> = {
  eth_chainId: text(QUANTITY, "a number"),
  eth_blockNumber: text(QUANTITY, "a number"),
  eth_gasPrice: text(QUANTITY, "a number"),
  eth_maxPriorityFeePerGas: text(QUANTITY, "a number"),
  eth_blobBaseFee: text(QUANTITY, "a number"),
  eth_getBalance: text(QUANTITY, "a number"),
  eth_getTransactionCount: text(QUANTITY, "a number"),
  eth_estimateGas: text(QUANTITY, "a number"),
  eth_call: text(BYTES, "bytes"),
  eth_getCode: text(BYTES, "bytes"),
  eth_getStorageAt: text(QUANTITY, "a word"),
  eth_sendRawTransaction: text(HASH, "a hash"),
  eth_sendTransaction: text(HASH, "a hash"),
  eth_getBlockByNumber: (result, [tag]) => {
    if (result !== null) return block(result);
    // There is always a newest block; of the others this node may not have heard yet.
    return tag === "latest" || tag === "earliest"
      ? "null"
      : tag === "safe" || tag === "finalized"
        ? "behind"
        : undefined;
  },
  eth_getBlockByHash: (result, [hash]) => (result === null ? undefined : (block(result) ?? same(result, "hash", hash))),
  eth_getTransactionByHash: (result, [hash]) => (result === null ? undefined : same(result, "hash", hash)),
  eth_getTransactionReceipt: (result, [hash]) => (result === null ? undefined : receipt(result, hash)),
  eth_getLogs: (result) => {
    if (!Array.isArray(result)) return "no list";
    return result.every(isLog) ? undefined : "an entry that is no log";
  },
  eth_feeHistory: (result) => (Array.isArray(field(result, "baseFeePerGas")) ? undefined : "no fees"),
  net_version: (result) => (typeof result === "string" ? undefined : "no text"),
  web3_clientVersion: (result) => (typeof result === "string" ? undefined : "no text"),
};

/**
 * Says what is wrong with the result of a call: "behind" where the node has not got the block, a noun otherwise;
 * undefined if the result is plausible.
 */
export function shapeProblem({ method, params }: RpcCall, result: unknown): string | undefined {
  const shape = Object.hasOwn(SHAPES, method) ? SHAPES[method] : undefined;
  return shape?.(result, Array.isArray(params) ? (params as unknown[]) : []);
}

function text(pattern: RegExp, what: string): Shape {
  return (result) => {
    if (result === null) return "null";
    return typeof result === "string" && pattern.test(result) ? undefined : `not ${what}`;
  };
}

function block(result: unknown): string | undefined {
  const [number, hash, time] = [field(result, "number"), field(result, "hash"), field(result, "timestamp")];
  // The block under way has neither a number nor a hash yet.
  const ours = (number === null || matches(number, QUANTITY)) && (hash === null || matches(hash, HASH));
  return ours && matches(time, QUANTITY) ? undefined : "no block";
}

function receipt(result: unknown, hash: unknown): string | undefined {
  const mined =
    matches(field(result, "blockNumber"), QUANTITY) &&
    matches(field(result, "blockHash"), HASH) &&
    matches(field(result, "status"), /^0x[01]$/) &&
    Array.isArray(field(result, "logs"));
  return mined ? same(result, "transactionHash", hash) : "no receipt of a mined transaction";
}

/** The object has to be about what was asked for. */
function same(result: unknown, name: string, wanted: unknown): string | undefined {
  const given = field(result, name);
  if (!matches(given, HASH)) return `no ${name}`;
  return String(given).toLowerCase() === String(wanted).toLowerCase() ? undefined : "about something else";
}

function isLog(log: unknown): boolean {
  const topics = field(log, "topics");
  return (
    matches(field(log, "address"), ADDRESS) &&
    matches(field(log, "data"), BYTES) &&
    Array.isArray(topics) &&
    topics.every((topic) => matches(topic, HASH))
  );
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
