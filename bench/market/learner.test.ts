import assert from "node:assert/strict";
import { test } from "node:test";

import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { cross, mutate, search } from "./learner.ts";
import { describe, GENE_NAMES, GENES, HONEST, isHonest, type Strategy, strategyOf } from "./genes.ts";

const SIZE = { generations: 12, population: 12, parents: 5 };
/** A landscape whose top needs three genes together. */
const target: Partial<Strategy> = { release: "at-once", ask: 0, flood: 5 };
const worth = (strategy: Strategy): number =>
  Object.entries(target).filter(([name, value]) => strategy[name as keyof Strategy] === value).length;

test("a mutation changes a gene at least, to another value that the gene has", () => {
  const random = randomNumbers(3);
  for (let i = 0; i < 200; i++) {
    const changed = mutate(HONEST, random);
    const others = GENE_NAMES.filter((name) => changed[name] !== HONEST[name]);
    assert.ok(others.length >= 1);
    for (const name of others) assert.ok((GENES[name] as readonly unknown[]).includes(changed[name]));
  }
});

test("a child has each gene of one of its parents", () => {
  const other = strategyOf({ nodes: 4, move: "own", ask: 1 });
  const random = randomNumbers(5);
  for (let i = 0; i < 50; i++) {
    const child = cross(HONEST, other, random);
    for (const name of GENE_NAMES) assert.ok(child[name] === HONEST[name] || child[name] === other[name]);
  }
});

test("the search finds choices that pay only together, and plays nothing twice nor honestly", async () => {
  const played: string[] = [];
  const tried = await search([strategyOf({ dust: 1 })], SIZE, randomNumbers(1), async (strategy) => {
    assert.ok(!isHonest(strategy));
    played.push(describe(strategy));
    return Promise.resolve(worth(strategy));
  });
  assert.equal(tried[0]?.fitness, 3, describe(tried[0]?.strategy ?? HONEST));
  assert.equal(new Set(played).size, played.length);
  assert.equal(played.length, SIZE.generations * SIZE.population);
  assert.deepEqual(
    tried.map((each) => each.fitness),
    [...tried.map((each) => each.fitness)].sort((a, b) => b - a),
  );
});

test("the same seed finds the same strategies, another one others", async () => {
  const run = async (seed: number) =>
    (await search([strategyOf({ dust: 1 })], SIZE, randomNumbers(seed), (s) => Promise.resolve(worth(s)))).map(
      ({ strategy }) => describe(strategy),
    );
  assert.deepEqual(await run(4), await run(4));
  assert.notDeepEqual(await run(4), await run(5));
});
