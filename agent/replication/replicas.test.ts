import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { pino } from "pino";

import type { Checkpoint, Lease, Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { type ReplicaContext, Replicas } from "./replicas.ts";

const BLOCK = { number: 1, timestamp: 1 } as BlockReference;
const quiet = pino({ level: "silent" });
/** Node 1 makes checkpoints, node 2 is the only other one. */
const NODES = [1, 2].map((id) => ({ id, status: "active" })) as Node[];
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
};
const BYTES = 300_000;

let folder: string;
let producer: CheckpointStore;
let store: CheckpointStore;
/** What the chain has of the lease, the newest first. */
let posted: Checkpoint[] = [];
let clock = 0;
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
  store.setPeers(producer.multiaddrs());
  posted = [];
});

const chain = {
  checkpoints: (_pin: BlockReference, ids: readonly number[]) => {
    const [newest] = posted;
    return Promise.resolve(new Map(newest && ids.includes(LEASE.id) ? [[LEASE.id, newest]] : []));
  },
  newestCheckpoints: () => Promise.resolve(posted.slice(0, 2)),
};
const open = (context: object = {}) =>
  new Replicas({ store, logger: quiet, replicas: 1, maxCheckpointBytes: 2 ** 30, ...context }, () => clock);
async function look(replicas: Replicas, kept: readonly Lease[] = [LEASE]): Promise<string[]> {
  await replicas.keep(chain, BLOCK, kept, NODES, 2);
  await replicas.idle();
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

test("the newest two checkpoints stay, older ones leave the disk, and all goes with the lease", async () => {
  const replicas = open();
  const cids: string[] = [];
  for (let i = 0; i < 6; i++) {
    cids.push(await post());
    assert.deepEqual((await look(replicas)).sort(), cids.slice(-2).sort());
    assert.ok(store.usedBytes < 2.1 * BYTES, `${String(store.usedBytes)} bytes after ${String(i + 1)} checkpoints`);
  }
  assert.deepEqual(await look(replicas, []), []);
  assert.equal(store.usedBytes, 0);
});

test("whoever comes late copies both, and one that cannot be had is not asked for at once again", async () => {
  const [first, second] = [await post(), await post()];
  assert.deepEqual((await look(open())).sort(), [first, second].sort());
  const third = await post();
  // Nobody has it any more.
  await producer.unpin(third);
  await producer.collectGarbage();
  const fourth = await post();
  let asked = 0;
  const counting: ReplicaContext["store"] = {
    list: () => store.list(),
    unpin: (cid, label) => store.unpin(cid, label),
    collectGarbage: () => store.collectGarbage(),
    fetch: (cid, options) => {
      if (cid === third) asked += 1;
      return store.fetch(cid, { ...options, timeout: 1_000 });
    },
  };
  const replicas = open({ store: counting });
  assert.deepEqual(await look(replicas), [fourth]);
  assert.deepEqual(await look(replicas), [fourth]);
  assert.equal(asked, 1);
  clock += 60_000;
  await look(replicas);
  assert.equal(asked, 2);
});

test("nothing is taken that is larger than the chain says, or than this node takes", async () => {
  await post(BYTES / 2);
  assert.deepEqual(await look(open()), []);
  posted = [];
  await post();
  assert.deepEqual(await look(open({ maxCheckpointBytes: BYTES - 1 })), []);
  const [newest] = posted;
  assert.ok(newest);
  assert.deepEqual(await look(open()), [fromChainCid(newest).toString()]);
});

test("a node that keeps no replicas lets go of those that are behind", async () => {
  const first = await post();
  await look(open());
  await post();
  await post();
  assert.deepEqual(await look(open({ replicas: 0 })), [first], "the newest is not here");
  assert.deepEqual(await look(open({ replicas: 0 }), []), []);
});
