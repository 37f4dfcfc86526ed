import assert from "node:assert/strict";
import { test } from "node:test";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { chooseExecutor } from "./executor.ts";
import { executorConfig } from "./executor-config.ts";

const network = (chainId: number) => ({ rpcUrl: "http://127.0.0.1:8545", fallbackRpcUrls: [], chainId });

test("containers by default, processes on a local chain; what is configured goes first", () => {
  const kindOn = (chainId: number, executor?: object) =>
    chooseExecutor({ network: network(chainId), executor: executorConfig.parse(executor) }).kind;
  assert.equal(kindOn(8453), "container");
  assert.equal(kindOn(84532), "container");
  assert.equal(kindOn(LOCAL_CHAIN_ID), "process");
  assert.equal(kindOn(LOCAL_CHAIN_ID, { kind: "container" }), "container");
  assert.equal(kindOn(8453, { kind: "process" }), "process");
});

test("nothing but built-in trainers runs as a process, unless told by a name that says what it means", () => {
  const entry = { entry: "/opt/mine.ts" };
  const told = executorConfig.parse({ kind: "process", unsafeTrainersWithoutContainer: { mine: entry } });
  assert.deepEqual(told, { kind: "process", unsafeTrainersWithoutContainer: { mine: { ...entry, readable: [] } } });
  assert.deepEqual(executorConfig.parse({ kind: "process" }), { kind: "process", unsafeTrainersWithoutContainer: {} });
  assert.throws(() => executorConfig.parse({ kind: "process", trainers: {} }), /unrecognized/i);
  assert.throws(() => executorConfig.parse({ kind: "container", privileged: true }), /unrecognized/i);
});
