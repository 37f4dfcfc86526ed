import assert from "node:assert/strict";
import { test } from "node:test";

import { END_REASONS } from "./enums.ts";
import { endText, type LeaseEnd, reliabilityOf } from "./lease-ends.ts";

const end = (leaseId: number, reason: LeaseEnd["reason"], block = 100): LeaseEnd => ({
  ...{ leaseId, taskId: 1, nodeId: 1 },
  ...{ reason, block },
});

test("reliability counts what a node can answer for, and nothing else", () => {
  assert.deepEqual(reliabilityOf([]), {
    ...{ ended: 0, paid: 0, givenBack: 0, failed: 0 },
    ...{ share: undefined, meanLost: undefined },
  });
  const ends = [end(1, "paid"), end(2, "paid"), end(3, "moved"), end(4, "deadlinePassed"), end(5, "ownerBack")];
  const mixed = reliabilityOf([...ends, end(6, "silent", 120), end(7, "noHeadway", 130)], (id) =>
    id > 5 ? 90 : undefined,
  );
  assert.deepEqual(mixed, { ended: 5, paid: 2, givenBack: 1, failed: 2, share: 0.4, meanLost: 35 });
});

test("every reason has words", () => {
  for (const reason of [...END_REASONS, "paid"] as const) assert.match(endText(reason), /^[a-z]/);
});
