import assert from "node:assert/strict";
import { test } from "node:test";

import { CHEATS, postedSegment, traceOf } from "./cheats.ts";
import { dataOf, digestOf, initialState, lossOf, PROGRAM, segmentFrom, train } from "./program.ts";

test("the program learns, and comes to the same bits again", () => {
  const data = dataOf(3, 1);
  let state = initialState(1);
  for (let i = 0; i < 200; i++) state = train(state, data);
  assert.ok(lossOf(state, data) < lossOf(initialState(1), data) / 4);
  assert.equal(digestOf(state), "0xc05f98bdc929dce5c2adc055b18bb68214926bc16bf6fe838e2302093da93e4a");
  assert.notEqual(digestOf(state), digestOf({ ...state, step: state.step + 1 }));
});

test("a segment that is interrupted and gone on with ends in the same state", () => {
  const data = dataOf(1, 0);
  const before = segmentFrom(initialState(0), data).at(-1) ?? initialState(0);
  let state = before;
  for (let i = 0; i < PROGRAM.steps; i++) state = train({ ...state }, data);
  assert.deepEqual(segmentFrom(before, data).at(-1), state);
});

test("every cheat posts states that the program never has, at the steps that it should have them at", () => {
  const first = [initialState(0), initialState(1)];
  const [older, honest] = ((): [ReturnType<typeof postedSegment>, ReturnType<typeof postedSegment>] => {
    const one = postedSegment("honest", 1, 0, first, []);
    return [one, postedSegment("honest", 1, 0, ends(one), [])];
  })();
  for (const how of CHEATS) {
    const posted = postedSegment(
      how,
      1,
      0,
      ends(older),
      older.map(({ states }) => states),
    );
    for (const [i, { leaves }] of traceOf(0, posted).entries()) {
      const truth = traceOf(0, honest)[i]?.leaves ?? [];
      assert.deepEqual(
        leaves.map(({ step }) => step),
        truth.map(({ step }) => step),
        how,
      );
      assert.notEqual(leaves.at(-1)?.digest, truth.at(-1)?.digest, how);
    }
  }
});

test("cheats compute less, but for those that alter what is computed", () => {
  const computed = CHEATS.map((how) => postedSegment(how, 1, 0, [initialState(0)], [])[0]?.computed);
  assert.deepEqual(computed, [8, 8, 16, 0, 16]);
});

function ends(posted: ReturnType<typeof postedSegment>): ReturnType<typeof initialState>[] {
  return posted.map(({ states }) => states.at(-1) ?? initialState(0));
}
