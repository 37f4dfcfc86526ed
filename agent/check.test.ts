import assert from "node:assert/strict";
import { test } from "node:test";

import type { Node } from "@verai/client/entities";
import { offerFindings, registeredFindings } from "./check-offer.ts";
import { configFindings } from "./check.ts";
import { agentConfig } from "./config.ts";

const NODE = {
  class: "cpu/eu",
  capacity: 4,
  ask: "0.012",
  powerThreshold: 250,
  powerMax: 400,
  energySource: "grid" as const,
};
const CLASSES = [
  { id: 0, name: "cpu/eu", tickSize: 1000 },
  { id: 1, name: "cpu/us", tickSize: 1000 },
];
const config = (changes: object = {}) =>
  agentConfig.parse({
    network: { rpcUrl: "http://127.0.0.1:1", chainId: 84532 },
    operator: { keyFile: "operator.key" },
    dataDir: "data",
    node: NODE,
    store: { listen: ["/ip4/0.0.0.0/tcp/4001"], announce: ["/ip4/8.8.8.8/tcp/4001"] },
    executor: { kind: "container" },
    ...changes,
  });

test("the guide's configuration with an address of one's own is found right", () => {
  assert.deepEqual(configFindings(config(), { DOCKER_HOST: "unix:///run/user/1000/docker.sock" }), []);
  assert.deepEqual(offerFindings(NODE, CLASSES), []);
});

test("an ask that follows the market has its ends on the grid, the floor below the ceiling", () => {
  const offer = (floor: string, ceiling: string) =>
    offerFindings(config({ node: { ...NODE, ask: { follow: "clearing", floor, ceiling } } }).node, CLASSES);
  assert.deepEqual(offer("0.01", "0.02"), []);
  assert.deepEqual(
    offer("0.0105", "9.0").map(({ entry }) => entry),
    ["node.ask.floor", "node.ask.ceiling"],
  );
  assert.match(offer("0.03", "0.02")[0]?.what ?? "", /above the ceiling/);
});

test("checkpoints over HTTP take the port above, which health must not have; without them it may", () => {
  const clash = { store: { listen: ["/ip4/0.0.0.0/tcp/9463"], announce: ["/ip4/8.8.8.8/tcp/9463"] } };
  assert.equal(configFindings(config(clash), {})[0]?.entry, "service.port");
  assert.deepEqual(configFindings(config({ store: { ...clash.store, http: false } }), {}), []);
});

test("only what keeps the process from running is asked of a network on one machine", () => {
  const store = { listen: ["/ip4/127.0.0.1/tcp/0"], announce: ["/ip4/10.0.0.1/tcp/4001"] };
  assert.deepEqual(configFindings(config({ store }), {}, false), []);
  const url = { ...store, announce: ["https://node.example.org"] };
  assert.equal(configFindings(config({ store: url }), {}, false).length, 1);
});

test("where the configuration says otherwise than the registration, the command that changes it is named", () => {
  const node = { id: 7, classId: 1, askTick: 12, capacity: 2, status: "active", operator: "0x1" } as Node;
  const found = registeredFindings(NODE, node, CLASSES);
  assert.deepEqual(
    found.map(({ level, entry, value, remedy }) => [
      level,
      entry,
      value,
      /node:update --node 7 --\w+/.exec(remedy)?.[0],
    ]),
    [
      ["warning", "node.class", "cpu/eu", "node:update --node 7 --class"],
      ["warning", "node.capacity", "4", "node:update --node 7 --capacity"],
    ],
  );
  const gone = registeredFindings(NODE, { ...node, classId: 0, capacity: 4, status: "withdrawn" }, CLASSES);
  assert.deepEqual(
    gone.map(({ level, entry }) => [level, entry]),
    [["error", "operator"]],
  );
});
