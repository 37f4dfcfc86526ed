import assert from "node:assert/strict";
import { test } from "node:test";

import type { Node } from "./entities.ts";
import { RpcUnavailableError } from "./errors.ts";
import { groupListings } from "./snapshot.ts";

const CLASSES = [
  { id: 0, name: "cpu/eu", tickSize: 1000 },
  { id: 2, name: "cpu/us", tickSize: 500 },
];

function node(id: number, listing?: Node["listing"]): Node {
  return {
    id,
    status: "active",
    classId: 0,
    askTick: 0,
    capacity: 9,
    leased: 0,
    undecided: 0,
    ...(listing && { listing }),
    cooldownUntil: 0,
    withdrawableAt: 0,
    owner: "0x",
    operator: "0x",
    energySource: "grid",
    powerThreshold: 0,
    powerMax: 0,
    eligible: true,
    stake: 0n,
    endpoint: "",
  };
}

test("listed nodes are grouped by class, by tick and position", () => {
  const nodes = [
    node(1, { classId: 0, tick: 5, units: 3, position: 1 }),
    node(2),
    node(3, { classId: 0, tick: 5, units: 4, position: 0 }),
    node(4, { classId: 0, tick: 2, units: 1, position: 0 }),
    // The class with which it is listed counts, not the one that it has asked for since.
    node(5, { classId: 2, tick: 7, units: 2, position: 0 }),
    node(6, { classId: 1, tick: 7, units: 2, position: 0 }),
  ];
  assert.deepEqual(groupListings(CLASSES, nodes), [
    {
      ...CLASSES[0],
      nodes: [
        { id: 4, tick: 2, units: 1, position: 0 },
        { id: 3, tick: 5, units: 4, position: 0 },
        { id: 1, tick: 5, units: 3, position: 1 },
      ],
    },
    { ...CLASSES[1], nodes: [{ id: 5, tick: 7, units: 2, position: 0 }] },
  ]);
});

test("pages from different blocks are noticed", () => {
  const twice = [
    node(1, { classId: 0, tick: 5, units: 3, position: 0 }),
    node(2, { classId: 0, tick: 5, units: 3, position: 0 }),
  ];
  assert.throws(() => groupListings(CLASSES, twice), RpcUnavailableError);
  const hole = [
    node(1, { classId: 0, tick: 5, units: 3, position: 0 }),
    node(2, { classId: 0, tick: 5, units: 3, position: 2 }),
  ];
  assert.throws(() => groupListings(CLASSES, hole), /Node 2 stands at place 2 of tick 5 where place 1 was expected/);
});
