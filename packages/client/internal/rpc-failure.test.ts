import assert from "node:assert/strict";
import { test } from "node:test";

import { classifyAnswer, classifyError, retryAfterMs, revertDataOf, statusFailure, wordsOf } from "./rpc-failure.ts";

const CALL = { method: "eth_call", params: [{ to: "0x" }, "latest"] };
const said = (message: string, code = -32000) => classifyError(CALL, { code, message });

test("an answer is a well-formed result of the method's shape", () => {
  assert.deepEqual(classifyAnswer(CALL, { jsonrpc: "2.0", id: 1, result: "0x" }), { kind: "answer" });
  assert.deepEqual(classifyAnswer(CALL, { id: 1, result: "0x12", error: null }), { kind: "answer" });
  for (const response of [null, [], "0x", {}, { result: null }, { result: "0x1" }, { jsonrpc: "1.0", result: "0x" }]) {
    assert.equal(classifyAnswer(CALL, response).kind, "unavailable", JSON.stringify(response));
  }
  const both = { result: "0x", error: { code: 3, message: "execution reverted" } };
  assert.equal(classifyAnswer(CALL, both).kind, "unavailable");
});

test("a revert is an answer where code runs, and nowhere else", () => {
  const error = { code: 3, message: "execution reverted: too many requests", data: "0xDEADBEEF" };
  assert.deepEqual(classifyError(CALL, error), { kind: "revert", data: "0xdeadbeef" });
  assert.deepEqual(said("execution reverted"), { kind: "revert", data: "0x" });
  assert.equal(classifyError({ method: "eth_blockNumber" }, error).kind, "rate-limited");
  assert.equal(revertDataOf({ data: "Reverted 0xdeadbeef" }), "0xdeadbeef");
  assert.equal(revertDataOf({ data: { data: "0xdeadbeef" } }), "0xdeadbeef");
  for (const data of ["0xdead", "0xdeadbee", "deadbeef", null, 7]) assert.equal(revertDataOf({ data }), undefined);
});

test("a pool's known sentences are answers, and those of one node's own rules are marked", () => {
  assert.deepEqual(said("nonce too low: next nonce 7, tx nonce 6"), {
    kind: "refusal",
    code: "NONCE_TOO_LOW",
    local: false,
  });
  assert.deepEqual(said("txpool is full"), { kind: "refusal", code: "POOL_FULL", local: true });
  assert.deepEqual(said("tx fee (1.63 ether) exceeds the configured cap (1.00 ether)"), {
    kind: "refusal",
    code: "RPC_FEE_CAP",
    local: true,
  });
  const unknown = said("unknown transaction");
  assert.equal(unknown.kind, "unavailable", "nothing is known by half a word");
});

test("what is no answer has a reason, and a pause where one is asked for", () => {
  assert.deepEqual(said("no backend is currently healthy to serve traffic", -32011), {
    kind: "unavailable",
    reason: "server",
    what: "no backend is currently healthy to serve traffic",
  });
  const limited = { code: -32090, message: "Too many requests, retry in 10s" };
  assert.deepEqual(classifyError(CALL, limited), { kind: "rate-limited", what: limited.message, pauseMs: 10_000 });
  const infura = { code: -32005, message: "limit exceeded", data: { rate: { backoff_seconds: 30 } } };
  assert.equal((classifyError(CALL, infura) as { pauseMs?: number }).pauseMs, 30_000);
  assert.equal((said("the method does not exist", -32601) as { reason?: string }).reason, "unsupported");
  assert.equal((said("query returned more than 10000 results", -32005) as { reason?: string }).reason, "too-large");
});

test("statuses, pauses and words are read as what they are", () => {
  assert.deepEqual([302, 401, 413, 429, 500, 504].map(statusFailure), [
    "refused",
    "refused",
    "too-large",
    "throttled",
    "server",
    "timeout",
  ]);
  assert.equal(retryAfterMs("2", 0), 2000);
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:03 GMT", 1000), 2000);
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:03 GMT", 9000), 0);
  for (const header of [undefined, "", "-1", "soon"]) assert.equal(retryAfterMs(header, 0), undefined);
  assert.equal(wordsOf({ message: "a\u001b[2J\n b" }), "a [2J b");
  assert.equal(wordsOf("x".repeat(5000)).length, 300);
});
