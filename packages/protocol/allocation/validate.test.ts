import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Round } from "./model.ts";
import { RefusalError } from "./refusal.ts";
import { plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { validateRound } from "./validate.ts";

const good = plainRound({
  tasks: [[4, 9000, { 1: 0, 2: 0 }]],
  supply: {
    1: [
      [1, 3],
      [1, 3],
    ],
    2: [[3, 3]],
  },
});

function refuse(change: (round: Mutable<Round>) => void, message: RegExp): void {
  const round = structuredClone(good) as Mutable<Round>;
  change(round);
  assert.throws(
    () => {
      validateRound(round);
    },
    (error) => error instanceof RefusalError && error.code === "InvalidRound" && message.test(error.message),
  );
}

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

/** An element that exists. */
function at<T>(list: readonly T[], index = 0): T {
  const element = list[index];
  assert.ok(element !== undefined);
  return element;
}

test("what the chain can have frozen passes", () => {
  validateRound(good);
  validateRound({ ...good, tasks: [], classes: [] });
  fc.assert(fc.property(rounds({ tasks: 5, classes: 5, nodes: 8, units: 9 }), validateRound), seeded(200));
});

test("numbers that are none, or out of bounds, are refused by name", () => {
  refuse((r) => (at(r.tasks).maxPrice = NaN), /NaN is impossible for the maximum price of task 1/);
  refuse((r) => (at(r.tasks).maxPrice = 0), /0 is impossible for the maximum price/);
  refuse((r) => (at(r.tasks).maxPrice = 2 ** 40), /maximum price of task 1.*1 to 1099511627775/);
  refuse((r) => (at(r.tasks).units = 0), /units of task 1/);
  refuse((r) => (at(r.tasks).units = 2 ** 20 + 1), /units of task 1/);
  refuse((r) => (at(at(r.tasks).classes).surcharge = -1), /-1 is impossible for the surcharge/);
  refuse((r) => (at(at(r.tasks).classes).surcharge = 0.5), /0\.5 is impossible/);
  refuse((r) => (at(r.classes).tickSize = 0), /tick size of class kind-1/);
  refuse((r) => (at(r.classes).tickSize = 2 ** 30), /tick size of class kind-1/);
  refuse((r) => (at(at(r.classes).nodes).tick = 4096), /tick of node 11/);
  refuse((r) => (at(at(r.classes).nodes).units = 0), /units of node 11/);
  refuse((r) => (at(at(r.classes).nodes).units = 2 ** 32 - 1), /units listed in class kind-1/);
  refuse((r) => (at(r.tasks).units = "4" as unknown as number), /units of task 1/);
  refuse((r) => (r.seed = "0x12"), /no 32-byte seed/);
});

test("values that would fit a column only as another number are refused", () => {
  refuse((r) => (at(at(r.classes).nodes).id = 2 ** 32 + 11), /4294967307 is impossible for a node's id/);
  refuse((r) => (at(at(r.classes).nodes).tick = 2 ** 16 + 1), /65537 is impossible for the tick of node 11/);
  refuse((r) => (at(at(r.classes).nodes).units = 1.5), /1\.5 is impossible for the units of node 11/);
  refuse((r) => (at(at(r.classes).nodes).units = "3" as unknown as number), /3 is impossible for the units/);
  refuse((r) => (at(at(r.classes).nodes).position = -1), /-1 is impossible for the position of node 11/);
});

test("an id that comes twice is found whether ids are close together or far apart", () => {
  const ids = (...chosen: number[]): Round => ({
    ...good,
    classes: [
      at(good.classes),
      {
        ...at(good.classes, 1),
        nodes: chosen.map((id, i) => ({ id, tick: i, units: 1, position: 0 })),
      },
    ],
  });
  for (const high of [31, 32, 63, 64, 2 ** 31, 2 ** 32 - 1]) {
    validateRound(ids(1, high));
    assert.throws(
      () => {
        validateRound(ids(1, high, 2, high));
      },
      new RegExp(`node ${high} twice`),
    );
  }
});

test("contradictions are refused", () => {
  refuse((r) => r.tasks.push(at(r.tasks)), /task 1 twice/);
  refuse((r) => (at(r.classes, 1).nodes = [{ ...at(at(r.classes, 1).nodes), id: 11 }]), /node 11 twice/);
  refuse((r) => at(r.tasks).classes.reverse(), /classes of task 1 are not in ascending order/);
  refuse((r) => r.classes.reverse(), /classes of Round 9 are not in ascending order/);
  refuse((r) => r.classes.pop(), /accepts class 2, which the round does not have/);
  refuse((r) => at(r.tasks).classes.pop(), /No task of Round 9 accepts class kind-2/);
  refuse((r) => (at(at(r.classes).nodes).position = 2), /positions at tick 1 of class kind-1\/eu are not 0 to 1/);
  refuse((r) => (at(at(r.classes).nodes).position = 1), /positions at tick 1 of class kind-1\/eu/);
});
