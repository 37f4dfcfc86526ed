import assert from "node:assert/strict";
import { test } from "node:test";

import {
  judgeBound,
  judgeFlatness,
  judgeLives,
  judgeNone,
  judgeTotals,
  judgeUpgrade,
  judgeWork,
  trendOf,
} from "./judge.ts";

const series = (of: (i: number) => number, length = 80) => Array.from({ length }, (_, at) => ({ at, value: of(at) }));

test("a process that fills its caches and stays there is flat; one that grows on is not", () => {
  const warm = series((i) => (i < 15 ? 60 + 4 * i : 120));
  const leak = series((i) => 100 + 6 * i);
  const found = judgeFlatness([
    { process: "keeper-0", resource: "memory", points: warm },
    { process: "keeper-1", resource: "memory", points: leak },
  ]);
  assert.deepEqual(
    found.map(({ met }) => met),
    [true, false],
  );
  assert.match(found[1]?.found ?? "", /^\d+ MiB in the second quarter, \d+ MiB in the last$/);
});

test("spikes do not count, a series that is too short says nothing", () => {
  const spiky = series((i) => (i % 10 === 0 ? 900 : 100));
  assert.equal(judgeFlatness([{ process: "a", resource: "memory", points: spiky }])[0]?.met, true);
  assert.equal(
    trendOf(
      series(() => 1, 19),
      { share: 0, beside: 0 },
    ),
    undefined,
  );
});

test("a leak of file handles is found", () => {
  const points = series((i) => 40 + Math.floor(i / 2));
  assert.equal(judgeFlatness([{ process: "a", resource: "files", points }])[0]?.met, false);
});

test("a vault that holds a wei too many or too few is found", () => {
  const totals = { name: "v1", balance: 107n, escrow: 0n, stake: 0n, claimable: 7n, pool: 100n, prepaid: 7n };
  assert.ok(judgeTotals(totals).every(({ met }) => met));
  assert.deepEqual(
    judgeTotals({ ...totals, balance: 108n }).map(({ met }) => met),
    [false, false],
  );
  // Somebody could not claim.
  assert.deepEqual(
    judgeTotals({ ...totals, balance: 110n, claimable: 10n }).map(({ met }) => met),
    [true, false],
  );
});

test("a unit that is lost, and one that is paid twice, are found", () => {
  const work = { tasks: 2, units: 6, paid: 5, refunded: 1, lost: 0, violations: [] };
  assert.ok(judgeWork(work).every(({ met }) => met));
  assert.equal(judgeWork({ ...work, paid: 4, lost: 1 })[0]?.met, false);
  assert.equal(judgeWork({ ...work, paid: 6 })[0]?.met, false);
  assert.equal(judgeWork({ ...work, violations: ["unit 1 is held twice"] })[1]?.met, false);
});

test("bounds and lists", () => {
  assert.equal(judgeBound("tasks", 5, { least: 5 }).met, true);
  assert.equal(judgeBound("tasks", 6, { most: 5 }).met, false);
  assert.deepEqual(judgeNone("alerts", []), { goal: "alerts", found: "none", met: true });
  assert.equal(judgeNone("alerts", ["x"]).met, false);
});

test("a process that restarts too often to be judged is found", () => {
  const life = (process: string, samples: number) =>
    ({ process, resource: "memory", points: series(() => 1, samples) }) as const;
  const watched = [life("agent-0", 3), life("agent-0", 20), life("agent-1", 19), life("agent-1", 19)];
  assert.equal(judgeLives(watched, ["agent-0"]).met, true);
  const { met, found } = judgeLives(watched, ["agent-0", "agent-1", "keeper-0"]);
  assert.equal(met, false);
  assert.match(found, /^agent-1 has 19, keeper-0 has 0; of files on disk too few: agent-0, agent-1, keeper-0$/);
});

test("an upgrade of which an agent was left out, or that had nothing to upgrade from, is found", () => {
  const upgrade = { from: { commit: "0123456789abcdef" }, isWanted: true, upgraded: 3, agents: 3 };
  assert.deepEqual(judgeUpgrade(upgrade), { goal: "agents upgraded from 0123456789ab", found: "3 of 3", met: true });
  assert.equal(judgeUpgrade({ ...upgrade, upgraded: 2 }).met, false);
  const without = judgeUpgrade({ ...upgrade, from: { reason: "too little history" } });
  assert.deepEqual([without.met, without.found], [false, "none is upgraded, 3 of 3 restarted: too little history"]);
  // Told that there is to be none: said so, and met.
  assert.deepEqual(judgeUpgrade({ ...upgrade, from: { reason: "" }, isWanted: false }), {
    goal: "agents restarted, not upgraded (--no-upgrade)",
    found: "3 of 3",
    met: true,
  });
});
