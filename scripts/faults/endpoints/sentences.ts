import assert from "node:assert/strict";

import { ContractRefusalError, type RpcFailure, RpcUnavailableError } from "@verai/client/errors";
import type { FaultCase } from "@verai/devnet/fault-case";
import { failure, HEAD, onBench, unavailable, within } from "./stand-in.ts";

/** What endpoints of known providers and nodes say instead of an answer: code, words, and why it is none. */
const NO_ANSWERS: readonly (readonly [number | string, string, RpcFailure])[] = [
  [-32011, "no backend is currently healthy to serve traffic", "server"],
  [-32012, "backend is over capacity", "throttled"],
  [-32016, "over rate limit", "throttled"],
  [-32005, "limit exceeded", "throttled"],
  [-32005, "query returned more than 10000 results", "too-large"],
  [-32007, "15/second request limit reached - reduce calls per second or upgrade your account", "throttled"],
  [-32029, "Too Many Requests", "throttled"],
  [429, "Your app has exceeded its compute units per second capacity.", "throttled"],
  [-32000, "daily request count exceeded, request rate limited", "throttled"],
  [-32090, "Too many requests, reason: call rate limit exhausted, retry in 10ms", "throttled"],
  [-32603, "Internal error", "server"],
  [-32000, "Internal server error", "server"],
  [19, "Temporary internal error. Please retry, trace-id: ab", "server"],
  [-32000, "context deadline exceeded", "timeout"],
  [-32000, "execution aborted (timeout = 5s)", "timeout"],
  [-32002, "request timed out", "timeout"],
  [-32000, "upstream connect error or disconnect/reset before headers", "server"],
  [-32001, "Unable to complete request at this time.", "server"],
  [-32000, "header not found", "behind"],
  [-32000, "missing trie node 5af1 (path )", "behind"],
  [-32000, "historical state 0xabc is not available", "behind"],
  [-32000, "state at block #123 is pruned", "behind"],
  [-32014, "block is not available", "behind"],
  [-32000, "block range extends beyond current head block", "behind"],
  [-32603, "failed to get block", "behind"],
  [-32000, "empty reader set", "behind"],
  [-32008, "Response is too big", "too-large"],
  [35, "ranges over 10000 blocks are not supported on freetier", "too-large"],
  [-32052, "API key is not allowed to access blockchain", "refused"],
  [-32600, "Must be authenticated!", "refused"],
  [-32601, "the method eth_call does not exist/is not available", "unsupported"],
  [-32602, "invalid argument 1: unknown tag", "unsupported"],
  [-32604, "method not whitelisted", "unsupported"],
  ["E_BUSY", "come back tomorrow", "server"],
  [0, "", "server"],
];

/** Whether an endpoint may be asked the same again: there is nothing to gain with these. */
const FOR_GOOD: readonly RpcFailure[] = ["too-large", "refused", "unsupported"];

const CALL = [{ to: `0x${"11".repeat(20)}`, data: "0x12345678" }, "latest"];

function noAnswer([code, message, reason]: (typeof NO_ANSWERS)[number]): FaultCase {
  return {
    name: `an endpoint says (${String(code)}) "${message}"`,
    run: async () =>
      onBench(async (bench) => {
        const reply = () => ({ error: { code, message } });
        const [bad, good] = [await bench.standIn({ reply }), await bench.standIn()];
        const both = bench.provider([bad.url, good.url]);
        await both.open();
        assert.equal(await within(2000, () => both.send("eth_call", CALL)), "0x2a");
        const only = bench.provider([bad.url]);
        await only.open();
        bad.asked.length = 0;
        const error = await within(3000, () => unavailable(only.send("eth_call", CALL), reason));
        assert.equal(bad.asked.length, FOR_GOOD.includes(reason) ? 1 : 2, "tries");
        assert.ok(message === "" || error.message.includes(message), `the node's own words: ${error.message}`);
      }),
  };
}

/** What is an answer about a call, in the words of several nodes: error, and what it is told as. */
const REVERTS: readonly (readonly [what: string, error: object, told: RegExp])[] = [
  ["Geth's, with data", { code: 3, message: "execution reverted", data: "0xdeadbeef" }, /0xdeadbeef/],
  [
    "Hardhat's, data in data",
    { code: -32603, message: "Error: VM Exception", data: { data: "0xdeadbeef" } },
    /0xdeadbeef/,
  ],
  [
    "Nethermind's, after a word",
    { code: -32015, message: "VM execution error.", data: "Reverted 0xdeadbeef" },
    /0xdeadbeef/,
  ],
  [
    "one whose reason sounds like a limit",
    { code: 3, message: "execution reverted: too many requests" },
    /too many requests/,
  ],
  ["one without data", { code: -32000, message: "execution reverted" }, /without a reason/],
  ["a bare selector of a text", { code: 3, message: "execution reverted", data: "0x08c379a0" }, /0x08c379a0/],
  ["a panic that is cut short", { code: 3, message: "execution reverted", data: "0x4e487b7100" }, /without a reason/],
  ["an opcode that is none", { code: -32000, message: "invalid opcode: opcode 0xfe not defined" }, /without a reason/],
  ["out of gas", { code: -32000, message: "out of gas" }, /ran out of gas/],
  [
    "more gas than the RPC allows",
    { code: -32000, message: "gas required exceeds allowance (50000000)" },
    /ran out of gas/,
  ],
];

function revert([what, error, told]: (typeof REVERTS)[number]): FaultCase {
  return {
    name: `a revert is an answer: ${what}`,
    run: async () =>
      onBench(async (bench) => {
        const [first, other] = [await bench.standIn({ reply: () => ({ error }) }), await bench.standIn()];
        const both = bench.provider([first.url, other.url]);
        await both.open();
        const explained = await failure(both.send("eth_call", CALL));
        assert.ok(!(explained instanceof RpcUnavailableError), explained.message);
        if (told.source.startsWith("0x")) assert.ok(explained instanceof ContractRefusalError);
        assert.match(explained.message, told);
        assert.deepEqual([first.asked, other.asked], [["eth_call"], []], "nobody else is asked");
      }),
  };
}

/** A revert where nothing runs is none. */
const NOT_HERE: FaultCase = {
  name: "a revert of a method that runs nothing",
  run: async () =>
    onBench(async (bench) => {
      const reply = () => ({ error: { code: 3, message: "execution", data: "0x08c379a0" } });
      const [bad, good] = [await bench.standIn({ reply }), await bench.standIn()];
      const both = bench.provider([bad.url, good.url]);
      await both.open();
      assert.equal(await both.getBlockNumber(), HEAD);
      await unavailable(bench.provider([bad.url]).getBlockNumber(), "server");
    }),
};

/** Endpoints that say something in words: no answers, and answers. */
export const SENTENCES: readonly FaultCase[] = [...NO_ANSWERS.map(noAnswer), ...REVERTS.map(revert), NOT_HERE];
