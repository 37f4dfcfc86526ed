import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease, Node } from "@verai/client/entities";
import { FIRST_NEIGHBOURS } from "@verai/checkpoint-store/peers";
import { chooseNeighbours, heldLeases } from "./neighbours.ts";
import { rankHolders } from "../replication/holders.ts";

const node = (id: number, status: Node["status"] = "active", endpoint = `/ip4/203.0.113.7/tcp/${id}`) => ({
  ...{ id, status, endpoint },
});
const lease = (id: number, taskId: number, nodeId: number, status: Lease["status"] = "active") => ({
  ...{ id, taskId, nodeId, status },
});

test("own holders, producers of what is held, and fellow nodes come first, then all others once", () => {
  const nodes = Array.from({ length: 1_000 }, (_, index) => node(index + 1));
  const leases = [lease(1, 1, 500), lease(2, 1, 7), lease(3, 2, 600), lease(4, 3, 700), lease(5, 4, 7, "expired")];
  const chosen = chooseNeighbours({ nodeId: 7, nodes, leases, held: new Set([3]) });
  const active = nodes.map(({ id }) => id).filter((id) => id !== 7);
  assert.deepEqual(chosen.slice(0, 5), [...rankHolders(2, 7, active).slice(0, 3), 600, 500]);
  assert.equal(chosen.length, 999);
  assert.equal(new Set(chosen).size, 999);
  assert.ok(!chosen.includes(7) && !chosen.slice(0, 5).includes(700));
});

test("those with a reason are bounded; who has left, or says no address, is no neighbour", () => {
  const nodes = [node(1), node(2, "draining"), node(3, "withdrawn"), node(4, "active", ""), node(5)];
  assert.deepEqual(chooseNeighbours({ nodeId: 1, nodes, leases: [], held: new Set() }), [2, 5]);
  const many = Array.from({ length: 400 }, (_, index) => node(index + 1));
  const leases = many.map(({ id }) => lease(id, 1, id));
  const chosen = chooseNeighbours({ nodeId: 1, nodes: many, leases, held: new Set(leases.map(({ id }) => id)) });
  assert.deepEqual(
    chosen.slice(FIRST_NEIGHBOURS),
    chosen.slice(FIRST_NEIGHBOURS).toSorted((a, b) => a - b),
  );
  assert.equal(chosen.length, 399);
});

test("what is held is read from the labels of pins", () => {
  const pins = [
    { labels: ["attested-4", "checkpoint-5"] },
    { labels: ["replica-6"] },
    { labels: ["result-7", "attested-x"] },
  ];
  assert.deepEqual(heldLeases(pins), new Set([4, 6]));
});
