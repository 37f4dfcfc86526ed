import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";

import { readInPieces } from "./pieces.ts";

const list = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("all is read once, in order, whichever piece comes first", async () => {
  const read = await readInPieces(list(23), { size: 5, atOnce: 3 }, async (piece) => {
    await delay(20 - (piece[0] ?? 0));
    return piece.map((item) => 2 * item);
  });
  deepEqual(
    read,
    list(23).map((item) => 2 * item),
  );
  deepEqual(await readInPieces([], { size: 5, atOnce: 3 }, async (piece) => Promise.resolve(piece)), []);
});

test("no more are under way than may be, and as many as may be", async () => {
  let [now, most] = [0, 0];
  await readInPieces(list(20), { size: 2, atOnce: 3 }, async (piece) => {
    most = Math.max(most, ++now);
    await delay(10);
    now -= 1;
    return piece;
  });
  equal(most, 3);
});

test("what one piece asks for goes out before the next one asks", async () => {
  const requests: number[][] = [];
  let waiting: number[] = [];
  // As views that are asked for in one turn of the event loop go out together.
  const ask = async (item: number): Promise<number> => {
    if (waiting.push(item) === 1) {
      setImmediate(() => {
        requests.push(waiting);
        waiting = [];
      });
    }
    await turn();
    await delay(30);
    return item;
  };
  await readInPieces(list(6), { size: 2, atOnce: 3 }, async (piece) => Promise.all(piece.map(ask)));
  deepEqual(requests, [
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
});

test("nor do two that become free at the same time ask together", async () => {
  let [inTurn, most] = [0, 0];
  const gates: (() => void)[] = [];
  const reading = readInPieces(list(8), { size: 1, atOnce: 2 }, async (piece) => {
    most = Math.max(most, ++inTurn);
    if (inTurn === 1) setImmediate(() => (inTurn = 0));
    await new Promise<void>((resolve) => {
      gates.push(resolve);
      // Both that are under way end in the same turn.
      if (gates.length === 2) for (const open of gates.splice(0)) open();
    });
    return piece;
  });
  deepEqual(await reading, list(8));
  equal(most, 1);
});

test("after a piece that fails none is begun", async () => {
  let begun = 0;
  const reading = readInPieces(list(100), { size: 1, atOnce: 2 }, async () => {
    begun += 1;
    await delay(5);
    throw new Error("no answer");
  });
  await rejects(reading, /no answer/);
  equal(begun <= 4, true, String(begun));
});
