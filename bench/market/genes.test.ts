import assert from "node:assert/strict";
import { test } from "node:test";

import { ABSENT, describe, GENE_NAMES, GENES, HONEST, isHonest, strategyOf } from "./genes.ts";
import { HONEST_ASKS, SCRIPTED } from "./strategies.ts";

test("honest play is the first value of each gene; only its price is free", () => {
  for (const name of GENE_NAMES) assert.equal(HONEST[name], GENES[name][0]);
  for (const { strategy } of HONEST_ASKS) assert.ok(isHonest(strategy));
  assert.ok(isHonest(ABSENT));
  assert.ok(!isHonest(strategyOf({ nodes: 2 })));
  assert.ok(!isHonest(strategyOf({ release: "late" })));
});

test("each known attack has a name of its own and is no honest play", () => {
  assert.equal(new Set(SCRIPTED.map(({ name }) => name)).size, SCRIPTED.length);
  assert.equal(new Set(SCRIPTED.map(({ strategy }) => describe(strategy))).size, SCRIPTED.length);
  for (const { name, strategy } of SCRIPTED) assert.ok(!isHonest(strategy), name);
});

test("each choice that a player has is made by some known attack", () => {
  for (const name of GENE_NAMES.filter((gene) => !["raisePrice", "drain", "energy"].includes(gene))) {
    assert.ok(
      SCRIPTED.some(({ strategy }) => strategy[name] !== GENES[name][0]),
      name,
    );
  }
});

test("a strategy is described by what it does otherwise", () => {
  assert.equal(describe(strategyOf({ move: "own", nodes: 2 })), "nodes=2 ask=0.5 move=own");
});
