import assert from "node:assert/strict";
import { test } from "node:test";

import { makeError } from "ethers";

import { RpcUnavailableError } from "../errors.ts";
import { PageSize, readPages, runsOf } from "./pager.ts";

function ids(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** An endpoint that serves at most `most` entries at once. */
function endpoint(most: number, failure: () => Error) {
  const calls: number[] = [];
  const read = async (from: number, count: number): Promise<number[]> => {
    calls.push(count);
    if (count > most) throw failure();
    return ids(from, count);
  };
  return { read, calls };
}

function outOfGas(): Error {
  return makeError("missing revert data", "CALL_EXCEPTION", {
    action: "call",
    data: null,
    reason: null,
    transaction: { to: null, data: "" },
    invocation: null,
    revert: null,
  });
}

test("pages are read one after the other, the last one shorter", async () => {
  const { read, calls } = endpoint(100, outOfGas);
  assert.deepEqual(await readPages(read, 1, 25, new PageSize(10)), ids(1, 25));
  assert.deepEqual(calls, [10, 10, 5]);
  assert.deepEqual(await readPages(read, 26, 25, new PageSize(10)), []);
});

test("a page that the endpoint cannot serve is halved, and the size remembered", async () => {
  const { read, calls } = endpoint(30, outOfGas);
  const size = new PageSize(100);
  assert.deepEqual(await readPages(read, 1, 60, size), ids(1, 60));
  assert.deepEqual(calls, [60, 50, 25, 25, 10]);
  assert.equal(size.current, 25);
});

test("silence and answers that are too large halve as well", async () => {
  for (const reason of ["timeout", "too-large"] as const) {
    const { read } = endpoint(3, () => new RpcUnavailableError(reason, "no"));
    assert.deepEqual(await readPages(read, 1, 10, new PageSize(8)), ids(1, 10));
  }
});

test("what a smaller page does not cure is thrown at once, and never a part returned", async () => {
  const down = endpoint(0, () => new RpcUnavailableError("connection", "down"));
  await assert.rejects(readPages(down.read, 1, 10, new PageSize(8)), RpcUnavailableError);
  assert.equal(down.calls.length, 1);
  const hopeless = endpoint(0, outOfGas);
  await assert.rejects(readPages(hopeless.read, 1, 10, new PageSize(8)), { code: "REVERTED_WITHOUT_REASON" });
  assert.deepEqual(hopeless.calls, [8, 4, 2, 1]);
  await assert.rejects(
    readPages(async (from, count) => ids(from, count - 1), 1, 10, new PageSize(8)),
    /8 entries came back with 7/,
  );
});

test("a halved page grows back when the endpoint has recovered", async () => {
  const size = new PageSize(64);
  assert.ok(size.halve());
  assert.ok(size.halve());
  const { read } = endpoint(64, outOfGas);
  await readPages(read, 1, 16 * 40, size);
  assert.ok(size.current > 16);
  await readPages(read, 1, 64 * 40, size);
  assert.equal(size.current, 64);
});

test("neighbouring ids share a run", () => {
  assert.deepEqual(runsOf([9, 1, 2, 3, 5, 30], 2), [
    { from: 1, to: 5 },
    { from: 9, to: 9 },
    { from: 30, to: 30 },
  ]);
  assert.deepEqual(runsOf([1, 4], 2), [{ from: 1, to: 4 }]);
  assert.deepEqual(runsOf([1, 5], 2), [
    { from: 1, to: 1 },
    { from: 5, to: 5 },
  ]);
  assert.deepEqual(runsOf([], 2), []);
});
