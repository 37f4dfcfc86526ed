import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, beforeEach, test } from "node:test";

import { pino } from "pino";

import type { Checkpoint, Lease, Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import type { CopyAnswer } from "../node/copy-protocol.ts";
import { type CopyView, type ReplicaContext, Replicas } from "./replicas.ts";

const BLOCK = { number: 1, timestamp: 1 } as BlockReference;
const quiet = pino({ level: "silent" });
const node = (id: number, more: object = {}) => ({ id, status: "active", endpoint: "", ...more }) as Node;
const LEASE: Lease = {
  id: 5,
  taskId: 1,
  nodeId: 1,
  start: 0,
  count: 1,
  price: 1,
  due: 0,
  fence: 1,
  status: "active",
  parent: 0,
  classId: 1,
};
const BYTES = 300_000;

let folder: string;
let producer: CheckpointStore;
let store: CheckpointStore;
/** What the chain has of the lease, the newest first. */
let posted: Checkpoint[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "drmp-replicas-"));
  producer = new CheckpointStore({ directory: join(folder, "producer") });
  await producer.start();
});
after(async () => {
  await store.stop();
  await producer.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await (store as CheckpointStore | undefined)?.stop();
  store = new CheckpointStore({ directory: await mkdtemp(join(folder, "holder-")) });
  await store.start();
  posted = [];
});

/** Node 1 makes checkpoints, node 2 is asked to copy them. */
const open = (context: Partial<ReplicaContext> = {}, view: Partial<CopyView> = {}) =>
  new Replicas({
    ...{ store, logger: quiet, nodeId: 2, maxCheckpointBytes: 2 ** 30, full: () => undefined },
    look: async () => ({
      ...{ lease: LEASE, self: node(2), newest: posted.slice(0, 2), holders: [2, 7], now: 1 },
      producer: node(1, { endpoint: producer.endpoint() }),
      ...view,
    }),
    ...context,
  });
const chain = { newestCheckpoints: async () => posted.slice(0, 2) };

/** Asks until there is an answer other than "copying", and has what is no longer wanted go. */
async function ask(replicas: Replicas): Promise<CopyAnswer> {
  for (;;) {
    const answered = await replicas.answer({ leaseId: LEASE.id }).catch((error: unknown) => {
      if (error instanceof CheckpointError && error.code === "BUSY") return { kind: "copying" } as const;
      throw error;
    });
    if (answered.kind !== "copying") return answered;
    await delay(50);
  }
}
async function look(replicas: Replicas, kept: readonly Lease[] = [LEASE]): Promise<string[]> {
  await replicas.tidy(chain, BLOCK, kept, new Set([LEASE.id]));
  return store.list().map(({ cid }) => cid.toString());
}

/** Makes a checkpoint at the producer and posts it. @param claims Bytes that the chain is told, if not the truth. */
async function post(claims?: number): Promise<string> {
  const { cid, size } = await producer.addFile(new Uint8Array(randomBytes(BYTES)));
  const sequence = posted.length + 1;
  posted = [
    { ...toChainCid(cid), progress: sequence, size: claims ?? size, at: sequence, sequence, startedAt: 0 },
    ...posted,
  ];
  return cid.toString();
}

test("what a producer asks for is copied: the newest two stay, older ones leave the disk, and all goes with the lease", async () => {
  const replicas = open();
  const cids: string[] = [];
  for (let i = 0; i < 6; i++) {
    cids.push(await post());
    assert.deepEqual(await ask(replicas), { kind: "held" });
    assert.deepEqual((await look(replicas)).sort(), cids.slice(-2).sort());
    assert.ok(store.usedBytes < 2.1 * BYTES, `${String(store.usedBytes)} bytes after ${String(i + 1)} checkpoints`);
  }
  assert.deepEqual(await look(replicas, []), []);
  assert.equal(store.usedBytes, 0);
});

test("a latecomer copies both; one that nobody has any longer does not keep the newest away", async () => {
  const [first, second] = [await post(), await post()];
  assert.deepEqual(await ask(open()), { kind: "held" });
  assert.deepEqual((await look(open())).sort(), [first, second].sort());
  const third = await post();
  await producer.unpin(third);
  await producer.collectGarbage();
  const fourth = await post();
  const impatient = {
    ...bound(store),
    fetch: (cid: string, options: object) => store.fetch(cid, { ...options, stallTimeout: 500 }),
  };
  const replicas = open({ store: impatient as never });
  assert.deepEqual(await ask(replicas), { kind: "held" });
  assert.deepEqual(await look(replicas), [fourth]);
});

test("nothing is taken that is larger than the chain says, or than this node takes", async () => {
  await post(BYTES / 2);
  assert.equal((await ask(open())).kind, "refused");
  assert.deepEqual(store.list(), []);
  posted = [];
  await post();
  assert.match(
    JSON.stringify(await ask(open({ maxCheckpointBytes: BYTES - 1 }))),
    /bytes exceed the 299999 that this node copies/,
  );
  assert.deepEqual(await ask(open()), { kind: "held" });
});

test("nobody has anything copied that is not this node's to hold", async () => {
  await post();
  const why = async (view: Partial<CopyView>) => {
    const answered = await ask(open({}, view));
    return answered.kind === "refused" ? answered.why : answered.kind;
  };
  assert.match(await why({ lease: undefined }), /lease 5 does not exist/);
  assert.match(await why({ self: undefined }), /not registered/);
  assert.match(await why({ self: node(2, { status: "draining" }) }), /draining/);
  assert.match(await why({ producer: node(2) }), /made lease 5's work itself/);
  assert.match(await why({ holders: [7, 8] }), /is no holder of lease 5, whose holders are 7, 8 now/);
  assert.match(await why({ lease: { ...LEASE, status: "paid" } }), /no longer of use/);
  assert.deepEqual(await open().answer({ leaseId: 5, cid: "any" }), {
    kind: "refused",
    why: "the request is malformed",
  });
  assert.equal(await why({}), "held");
});

/** A store whose methods can be replaced one by one. */
function bound(
  of: CheckpointStore,
): Pick<CheckpointStore, "list" | "unpin" | "collectGarbage" | "usedBytes" | "maxBytes"> {
  return {
    list: () => of.list(),
    unpin: (cid, label) => of.unpin(cid, label),
    collectGarbage: () => of.collectGarbage(),
    usedBytes: of.usedBytes,
    maxBytes: of.maxBytes,
  };
}
