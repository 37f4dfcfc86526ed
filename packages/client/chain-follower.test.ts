import assert from "node:assert/strict";
import { test } from "node:test";

import type { BlockReference } from "./block-reference.ts";
import { ChainFollower, type ChainStretch, type FollowerStore } from "./chain-follower.ts";

const CONTRACT = `0x${"c0".repeat(20)}`;
const EVENT = `0x${"01".repeat(32)}`;
const RANGE = 100;

const blockOf = (number: number): BlockReference => ({ number, hash: `h${String(number)}`, timestamp: 2 * number });

/** A chain with an event in every tenth block, and what was asked of it, in order. */
function chain() {
  const asked: string[] = [];
  const send = async (_: string, [filter]: unknown[]): Promise<unknown> => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
    asked.push(`logs ${String(Number(toBlock))}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const logs: object[] = [];
    for (let block = Number(fromBlock); block <= Number(toBlock); block++) {
      const { hash: blockHash } = blockOf(block);
      if (block % 10 === 0)
        logs.push({ address: CONTRACT, topics: [EVENT], data: "0x", blockNumber: block, blockHash, logIndex: 0 });
    }
    return logs;
  };
  const blockAt = async (number: number): Promise<BlockReference> => {
    asked.push(`block ${String(number)}`);
    return blockOf(number);
  };
  return { asked, send, blockAt };
}

/** A store that keeps what it is given. */
class Store implements FollowerStore {
  readonly stretches: ChainStretch[] = [];
  fails = Infinity;
  undone = 0;
  positions = async (): Promise<BlockReference[]> => this.stretches.map(({ position }) => position).reverse();
  take = async (stretch: ChainStretch): Promise<void> => {
    await Promise.resolve();
    if (this.stretches.length >= this.fails) throw new Error("disk full");
    this.stretches.push(stretch);
  };
  undo = async (after: number | undefined): Promise<void> => {
    this.undone += 1;
    const left = this.stretches.filter(({ position }) => position.number <= (after ?? -1));
    this.stretches.splice(0, Infinity, ...left);
  };
  get blocks(): number[] {
    return this.stretches.flatMap(({ logs }) => logs.map(({ block }) => block));
  }
}

function follow(store: Store, { send, blockAt }: ReturnType<typeof chain>): ChainFollower {
  const filter = { address: [CONTRACT], topics: [[EVENT]] };
  return new ChainFollower({ source: { send }, filter, blockAt, store, first: 0, maxRange: RANGE });
}

test("old ranges are written together, those that can be undone each by itself", async () => {
  const [store, source] = [new Store(), chain()];
  const head = blockOf(4_049);
  assert.equal((await follow(store, source).follow(head)).position?.number, head.number);
  assert.deepEqual(
    store.blocks,
    Array.from({ length: 405 }, (_, i) => 10 * i),
  );
  const old = store.stretches.filter(({ undoable }) => !undoable);
  assert.deepEqual(
    old.map(({ position }) => position.number),
    [799, 1_599, 2_199],
  );
  const fresh = store.stretches.filter(({ undoable }) => undoable);
  assert.deepEqual(
    fresh.map(({ position }) => position.number),
    [...Array.from({ length: 18 }, (_, i) => 2_299 + RANGE * i), 4_049],
  );
  for (const [i, { after }] of store.stretches.entries()) assert.equal(after, store.stretches[i - 1]?.position);
});

test("several ranges are under way at once, each old one with the block that it ends at", async () => {
  const [store, source] = [new Store(), chain()];
  await follow(store, source).follow(blockOf(10_000));
  const first = source.asked.slice(0, 14);
  assert.deepEqual(
    first.sort(),
    [99, 199, 299, 399, 499, 599, 699].flatMap((block) => [`block ${String(block)}`, `logs ${String(block)}`]).sort(),
  );
  assert.equal(source.asked.filter((each) => each === "block 299").length, 1);
});

test("a write that fails leaves the cursor at the last stretch that was written, and the next look goes on from it", async () => {
  const [store, source] = [new Store(), chain()];
  store.fails = 1;
  const follower = follow(store, source);
  await assert.rejects(follower.follow(blockOf(4_049)), /disk full/);
  assert.deepEqual(
    store.stretches.map(({ position }) => position.number),
    [799],
  );
  store.fails = Infinity;
  await follower.follow(blockOf(4_049));
  assert.deepEqual(
    store.blocks,
    Array.from({ length: 405 }, (_, i) => 10 * i),
  );
  // What was taken in long ago is not taken for held back because it is not looked for again.
  assert.equal(store.undone, 0);
});
