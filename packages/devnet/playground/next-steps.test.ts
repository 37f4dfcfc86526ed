import assert from "node:assert/strict";
import { test } from "node:test";

import { DEVNET_NODES, SAMPLE_SPEC } from "./accounts.ts";
import { nextSteps } from "./next-steps.ts";

const FACTS = { spec: "a/spec.json", agent: "a/agent.json", results: "a/results", operator: "0x1", victim: "ada" };

test("every step has a name of its own and a command that begins with the one script", () => {
  const steps = nextSteps(FACTS);
  assert.equal(new Set(steps.map(({ id }) => id)).size, steps.length);
  for (const { command } of steps) assert.match(command, /^scripts\/drmp [a-z]/);
});

test("the sample task fits the cheaper of two nodes in its class, and the other has room for all of it", () => {
  const command = nextSteps(FACTS).find(({ id }) => id === "submit")?.command ?? "";
  const units = Number(/--units (\d+)/.exec(command)?.[1]);
  const [, price = "", name = ""] = /--max-price (\S+) --classes (\S+)/.exec(command) ?? [];
  const able = DEVNET_NODES.filter(({ class: own, ask }) => own === name && Number(ask) <= Number(price));
  assert.deepEqual(
    able.toSorted((a, b) => Number(a.ask) - Number(b.ask)).map(({ name: who, capacity }) => [who, capacity >= units]),
    [
      [FACTS.victim, true],
      ["bob", true],
    ],
  );
  const grid = JSON.parse(SAMPLE_SPEC.env?.["DIGITS_GRID"] ?? "{}") as { hidden: number[]; learningRate: number[] };
  assert.equal(grid.hidden.length * grid.learningRate.length, units, "a unit trains one point of the grid");
});

test("at most one node needs a container engine", () => {
  assert.equal(DEVNET_NODES.filter(({ containers }) => containers).length, 1);
});
