import assert from "node:assert/strict";
import { test } from "node:test";

import type { Provider } from "ethers";

import { RpcUnavailableError } from "./errors.ts";
import { BlockTracker, blockReference } from "./block-reference.ts";

/** A chain whose blocks are named by their hashes; the last is the head. */
class FakeChain {
  hashes: string[] = [];

  grow(upTo: number, fork = "a"): this {
    for (let n = this.hashes.length; n <= upTo; n++) this.hashes.push(`${fork}${String(n)}`);
    return this;
  }

  cut(to: number): this {
    this.hashes.length = to;
    return this;
  }

  get provider(): Provider {
    const getBlock = async (tag: number | string) => {
      const number =
        tag === "finalized" ? this.hashes.length - 4 : typeof tag === "number" ? tag : this.hashes.length - 1;
      const hash = this.hashes[number];
      return hash === undefined ? null : { number, hash, timestamp: 1000 + number };
    };
    return { getBlock } as unknown as Provider;
  }
}

test("a pin is the newest block of a finality", async () => {
  const { provider } = new FakeChain().grow(9);
  assert.deepEqual(await blockReference(provider), { number: 9, hash: "a9", timestamp: 1009 });
  assert.equal((await blockReference(provider, "finalized")).number, 6);
  await assert.rejects(blockReference(provider, 10), RpcUnavailableError);
});

test("a growing chain holds what was read, also when nothing was mined", async () => {
  const chain = new FakeChain().grow(5);
  const track = new BlockTracker(chain.provider);
  assert.equal((await track.next()).reorganised, false);
  assert.equal((await track.next()).reorganised, false);
  chain.grow(8);
  assert.deepEqual(await track.next(), { block: { number: 8, hash: "a8", timestamp: 1008 }, reorganised: false });
});

test("other blocks where some were seen are a reorganisation, once", async () => {
  const chain = new FakeChain().grow(5);
  const track = new BlockTracker(chain.provider);
  await track.next();
  chain.grow(6);
  await track.next();
  chain.cut(5).grow(9, "b");
  assert.equal((await track.next()).reorganised, true);
  chain.grow(10, "b");
  assert.equal((await track.next()).reorganised, false);
  // As long as before, but different.
  chain.cut(10).grow(10, "c");
  assert.equal((await track.next()).reorganised, true);
});

test("an endpoint that lags behind is no reorganisation: nothing is concluded from it", async () => {
  const chain = new FakeChain().grow(5);
  const track = new BlockTracker(chain.provider);
  await track.next();
  chain.grow(8);
  await track.next();
  chain.cut(7);
  await assert.rejects(track.next(), (error) => error instanceof RpcUnavailableError && error.reason === "behind");
  chain.grow(8);
  assert.equal((await track.next()).reorganised, false);
});

test("a chain that was started again is a reorganisation", async () => {
  const chain = new FakeChain().grow(50);
  const track = new BlockTracker(chain.provider);
  await track.next();
  chain.cut(0).grow(3, "new");
  assert.equal((await track.next()).reorganised, true);
  chain.grow(4, "new");
  assert.equal((await track.next()).reorganised, false);
});
