import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { pino } from "pino";
import { Registry } from "prom-client";

import { CheckpointStore } from "@verai/checkpoint-store/store";
import { replicationMetrics } from "./replication-metrics.ts";
import { PeerReputation } from "./reputation.ts";
import { SpotChecks } from "./spot-check.ts";

const root = await mkdtemp(join(tmpdir(), "drmp-spot-"));
const stores: CheckpointStore[] = [];
after(async () => {
  await Promise.all(stores.map((store) => store.stop()));
  await rm(root, { recursive: true, force: true });
});

async function peer(name: string) {
  const store = new CheckpointStore({ directory: join(root, name) });
  await store.start();
  stores.push(store);
  const registry = new Registry();
  const reputation = new PeerReputation();
  const logger = pino({ level: "silent" });
  const spot = new SpotChecks({ store, logger, metrics: replicationMetrics(registry), reputation, spotCheckMs: 0 });
  await spot.serve();
  const outcomes = async () => {
    const found = await registry.getSingleMetric("drmp_spot_checks_total")?.get();
    return Object.fromEntries((found?.values ?? []).map(({ labels, value }) => [String(labels["outcome"]), value]));
  };
  return { store, spot, reputation, outcomes };
}

test("a holder proves a random leaf; one that has lost it fails, is doubted, and fetches it again", async () => {
  const [producer, holder] = [await peer("producer"), await peer("holder")];
  const { cid } = await producer.store.addFile(Buffer.alloc(3_000_000, "weights"), { pin: "checkpoint-1" });
  const endpoint = holder.store.endpoint();
  holder.store.setPeers(producer.store.multiaddrs());
  await holder.store.fetch(cid, { pin: "attested-1", timeout: 20_000 });
  const name = cid.toString();
  producer.spot.note(1, name, [7]);

  await producer.spot.check(1, name, 7, endpoint);
  assert.deepEqual(await producer.outcomes(), { held: 1 });
  assert.equal(producer.reputation.of(7), undefined);

  // Every block of the copy is overwritten.
  const blocks = join(root, "holder", "blocks");
  for (const file of await readdir(blocks, { recursive: true })) {
    if (/\/[0-9a-f]{64}$/.test(`/${file}`)) await writeFile(join(blocks, file), "damaged");
  }
  await producer.spot.check(1, name, 7, endpoint);
  assert.deepEqual(await producer.outcomes(), { held: 1, failed: 1 });
  assert.equal(producer.reputation.of(7), "failed check");

  // It repairs itself, and then passes again.
  for (let i = 0; i < 1_200 && !(await holder.store.has(cid)); i++) await new Promise((done) => setTimeout(done, 50));
  await producer.spot.check(1, name, 7, endpoint);
  assert.deepEqual(await producer.outcomes(), { held: 2, failed: 1 });
});

test("a holder that does not answer is not taken for one that has nothing", async () => {
  const [producer, holder] = [await peer("lonely"), await peer("gone")];
  const endpoint = holder.store.endpoint();
  await holder.store.stop();
  const { cid } = await producer.store.addFile(Buffer.from("weights"), { pin: "checkpoint-1" });
  producer.spot.note(1, cid.toString(), [7]);
  await producer.spot.check(1, cid.toString(), 7, endpoint);
  assert.deepEqual(await producer.outcomes(), { unanswered: 1 });
  assert.equal(producer.reputation.of(7), "unreached");
});

test("what a later checkpoint has replaced is nobody's fault", async () => {
  const [producer, holder] = [await peer("moved on"), await peer("tidy")];
  const { cid } = await producer.store.addFile(Buffer.from("old weights"), { pin: "checkpoint-1" });
  producer.spot.note(1, "a later one", [7]);
  await producer.spot.check(1, cid.toString(), 7, holder.store.endpoint());
  assert.deepEqual(await producer.outcomes(), {});
  assert.equal(producer.reputation.of(7), undefined);
});
