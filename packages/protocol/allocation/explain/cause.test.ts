import assert from "node:assert/strict";
import { test } from "node:test";

import { causeText, idleCause, type IdleView, taskCause, type TaskView } from "./cause.ts";

const task: TaskView = {
  taskId: 7,
  status: "open",
  openUnits: 3,
  submittedAt: 900,
  inRound: false,
  parked: false,
  roundDeposit: 160_000,
  seedPrice: 20_000,
  place: 0,
  maxPrice: 5_000,
  offers: [{ name: "cpu/eu", surcharge: 1_000, lowestAsk: 4_000 }],
  nodes: { total: 2, busy: 0, draining: 0, coolingDown: 0, throttled: 0, ineligible: 0 },
  now: 1_000,
  deadline: 9_000,
  minLeaseTime: 60,
  intakePaused: false,
  round: { status: "settled", openedAt: 900, closedAt: 950 },
  batch: "none",
  roundInterval: 60,
  seedTimeout: 300,
  settleTimeout: 300,
  roundMaxTasks: 16,
};

test("a task is told the one thing that it waits for, the value, the bound and the remedy", () => {
  const open = { status: "seeding", openedAt: 960, closedAt: 0 };
  const nodes = { ...task.nodes, busy: 1, ineligible: 1 };
  const none = [{ name: "cpu/eu", surcharge: 0 }];
  const cases: [Partial<TaskView>, code: string, value: RegExp, bound: RegExp, remedy: RegExp][] = [
    [{}, "next", /due in 10 s/, /every 1 min/, /wait/],
    [{ now: 1_400 }, "keepers", /due 6 min 30 s ago/, /every 1 min/, /run a keeper.*round:open/],
    [{ status: "closing" }, "closing", /^$/, /^$/, /^$/],
    [{ deadline: 1_059 }, "deadline", /59 s left/, /needs 1 min/, /task:cancel --task 7.*later deadline/],
    [{ inRound: true, round: open }, "seed", /for 40 s/, /at most 5 min/, /wait/],
    [{ inRound: true, round: open, now: 1_300 }, "seed", /for 5 min 40 s/, /at most 5 min/, /round:abort/],
    [{ inRound: true, round: { ...open, status: "settling" } }, "settle", /for 40 s/, /at most 10 min/, /wait/],
    [{ roundDeposit: 19_999 }, "deposit", /0\.019999 VER/, /at least 0\.02 VER/, /task:fund --task 7 --amount 0\.16/],
    [{ parked: true, place: undefined }, "parked", /parked/, /in the queue/, /task:enqueue --task 7/],
    [{ intakePaused: true }, "paused", /^$/, /^$/, /guardian resumes/],
    [{ offers: none, nodes: { ...task.nodes, total: 0 } }, "noNode", /0 nodes/, /at least 1/, /more classes/],
    [
      { offers: none, nodes: { ...nodes, busy: 2, ineligible: 0 } },
      "busy",
      /2 busy, of 2/,
      /1 free unit/,
      /task:cancel/,
    ],
    [{ offers: none, nodes }, "notFree", /1 busy, 1 kept out by their load.*, of 2/, /1 free unit/, /task:cancel/],
    [
      { maxPrice: 4_500 },
      "price",
      /0\.0045 VER/,
      /at least 0\.005 VER/,
      /task:raise-price --task 7 --max-price 0\.005/,
    ],
    [{ place: 16 }, "queue", /place 17/, /a round takes at most 16/, /wait/],
    [{ round: open }, "round", /for 40 s/, /at most 5 min/, /wait/],
    [{ batch: "seeding" }, "batch", /waiting for the oracle/, /at most 5 min/, /wait/],
  ];
  for (const [changes, code, value, bound, remedy] of cases) {
    const found = taskCause({ ...task, ...changes });
    assert.equal(found?.code, code, JSON.stringify(found));
    assert.match(found.value, value);
    assert.match(found.bound, bound);
    assert.match(found.remedy, remedy);
  }
  assert.equal(taskCause({ ...task, openUnits: 0 }), undefined);
  assert.match(
    causeText(taskCause({ ...task, maxPrice: 4_500 }) ?? assert.fail()),
    /^its maximum price is too low: .*\(cpu\/eu\) needs 0\.0005 VER more a unit \(0\.0045 VER; at least 0\.005 VER\): raise it/,
  );
});

const report = {
  throttled: false,
  silentFor: 20,
  reportTimeout: 180,
  load: 3_000,
  loadLimit: 4_000,
  latency: 20,
  latencyLimit: 50,
  watts: 90,
  powerThreshold: 100,
};
const node: IdleView = {
  nodeId: 3,
  status: "active",
  leased: 0,
  listedUnits: 2,
  cooldownUntil: 0,
  covered: 4,
  undecided: 0,
  eligible: true,
  ask: 5_000,
  classId: 1,
  className: "cpu/eu",
  intakePaused: false,
  now: 1_000,
  queueLength: 2,
  waiting: [{ maxPrice: 6_000, classes: [{ classId: 1, surcharge: 0 }] }],
};

test("a node is told the one thing that keeps work from it", () => {
  const cases: [Partial<IdleView>, code: string, value: RegExp, bound: RegExp, remedy: RegExp][] = [
    [{}, "round", /0\.005 VER/, /^$/, /node:update/],
    [{ waiting: [] }, "round", /0\.005 VER/, /^$/, /node:update/],
    [{ queueLength: 0 }, "noTask", /^$/, /^$/, /^$/],
    [{ cooldownUntil: 1_030 }, "coolingDown", /another 30 s/, /0 s/, /wait/],
    [{ status: "draining" }, "draining", /draining/, /active/, /node:resume --node 3/],
    [{ covered: 0 }, "stake", /0 units/, /at least 1/, /node:stake --node 3/],
    [{ undecided: 4 }, "stakeBound", /4 of 4/, /fewer than 4/, /add stake/],
    [{ listedUnits: 0 }, "notListed", /0 units/, /at least 1/, /synced/],
    [{ intakePaused: true }, "paused", /^$/, /^$/, /guardian/],
    [
      { eligible: false, report: { ...report, throttled: true } },
      "throttled",
      /90 W/,
      /at most 100 W/,
      /power-threshold/,
    ],
    [
      { eligible: false, report: { ...report, silentFor: 200 } },
      "silent",
      /3 min 20 s/,
      /at most 3 min/,
      /start the agent/,
    ],
    [{ eligible: false, report: { ...report, latency: 60 } }, "latency", /60 ms/, /at most 50 ms/, /connection/],
    [{ eligible: false, report: { ...report, load: 8_000 } }, "load", /80 %/, /at most 40 %/, /lower the capacity/],
    [{ classId: 2, className: "cpu/us" }, "class", /1 tasks wait/, /accepts it/, /wait/],
    [{ ask: 7_000 }, "ask", /0\.007 VER/, /at most 0\.006 VER/, /--ask/],
  ];
  for (const [changes, code, value, bound, remedy] of cases) {
    const found = idleCause({ ...node, ...changes });
    assert.equal(found?.code, code, JSON.stringify(found));
    assert.match(found.value, value);
    assert.match(found.bound, bound);
    assert.match(found.remedy, remedy);
  }
  assert.equal(idleCause({ ...node, leased: 1 }), undefined);
});

test("nothing is concluded of tasks that were not read", () => {
  const { waiting: _, ...unread } = node;
  assert.equal(idleCause({ ...unread, ask: 9_000, queueLength: 9 })?.code, "round");
});
