import assert from "node:assert/strict";

import { keccak256, parseUnits, Wallet } from "ethers";

import type { FaultCase } from "@verai/devnet/fault-case";
import { type Bench, CHAIN, failure, type Http, onBench, type Reply, SHORT_MS, unavailable } from "./stand-in.ts";

/** Sentences of pools about a transaction: words, code, and whether another endpoint is asked. */
const POOL: readonly (readonly [words: string, code: string, elsewhere?: true])[] = [
  ["tx fee (1.63 ether) exceeds the configured cap (1.00 ether)", "RPC_FEE_CAP", true],
  ["max priority fee per gas higher than max fee per gas", "FEES_CONTRADICT"],
  ["max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2", "FEE_TOO_LOW"],
  ["transaction underpriced: gas tip cap 0, minimum needed 1000000", "FEE_TOO_LOW"],
  ["replacement transaction underpriced", "REPLACEMENT_UNDERPRICED"],
  ["future transaction tries to replace pending", "NONCE_TOO_HIGH", true],
  ["txpool is full", "POOL_FULL", true],
  ["already known", "ALREADY_KNOWN"],
  ["nonce too low: next nonce 7, tx nonce 6", "NONCE_TOO_LOW"],
  ["gapped-nonce tx from delegated accounts", "NONCE_TOO_HIGH", true],
  ["in-flight transaction limit reached for delegated accounts", "SENDER_LIMITED", true],
  ["intrinsic gas too low", "GAS_TOO_LOW"],
  ["exceeds block gas limit", "GAS_TOO_HIGH"],
  ["transaction gas limit too high (cap: 16777216, tx: 20000000)", "GAS_TOO_HIGH"],
  ["insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1", "ETH_TOO_LOW"],
  ["invalid chain id for signer: have 1 want 84532", "TRANSACTION_INVALID"],
  ["only replay-protected (EIP-155) transactions allowed over RPC", "TRANSACTION_INVALID"],
  ["interop tx filtered", "TRANSACTION_FILTERED", true],
];

const RAW = await new Wallet(`0x${"11".repeat(32)}`).signTransaction({
  type: 2,
  chainId: CHAIN,
  nonce: 7,
  to: `0x${"22".repeat(20)}`,
  gasLimit: 21_000n,
  maxFeePerGas: parseUnits("1", "gwei"),
  maxPriorityFeePerGas: 1n,
});
const SEND = "eth_sendRawTransaction";

function says(message: string, code = -32000): Reply {
  return ({ method }) => (method === SEND ? { error: { code, message } } : undefined);
}

function pool([words, code, elsewhere]: (typeof POOL)[number]): FaultCase {
  return {
    name: `a pool says "${words}"`,
    run: async () =>
      onBench(async (bench) => {
        const [first, other] = [await bench.standIn({ reply: says(words) }), await bench.standIn()];
        const only = bench.provider([first.url]);
        await only.open();
        const error = await failure(only.send(SEND, [RAW]));
        assert.equal(error.code, code, error.message);
        assert.ok(code === "ALREADY_KNOWN" || /nonce|pays|pool|gas|ETH|fee|key|form|filters/i.test(error.message));
        if (code === "RPC_FEE_CAP") assert.doesNotMatch(error.message, /16,777,216|more gas/);
        assert.equal(first.asked.length, 1, "asked once");
        const both = bench.provider([first.url, other.url]);
        await both.open();
        if (elsewhere) assert.equal(await both.send(SEND, [RAW]), keccak256(RAW));
        else assert.equal((await failure(both.send(SEND, [RAW]))).code, code);
        assert.equal(other.asked.length, elsewhere ? 1 : 0);
        if (!elsewhere) return;
        other.reply = says(words);
        assert.equal((await failure(both.send(SEND, [RAW]))).code, code, "refused everywhere");
      }),
  };
}

/** Sends through two endpoints that fail one after the other. */
function twice(
  name: string,
  faults: [Reply | Http, Reply],
  right: (bench: Bench, asked: Promise<unknown>) => Promise<void>,
): FaultCase {
  return {
    name,
    run: async () =>
      onBench(async (bench) => {
        const [fault, reply] = faults;
        // A fault of the whole request takes the response first, one of an answer only the call.
        const first = await bench.standIn(fault.length > 1 ? { http: fault as Http } : { reply: fault as Reply });
        const other = await bench.standIn({ reply });
        const both = bench.provider([first.url, other.url], { timeoutMs: fault === silent ? SHORT_MS : 1000 });
        await both.open();
        await right(bench, both.send(SEND, [RAW]));
      }),
  };
}

const silent: Http = (_response, calls) => calls.some(({ method }) => method === SEND);
const cut: Http = (response, calls) => {
  if (!calls.some(({ method }) => method === SEND)) return false;
  response.socket?.destroy();
  return true;
};

async function mayHaveArrived(_bench: Bench, asked: Promise<unknown>): Promise<void> {
  const error = await unavailable(asked);
  assert.equal(error.details["sent"], true, error.message);
}

const TWICE: readonly FaultCase[] = [
  twice(
    "a transaction: silence here, too little ETH there",
    [silent, says("insufficient funds for gas")],
    mayHaveArrived,
  ),
  twice("a transaction: cut off here, a full pool there", [cut, says("txpool is full")], mayHaveArrived),
  twice(
    "a transaction: an internal error here, underpriced there",
    [says("Internal error", -32603), says("transaction underpriced")],
    mayHaveArrived,
  ),
  twice(
    "a transaction: a full pool here, an internal error there",
    [says("txpool is full"), says("Internal error", -32603)],
    mayHaveArrived,
  ),
  twice("a transaction: silence here, known there", [silent, says("already known")], async (_bench, asked) => {
    assert.equal((await failure(asked)).code, "ALREADY_KNOWN");
  }),
  twice("a transaction: silence here, its nonce used there", [silent, says("nonce too low")], async (_bench, asked) => {
    assert.equal((await failure(asked)).code, "NONCE_TOO_LOW");
  }),
  twice(
    "a transaction: a rate limit here, too little ETH there",
    [says("over rate limit", -32016), says("insufficient funds for gas")],
    async (_bench, asked) => {
      assert.equal((await failure(asked)).code, "ETH_TOO_LOW", "an endpoint that only throttles has not passed it on");
    },
  ),
  twice(
    "a transaction: no such method here, a full pool there",
    [says("the method does not exist", -32601), says("txpool is full")],
    async (_bench, asked) => {
      assert.equal((await failure(asked)).code, "POOL_FULL");
    },
  ),
];

/** A node that lacks methods which have to do with fees. */
function without(name: string, missing: readonly string[], tip: bigint): FaultCase {
  return {
    name: `a node without ${name}`,
    run: async () =>
      onBench(async (bench) => {
        const reply: Reply = ({ method }) =>
          missing.includes(method)
            ? { error: { code: -32601, message: `the method ${method} does not exist/is not available` } }
            : method === "eth_gasPrice"
              ? { result: "0x2faf080" }
              : undefined;
        const node = await bench.standIn({ reply });
        const provider = bench.provider([node.url]);
        assert.equal(BigInt((await provider.send("eth_maxPriorityFeePerGas", [])) as string), tip);
        assert.ok((await provider.getFeeData()).maxFeePerGas);
      }),
  };
}

const TIPS: readonly FaultCase[] = [
  without("eth_maxPriorityFeePerGas", ["eth_maxPriorityFeePerGas"], 0x2faf080n),
  without("it and eth_feeHistory", ["eth_maxPriorityFeePerGas", "eth_feeHistory"], 0x2faf080n - 1_000_000n),
  without("any advice about fees", ["eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_gasPrice"], 1_000_000n),
];

/** What endpoints do with transactions. */
export const SENDS: readonly FaultCase[] = [...POOL.map(pool), ...TWICE, ...TIPS];
