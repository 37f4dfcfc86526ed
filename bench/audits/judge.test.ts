import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { jobsOf, KINDS, partsOf, QUICK, WHOLE } from "./campaign.ts";
import { bestGain, expectedGain, segmentChance } from "./gain.ts";
import { cellsOf, goalsOf, rowOf } from "./judge.ts";
import { KeptResults } from "./kept.ts";
import type { ArenaResult, RunResult, Scenario } from "./scenario.ts";

const BEST = { convicted: -0.5, refusing: 0, looked: 1 };

test("a run is predicted by its own chances, and by the last one where it ended early", () => {
  const runs: RunResult[] = [
    { chances: [0.1, 0.1, 0.1], caughtAt: undefined },
    { chances: [0.5], caughtAt: 1 },
  ];
  const { counted, predicted } = rowOf(3, runs);
  assert.equal(counted, 0.5);
  assert.ok(Math.abs(predicted - (1 - 0.9 ** 3 + 1 - 0.5 ** 3) / 2) < 1e-12);
  assert.equal(rowOf(1, [{ chances: [0.1, 0.1], caughtAt: 2 }]).counted, 0);
});

test("cheats that are caught as drawn meet the goals; those that get away with some of it do not", () => {
  const missed = (escape: number): string[] =>
    goalsOf(cellsOf(arenas("skipped steps, new", 60, escape)), BEST, true)
      .filter(({ met }) => !met)
      .map(({ what }) => what)
      .filter((what) => !what.includes("honest: at least"));
  assert.deepEqual(missed(0), []);
  assert.ok(missed(0.2).some((what) => what.startsWith("skipped steps, new: a segment is caught")));
});

test("one honest node that was wronged, one lease that was held up, or a cheat that gains is a goal missed", () => {
  const [honest] = arenas("honest", 1, 0);
  assert.ok(honest);
  const missed = (changes: Partial<ArenaResult>): number =>
    goalsOf(cellsOf([{ ...honest, ...changes }]), BEST, false).filter(({ met }) => !met).length;
  assert.equal(missed({}), 0);
  assert.equal(missed({ wronged: 1 }), 1);
  assert.equal(missed({ stalled: 1 }), 1);
  assert.equal(missed({ unpaid: 1 }), 1);
  const [cheat] = arenas("other data, dearest", 1, 0);
  assert.ok(cheat);
  assert.ok(goalsOf(cellsOf([{ ...cheat, gains: [1] }]), BEST, false).some(({ met }) => !met));
  assert.ok(goalsOf([], { convicted: 0.1, refusing: 0 }, false).some(({ met }) => !met));
});

test("a campaign has every kind of cheat, each arena a seed of its own, and as many segments as are asked for", () => {
  const jobs = jobsOf(partsOf(WHOLE), 1);
  for (const kind of KINDS) assert.ok(jobs.some(({ scenario }) => scenario.name === `${kind}, new`));
  assert.equal(new Set(jobs.map(({ seed }) => seed)).size, jobs.length);
  const others = new Set(jobsOf(partsOf(WHOLE), 2).map(({ seed }) => seed));
  assert.ok(jobs.every(({ seed }) => !others.has(seed)));
  assert.ok(partsOf(QUICK).length >= KINDS.length);
});

test("the chance is high enough for every price, and not a point higher", () => {
  const { convicted, refusing } = bestGain({ loss: 5_000, floor: 100 }, 100_000_000);
  assert.ok(convicted < 0);
  assert.ok(refusing <= 0);
  const stakes = { gain: 20_000_000, stake: 100_000_000, loss: 5_000, floor: 100 };
  const chance = segmentChance(stakes);
  assert.equal(chance, Math.ceil((3 * 20 * 10_000) / (2 * 70)));
  const lower = (share: number): number => (1 - (share * 2) / 3) * 20 - ((share * 2) / 3) * 50;
  assert.ok(lower((chance - 1) / 10_000) > 0);
  assert.ok(expectedGain(stakes).refusing <= 0);
  assert.equal(segmentChance({ ...stakes, gain: 0 }), 100);
  assert.equal(segmentChance({ ...stakes, gain: 10 ** 9, stake: 10 ** 9 }), 10_000);
});

test("what was played is kept, and half a line of it is not", () => {
  const folder = mkdtempSync(join(tmpdir(), "drmp-kept-"));
  try {
    const file = join(folder, "results.jsonl");
    const [job] = jobsOf(partsOf(QUICK), 1);
    const [played] = arenas("honest", 1, 0);
    const result = JSON.parse(JSON.stringify(played)) as ArenaResult;
    assert.ok(job);
    new KeptResults(file).add(job, result);
    assert.deepEqual(new KeptResults(file).of(job), result);
    assert.equal(new KeptResults(file).of({ ...job, seed: 0 }), undefined);
    assert.equal(new KeptResults(undefined).of(job), undefined);
    writeFileSync(file, JSON.stringify({ job, result }).slice(0, -5));
    assert.equal(new KeptResults(file).of(job), undefined);
    new KeptResults(file).add(job, result);
    assert.deepEqual(new KeptResults(file).of(job), result);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Arenas of 24 runs in which each drawn segment is caught but for a share that escapes. */
function arenas(name: string, count: number, escape: number): ArenaResult[] {
  const random = randomNumbers(7);
  const scenario: Scenario = {
    ...{ name, conduct: name === "honest" ? "honest" : "skipped steps", lazy: false, price: 1 },
    ...{ segments: 64, proven: false, colluding: 0, disturbed: false },
  };
  return Array.from({ length: count }, () => {
    let [decided, caught] = [0, 0];
    const runs = Array.from({ length: 24 }, (): RunResult => {
      const chances = [];
      for (let i = 1; i <= 64; i++) {
        chances.push(0.1);
        decided++;
        if (name === "honest" || random() >= 0.1 * (1 - escape)) continue;
        caught++;
        return { chances, caughtAt: i };
      }
      return { chances, caughtAt: undefined };
    });
    return {
      ...{ scenario, segments: decided, decided, expected: 0.1 * decided, drawn: caught, caught, refusedOpenings: 0 },
      ...{ audits: {}, panels: 0, panelRounds: 0, runs, gains: [-1], lazyAudits: 0, verifiersLost: 0 },
      ...{ stalled: 0, unpaid: 0, longestAudit: 0, wronged: 0, wrongedByOutage: 0, away: 0, transactions: 0 },
      counts: { kills: 0, outages: 0, drains: 0, moves: 0, reorganisations: 0, withheld: 0 },
    };
  });
}
