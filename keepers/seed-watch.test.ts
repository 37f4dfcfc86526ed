import assert from "node:assert/strict";
import { test } from "node:test";

import { Registry } from "prom-client";

import { SeedWatch } from "./seed-watch.ts";

test("an oracle is silent since the first of the requests that it left unanswered", async () => {
  const registry = new Registry();
  const rounds = new SeedWatch(registry, "round");
  const batches = new SeedWatch(registry, "batch");
  const request = (id: number, openedAt: number, seeded = false, status = "seeding") => ({
    ...{ id, openedAt, seeded, status },
  });
  assert.equal(rounds.note(request(0, 0), 5_000), 0, "nothing has asked");
  assert.equal(rounds.note(request(1, 1_000), 1_010), 10);
  assert.equal(rounds.note(request(1, 1_000, true), 1_020), 0);
  assert.equal(rounds.note(request(2, 2_000), 2_000), 0);
  // Ended without a seed; the next one is no more answered than that.
  assert.equal(rounds.note(request(2, 2_000, false, "aborted"), 2_700), 700);
  assert.equal(rounds.note(request(3, 3_000), 3_100), 1_100);
  assert.match(await registry.metrics(), /drmp_seed_unanswered_seconds\{request="round"\} 1100/);
  assert.equal(batches.note(request(1, 3_000), 3_050), 50, "each by itself");
  assert.equal(rounds.note(request(3, 3_000, true), 3_200), 0);
  assert.equal(rounds.note(request(4, 4_000), 4_100), 100);
  assert.equal(rounds.note(request(4, 4_000), 7_601), 3_601);
  // Nobody has asked for a long time: whether the oracle answers now, nobody knows.
  assert.equal(rounds.note(request(4, 4_000, false, "aborted"), 7_601), 0);
  assert.equal(rounds.note(request(5, 8_000), 8_001), 1);
});
