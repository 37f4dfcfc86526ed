import assert from "node:assert/strict";
import { test } from "node:test";

import { planReplicas } from "./replication.ts";

const of = (label: string, cid: string) => ({ label, cid });
const wanted = (label: string, cid: string) => ({ ...of(label, cid), size: 1 });

test("the newest two of a lease are held; an older one goes once a newer one is here", () => {
  const two = [wanted("replica-1", "new"), wanted("replica-1", "old")];
  assert.deepEqual(planReplicas(two, []), { copy: two, release: [] });
  const held = [of("replica-1", "old"), of("replica-1", "older")];
  assert.deepEqual(planReplicas(two, held), { copy: two.slice(0, 1), release: [of("replica-1", "older")] });
  assert.deepEqual(planReplicas(two, [...two.map(({ label, cid }) => of(label, cid))]), { copy: [], release: [] });
});

test("while nothing newer can be had, nothing goes; nor what nothing is wanted of", () => {
  const held = [of("replica-1", "older"), of("replica-2", "last"), of("result-replica-1", "result")];
  assert.deepEqual(planReplicas([wanted("replica-1", "new")], held).release, []);
  assert.deepEqual(planReplicas([], held), { copy: [], release: [] });
});
