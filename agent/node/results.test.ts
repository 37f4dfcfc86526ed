import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { pino } from "pino";

import { LocalStore } from "@verai/checkpoint-store/local";
import { resultLabel, resultsToLetGo, tidyResults } from "./results.ts";

const results = [3, 1, 2].map((leaseId) => ({
  leaseId,
  label: resultLabel(leaseId),
  cid: `c${String(leaseId)}`,
  size: 10,
}));
const gone = (used: number, kept: number[] = []) =>
  resultsToLetGo(results, new Set(kept), used, 100).map(({ leaseId }) => leaseId);

test("no result goes while there is room, then the oldest ones, no more than it takes", () => {
  assert.deepEqual(gone(75), []);
  assert.deepEqual(gone(76), [1]);
  assert.deepEqual(gone(86), [1, 2]);
});

test("a result that is of use still stays, however full the store is", () => {
  assert.deepEqual(gone(100, [1]), [2, 3]);
  assert.deepEqual(gone(100, [1, 2, 3]), []);
});

test("a store that is filled with results has room for work again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "drmp-results-"));
  const store = new LocalStore(directory, undefined, 100_000);
  try {
    await store.open();
    const cids: string[] = [];
    for (let lease = 1; lease <= 9; lease++) {
      const added = await store.addFile(new Uint8Array(10_000).fill(lease), { pin: resultLabel(lease) });
      cids.push(added.cid.toString());
    }
    await assert.rejects(store.addFile(new Uint8Array(20_000).fill(77), { pin: "checkpoint-10" }), {
      code: "STORE_FULL",
    });
    await tidyResults(store, new Set([1]), new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]), pino({ level: "silent" }));
    const left = store.list().map(({ cid }) => cid.toString());
    assert.deepEqual(left.sort(), [cids[0], ...cids.slice(3)].sort(), "the oldest but one that is of use");
    await store.addFile(new Uint8Array(20_000).fill(77), { pin: "checkpoint-10" });
  } finally {
    await store.close();
    await rm(directory, { recursive: true });
  }
});
