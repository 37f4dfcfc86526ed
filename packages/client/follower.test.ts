import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { Follower, type Stretch } from "./follower.ts";

const CONTRACT = `0x${"c0".repeat(20)}`;
const EVENT = `0x${"01".repeat(32)}`;

/** A chain with an event in some blocks; which fork a block is of shows in its hash. */
class Chain {
  fork = "a";
  forkedAt = Infinity;
  readonly events = new Set<string>();
  hidden = 0;
  hash = (block: number): string => `${block > this.forkedAt ? this.fork : "a"}${String(block)}`;
  at = (block: number) => ({ number: block, hash: this.hash(block), timestamp: block });
  send = async (_: string, [filter]: unknown[]): Promise<unknown> => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
    const logs: object[] = [];
    for (let block = Number(fromBlock); block <= Number(toBlock); block++) {
      if (block === this.hidden || !this.events.has(this.hash(block))) continue;
      const blockHash = this.hash(block);
      logs.push({ address: CONTRACT, topics: [EVENT], data: "0x", blockNumber: block, blockHash, logIndex: 0 });
    }
    return logs;
  };
}

function follow(t: TestContext, chain: Chain, file = ":memory:", identity = "one") {
  const follower = new Follower({
    ...{ source: chain, file, identity },
    filter: { address: [CONTRACT], topics: [[EVENT]] },
    tables: { seen: "block INTEGER" },
  });
  t.after(() => {
    try {
      follower.close();
    } catch {
      // closed already
    }
  });
  const take = ({ logs }: Stretch): void => {
    for (const { block } of logs) follower.db.prepare("INSERT INTO seen VALUES (?)").run(block);
  };
  const seen = () =>
    follower.db
      .prepare("SELECT block FROM seen ORDER BY block")
      .all()
      .map((row) => Number(row["block"]));
  const undo = (after: number | undefined): void => {
    follower.db.prepare("DELETE FROM seen WHERE block > ?").run(after ?? -1);
  };
  return { follower, take, seen, undo };
}

test("events are taken in once, from the cursor on, also after a restart", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "drmp-follower-"));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, "deep", "events.db");
  const chain = new Chain();
  for (const block of [3, 12, 15, 30]) chain.events.add(`a${String(block)}`);
  const first = follow(t, chain, file);
  first.follower.begin(chain.at(10), () => undefined);
  await first.follower.advance(chain.at(20), first.take);
  await first.follower.advance(chain.at(20), first.take);
  assert.deepEqual(first.seen(), [12, 15]);
  first.follower.close();
  const second = follow(t, chain, file);
  assert.equal(second.follower.position?.number, 20);
  await second.follower.advance(chain.at(31), second.take);
  await second.follower.advance(chain.at(32), second.take);
  assert.deepEqual(second.seen(), [12, 15, 30]);
  second.follower.close();
  const other = follow(t, chain, file, "another deployment");
  assert.equal(other.follower.position, undefined);
  assert.deepEqual(other.seen(), []);
});

test("an end in the middle leaves the cursor where all before it was taken in", async (t) => {
  const chain = new Chain();
  chain.events.add("a12");
  const { follower, take, seen } = follow(t, chain);
  follower.begin(chain.at(10), () => undefined);
  const broken = follower.advance(chain.at(20), (stretch) => {
    take(stretch);
    throw new Error("killed");
  });
  await assert.rejects(broken, /killed/);
  assert.deepEqual([seen(), follower.position?.number], [[], 10]);
  await follower.advance(chain.at(20), take);
  assert.deepEqual(seen(), [12]);
});

test("what a reorganisation has undone is undone here, back to the block that both have", async (t) => {
  const chain = new Chain();
  for (const block of [12, 22, 28]) chain.events.add(`a${String(block)}`);
  const { follower, take, seen, undo } = follow(t, chain);
  follower.begin(chain.at(10), () => undefined);
  for (const to of [15, 20, 25, 30]) await follower.advance(chain.at(to), take);
  assert.deepEqual(seen(), [12, 22, 28]);
  Object.assign(chain, { fork: "b", forkedAt: 21 });
  chain.events.add("b24");
  await follower.undo(async (block) => chain.hash(block), undo);
  assert.deepEqual([seen(), follower.position?.number], [[12], 20]);
  await follower.advance(chain.at(31), take);
  assert.deepEqual(seen(), [12, 24]);
  chain.forkedAt = 0;
  await follower.undo(async (block) => (block > 5 ? chain.hash(block).replace("b", "c") : undefined), undo);
  assert.equal(follower.position, undefined, "another chain altogether");
});

test("an event that an endpoint has held back is taken in later", async (t) => {
  const chain = new Chain();
  for (const block of [11, 14]) chain.events.add(`a${String(block)}`);
  const { follower, take, seen } = follow(t, chain);
  follower.begin(chain.at(10), () => undefined);
  chain.hidden = 14;
  await follower.advance(chain.at(14), take);
  assert.deepEqual(seen(), [11]);
  chain.hidden = 0;
  await follower.advance(chain.at(16), take);
  assert.deepEqual(seen(), [11, 14]);
});
