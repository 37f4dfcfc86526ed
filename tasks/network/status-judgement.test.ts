import assert from "node:assert/strict";
import { test } from "node:test";

import { judgeKeepers, judgeOracle } from "./status-judgement.ts";

const none = { id: 0, status: "none", openedAt: 0 };

test("the oracle is judged by the seeds that are waited for", () => {
  const at = (...requests: readonly { id: number; status: string; openedAt: number }[]) =>
    judgeOracle({ now: 1000, timeout: 60, requests });
  assert.deepEqual(at(none, none), { healthy: true, why: "not asked yet" });
  assert.equal(at({ id: 3, status: "settled", openedAt: 900 }, none).why, "no request waits");
  assert.match(at({ id: 3, status: "seeding", openedAt: 990 }, none).why, /since 10s \(given up after 1m\)/);
  assert.equal(at({ id: 3, status: "seeding", openedAt: 990 }, none).healthy, true);
  assert.equal(
    at({ id: 3, status: "settled", openedAt: 1 }, { id: 1, status: "seeding", openedAt: 900 }).healthy,
    false,
  );
  assert.equal(at({ id: 3, status: "aborted", openedAt: 900 }, none).healthy, false);
  assert.equal(at({ id: 3, status: "aborted", openedAt: 900 }, { id: 1, status: "done", openedAt: 950 }).healthy, true);
});

test("keepers are judged by what they leave undone", () => {
  const at = (changes: Partial<Parameters<typeof judgeKeepers>[0]>) =>
    judgeKeepers({ now: 1000, timeout: 120, round: none, batch: none, cause: undefined, ...changes });
  assert.equal(at({}).healthy, true);
  assert.equal(at({ cause: "next" }).healthy, true);
  assert.match(at({ cause: "keepers" }).why, /no keeper opens a round/);
  assert.equal(at({ round: { id: 2, status: "settling", openedAt: 990 } }).healthy, true);
  assert.match(at({ round: { id: 2, status: "settling", openedAt: 800 } }).why, /round 2 .* settled for 3m20s/);
  assert.match(at({ batch: { id: 4, status: "drawing", openedAt: 800 } }).why, /batch 4 .* drawn/);
});
