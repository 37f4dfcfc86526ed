import assert from "node:assert/strict";
import { test } from "node:test";

import type { Checkpoint } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import type { Restorable } from "./lineage.ts";
import { locate } from "./locate.ts";

const checkpoint = (byte: string) => ({ codec: 0x55, digest: `0x${byte.repeat(32)}` }) as Checkpoint;
const named = (...ids: number[]) => ids.map((nodeId) => ({ nodeId, endpoint: `/node/${String(nodeId)}` }));
const NEWEST: Restorable = { checkpoint: checkpoint("aa"), leaseId: 1, named: named(1, 2, 3), failed: undefined };

/** @param answers By node; one that is left out is not reached. */
async function located(answers: Record<number, "missing" | "proof">, gone: number[] = [], restorable = [NEWEST]) {
  let asked = 0;
  const found = await locate(restorable, {
    store: {
      request: async (endpoint: string | readonly string[]) => {
        asked += 1;
        const kind = answers[Number(endpoint[0]?.split("/").at(-1))];
        if (kind === undefined) throw new Error("not reached");
        return kind === "proof" ? { kind, proof: { leaf: "x", path: [], digest: "0x" } } : { kind, why: "not here" };
      },
    },
    block: async () => ({ number: 1 }) as BlockReference,
    goneOf: async (_, ids) => new Set(ids.filter((id) => gone.includes(id))),
  });
  return { ...found, asked };
}

test("nobody has it: all whom the chain names were reached", async () => {
  assert.deepEqual(await located({ 1: "missing", 2: "missing", 3: "missing" }), {
    having: [],
    unreached: [],
    asked: 3,
  });
});

test("one that was not reached may have it, unless the chain itself says that it is gone", async () => {
  const answers = { 1: "missing", 3: "missing" } as const;
  assert.deepEqual((await located(answers)).unreached, [2]);
  assert.deepEqual((await located(answers, [2])).unreached, []);
  assert.deepEqual((await located({}, [1, 3])).unreached, [2]);
});

test("the node whose lease the chain has expired is not waited for; one that has it is told", async () => {
  const failed = { ...NEWEST, failed: 2 };
  assert.deepEqual((await located({ 1: "missing", 3: "proof" }, [], [failed])).unreached, []);
  assert.deepEqual((await located({ 1: "missing", 3: "proof" }, [], [failed])).having, [3]);
});

test("each node is asked for each checkpoint that it is named for", async () => {
  const before: Restorable = { ...NEWEST, checkpoint: checkpoint("bb"), named: named(3, 4) };
  const answers = { 1: "missing", 2: "missing", 3: "missing", 4: "missing" } as const;
  assert.equal((await located(answers, [], [NEWEST, before])).asked, 5);
});
