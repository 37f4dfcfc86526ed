import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import type { SignedExchangeClaim } from "@verai/client/exchange-claim";
import { EXCHANGE_KINDS, type ExchangeKind } from "@verai/executor/exchange";
import { claimRefusal, type ClaimView, ExchangeLedger } from "./ledger.ts";

const OPERATOR = "0x00000000000000000000000000000000000000aa";

let content = 0;
function claim(kind: ExchangeKind, unit: number, round: number, changes: Partial<SignedExchangeClaim> = {}) {
  content += 1;
  return {
    ...{ taskId: 7, unit, leaseId: 1 + unit, fence: 1, kind: EXCHANGE_KINDS.indexOf(kind), round },
    ...{ digest: `0x${content.toString(16).padStart(64, "0")}`, codec: 0x55, size: 100, signature: "0x" },
    ...changes,
  };
}

function lease(id: number, start: number, changes: Partial<Lease> = {}): Lease {
  return {
    ...{
      id,
      taskId: 7,
      nodeId: id,
      start,
      count: 1,
      price: 1,
      due: 0,
      fence: 1,
      status: "active",
      parent: 0,
      classId: 1,
    },
    ...changes,
  };
}

const view: ClaimView = {
  taskId: 7,
  maxBytes: 1_000,
  leases: new Map([
    [1, { lease: lease(1, 0), operator: OPERATOR }],
    [2, { lease: lease(2, 1, { status: "expired", fence: 3 }), operator: OPERATOR }],
    [3, { lease: lease(3, 1, { fence: 4, parent: 2 }), operator: OPERATOR }],
  ]),
};

test("a claim counts if the operator of its lease's node signed it, under the lease's fence", () => {
  assert.equal(claimRefusal(claim("delta", 0, 5), OPERATOR, view), undefined);
  assert.equal(claimRefusal(claim("record", 0, 5), OPERATOR, view), undefined);
  const refused: [SignedExchangeClaim, string | undefined, RegExp][] = [
    [claim("delta", 0, 5), "0xbb", /not signed by the operator of node 1/],
    [claim("delta", 0, 5), undefined, /not signed/],
    [claim("delta", 0, 5, { taskId: 8 }), OPERATOR, /it is of task 8/],
    [claim("delta", 0, 5, { leaseId: 9 }), OPERATOR, /lease 9 is none of the task's/],
    [claim("delta", 1, 5, { leaseId: 1 }), OPERATOR, /lease 1 has no unit 1/],
    [claim("delta", 1, 5, { leaseId: 3, fence: 3 }), OPERATOR, /lease 3 has fence 4, not 3/],
    [claim("delta", 0, 5, { fence: 2 }), OPERATOR, /lease 1 has fence 1, not 2/],
    [claim("record", 1, 5, { leaseId: 3, fence: 4 }), OPERATOR, /unit 1 writes no records/],
    [claim("delta", 0, 5, { size: 1_001 }), OPERATOR, /1001 bytes exceed the 1000/],
    [claim("delta", 0, 5, { kind: 3 }), OPERATOR, /there is no kind 3/],
  ];
  for (const [each, signer, why] of refused) assert.match(claimRefusal(each, signer, view) ?? "", why);
});

test("what a unit published before its lease changed hands is passed on, but not what it makes up of a later fence", () => {
  assert.equal(claimRefusal(claim("delta", 1, 5, { leaseId: 2, fence: 2 }), OPERATOR, view), undefined);
  assert.match(
    claimRefusal(claim("delta", 1, 5, { leaseId: 2, fence: 4 }), OPERATOR, view) ?? "",
    /has fence 3, not 4/,
  );
});

test("a ledger gives what is new since a place, and nothing twice", () => {
  const ledger = new ExchangeLedger();
  const [a, b, c] = [claim("delta", 0, 1), claim("delta", 1, 1), claim("record", 0, 1)];
  assert.deepEqual([ledger.add(a), ledger.add(b), ledger.add({ ...a }), ledger.add(c)], [true, true, false, true]);
  const first = ledger.after(0, 2);
  assert.deepEqual(first.claims, [a, b]);
  const second = ledger.after(first.since, 2);
  assert.deepEqual(second.claims, [c]);
  assert.deepEqual(ledger.after(second.since, 2), { claims: [], since: second.since });
});

test("rounds go as records come, and what a unit can fill is bounded", () => {
  const ledger = new ExchangeLedger();
  for (let round = 1; round <= 6; round++) for (const unit of [0, 1]) ledger.add(claim("delta", unit, round));
  assert.deepEqual(ledger.prune(), []);
  ledger.add(claim("record", 0, 6));
  assert.deepEqual([...new Set(ledger.prune().map(({ round }) => round))], [1, 2]);
  // Too old by now; and of rounds to come no more than a few are kept.
  assert.equal(ledger.add(claim("delta", 1, 2)), false);
  for (let round = 1_000; round < 2_000; round++) ledger.add(claim("delta", 1, round));
  for (let version = 0; version < 100; version++) ledger.add(claim("delta", 1, 1_999));
  const ofUnit = ledger.all().filter(({ unit }) => unit === 1);
  assert.ok(ofUnit.length <= 8 + 3, String(ofUnit.length));
  assert.equal(ledger.newest, 6);
  // A unit that makes rounds up does not push out those of others.
  assert.ok(ledger.all().some(({ unit, round }) => unit === 0 && round === 6));
});

test("a unit gets contributions and records of others, its own of earlier leases, and states that it asks for", () => {
  const ledger = new ExchangeLedger();
  const own = claim("delta", 1, 3);
  const before = claim("delta", 1, 2, { leaseId: 9 });
  const other = claim("delta", 0, 3);
  const states = [claim("state", 0, 2), claim("state", 0, 3)];
  for (const each of [own, before, other, ...states]) ledger.add(each);
  const unit = { unit: 1, leaseId: own.leaseId };
  assert.deepEqual(ledger.wanted(unit, []), [before, other]);
  assert.deepEqual(ledger.wanted(unit, [{ kind: "state", round: 2 }]), [before, other, states[0]]);
});
