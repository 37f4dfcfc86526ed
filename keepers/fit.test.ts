import assert from "node:assert/strict";
import { test } from "node:test";

import { RpcUnavailableError } from "@verai/client/errors";
import { fitting } from "./fit.ts";

const each =
  (gas: number) =>
  (count: number, { gasLimit }: { gasLimit: bigint }) =>
    BigInt(gas * count) <= gasLimit ? Promise.resolve() : Promise.reject(new Error("out of gas"));

test("takes all that fits, else most of what fills a transaction", async () => {
  assert.equal(await fitting(128, 8, each(100_000)), 128);
  assert.equal(await fitting(128, 8, each(200_000)), 72);
  assert.equal(await fitting(128, 8, each(10_000_000)), 22);
  assert.equal(await fitting(20, 16, each(10_000_000)), 16);
});

test("asks nobody about what fits in any case", async () => {
  assert.equal(await fitting(5, 8, () => Promise.reject(new RpcUnavailableError("connection", "silence"))), 5);
});

test("an endpoint that is silent says nothing about sizes", async () => {
  const silent = () => Promise.reject(new RpcUnavailableError("connection", "it gave no answer"));
  await assert.rejects(fitting(128, 8, silent), RpcUnavailableError);
});
