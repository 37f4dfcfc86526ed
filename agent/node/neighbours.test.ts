import assert from "node:assert/strict";
import { test } from "node:test";

import { FIRST_NEIGHBOURS } from "@verai/checkpoint-store/peers";
import { chooseNeighbours, heldLeases, isSampleShort, sampleIds } from "./neighbours.ts";

const node = (nodeId: number, endpoint = `/ip4/203.0.113.7/tcp/${String(nodeId)}`) => ({ nodeId, endpoint });
const ports = (addresses: readonly string[]) => addresses.map((address) => Number(address.split("/").at(-1)));

test("holders and producers come first, once each, then the sample; never the own node, nor one without an address", () => {
  const chosen = chooseNeighbours({
    nodeId: 7,
    holders: [node(3), node(7), node(4, ""), node(5)],
    producers: [node(5), node(6)],
    sample: [node(1), node(3), node(9, "/ip4/203.0.113.7/tcp/9,/ip4/203.0.113.7/tcp/90")],
  });
  assert.deepEqual(ports(chosen), [3, 5, 6, 1, 9, 90]);
});

test("those with a reason are bounded, and neither kind takes the places of the other", () => {
  const many = (from: number) => Array.from({ length: 400 }, (_, i) => node(from + i));
  const chosen = ports(
    chooseNeighbours({ nodeId: 1, holders: many(1_000), producers: many(2_000), sample: [node(9)] }),
  );
  assert.equal(chosen.length, FIRST_NEIGHBOURS + 1);
  assert.equal(chosen.filter((id) => id >= 1_000 && id < 2_000).length, FIRST_NEIGHBOURS / 2);
  assert.equal(chosen.at(-1), 9);
});

test("a sample is all of a small network, and a bounded number of a large one", () => {
  assert.deepEqual(sampleIds(5, 2, 12), [1, 3, 4, 5]);
  const ids = sampleIds(10_000, 2, 12);
  assert.ok(ids.length >= 10 && ids.length <= 12);
  assert.ok(ids.every((id) => id >= 1 && id <= 10_000 && id !== 2));
});

test("a draw of the own node costs no place in the sample", () => {
  const draws = [0, 0.4, 0.2, 0.9, 0.99];
  // The second is node 41, the fifth node 100.
  const ids = sampleIds(100, 41, 5, () => draws.shift() ?? 0.5);
  assert.deepEqual(ids, [1, 42, 21, 91, 100]);
  assert.deepEqual(
    sampleIds(100, 100, 1, () => 0.999),
    [1],
  );
});

test("a small network may grow; a large one has nodes that left, and always will", () => {
  assert.equal(isSampleShort(5, 4, 12), true);
  assert.equal(isSampleShort(24, 12, 12), false);
  assert.equal(isSampleShort(1_000, 11, 12), false);
  assert.equal(isSampleShort(1_000, 0, 12), true);
});

test("what is held is read from the labels of pins", () => {
  const pins = [
    { labels: ["attested-4", "checkpoint-5"] },
    { labels: ["replica-6"] },
    { labels: ["result-7", "attested-x"] },
  ];
  assert.deepEqual(heldLeases(pins), new Set([4, 6]));
});
