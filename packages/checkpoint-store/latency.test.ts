import assert from "node:assert/strict";
import { test } from "node:test";

import { failsWith, startConnected } from "./testing.ts";

test("round trips are measured to those who are present", async (t) => {
  const [alice, bob, carol] = await startConnected(t, 3);
  assert.ok(alice && bob && carol);
  // the dialled peer knows of the connection a moment later
  let times = await alice.roundTrips();
  for (const end = performance.now() + 5_000; times.size < 2 && performance.now() < end;)
    times = await alice.roundTrips();
  for (const id of [bob.peerId, carol.peerId]) {
    const ms = times.get(id);
    assert.ok(ms !== undefined && ms >= 0 && ms < 2000, `${id}: ${ms}`);
  }
  const gone = carol.peerId;
  await carol.stop();
  const left = await alice.roundTrips(500);
  assert.ok(left.has(bob.peerId) && !left.has(gone));
  await assert.rejects(carol.roundTrips(), failsWith("NOT_STARTED"));
});
