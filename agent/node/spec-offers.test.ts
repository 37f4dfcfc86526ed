import assert from "node:assert/strict";
import { test } from "node:test";

import { id as eventId, Wallet, zeroPadValue } from "ethers";
import { pino } from "pino";

import type { BlockReference } from "@verai/client/block-reference";
import { OFFER_SECONDS, offerSubject, specHoldingSigner } from "@verai/client/offer-protocol";
import { LocalStore } from "@verai/checkpoint-store/local";
import { temporaryDirectory } from "@verai/checkpoint-store/testing";
import { specBytes } from "@verai/executor/spec";
import { checkpointCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { SpecOffers, type SpecOfferContext } from "./spec-offers.ts";

const DOMAIN = { name: "DRMP", version: "1", chainId: 31337, verifyingContract: `0x${"11".repeat(20)}` };
const OWNER = `0x${"ab".repeat(20)}`;
const SUBMITTED = eventId("TaskSubmitted(uint32,address,bytes32,uint32,uint256,uint256)");
const at = (number: number, timestamp: number) => ({ number, timestamp, hash: "0x" }) as unknown as BlockReference;
const specOf = (name: string) =>
  specBytes({
    ...{ version: 1, name, trainer: "digits", outputs: ["model.bin"] },
    ...{ resources: { cpus: 1, memoryMiB: 128 }, checkpoint: { intervalSeconds: 5 }, timeouts: { unitSeconds: 60 } },
  });

/** Offers of one node in a network of one, with a real store; `tasks` are what the chain says was submitted. */
async function holder(directory: string) {
  const operator = Wallet.createRandom();
  const store = Object.assign(new LocalStore(directory), { handle: () => Promise.resolve() });
  await store.open();
  const tasks: { id: number; digest: string }[] = [];
  const kept: number[] = [];
  const reader = {
    block: async () => at(10, 1_000),
    nodeOfOperator: async (_: unknown, address: string) => (address === operator.address.toLowerCase() ? 1 : undefined),
    node: async () => ({ id: 1, status: "active" }),
    task: async (_: unknown, id: number) => {
      const digest = tasks.find((task) => task.id === id)?.digest;
      return digest === undefined ? undefined : { id, status: "open", spec: { digest, codec: 0x55 } };
    },
  };
  const provider = {
    send: async (method: string) => {
      assert.equal(method, "eth_getLogs");
      return tasks.map(({ id, digest }, i) => ({
        address: `0x${"22".repeat(20)}`,
        topics: [SUBMITTED, zeroPadValue(`0x0${String(id)}`, 32), zeroPadValue(OWNER, 32)],
        data: `${digest}${"00".repeat(96)}`,
        ...{ blockNumber: "0xa", blockHash: `0x${"33".repeat(32)}`, logIndex: `0x${i.toString(16)}` },
        ...{ transactionHash: `0x${"44".repeat(32)}`, removed: false },
      }));
    },
  };
  const contracts = {
    nodes: { nodeCount: () => Promise.resolve(1n) },
    tasks: {
      getAddress: async () => `0x${"22".repeat(20)}`,
      interface: { getEvent: () => ({ topicHash: SUBMITTED }) },
    },
  };
  const context = {
    ...{ session: { reader, provider, contracts }, store, signer: operator, domain: DOMAIN, nodeId: 1 },
    access: {
      sender: async ({ root }: { root: string }, proof: unknown) =>
        proof === "good"
          ? { address: operator.address.toLowerCase(), lease: undefined }
          : { wrong: `no proof for ${root}` },
    },
    specs: {
      bytes: async (spec: { digest: string }, _: number, __: AbortSignal, { taskId }: { taskId: number }) => {
        kept.push(taskId);
        return new Uint8Array();
      },
    },
    disk: { look: async () => undefined },
    logger: pino({ level: "silent" }),
  } as unknown as SpecOfferContext;
  const offers = new SpecOffers(context);
  const ask = (spec: Uint8Array, proof = "good") =>
    offers.answer(
      { spec: Buffer.from(spec).toString("base64"), owner: OWNER, proof },
      { peer: "peer", prove: () => undefined },
    );
  return { offers, ask, store, tasks, kept, operator };
}

test("a spec is held for a staked node that asks, and signed for; others and broken specs are refused", async (t) => {
  const { ask, store, operator } = await holder(await temporaryDirectory(t));
  const spec = specOf("one");
  const answered = await ask(spec);
  assert.ok(answered.kind === "held");
  const { receipt } = answered;
  const { digest } = toChainCid(checkpointCid(spec));
  assert.equal(receipt.until, 1_000 + OFFER_SECONDS);
  const holding = { spec: digest, owner: OWNER, nodeId: 1, until: receipt.until };
  assert.equal(specHoldingSigner(DOMAIN, holding, receipt.signature), operator.address);
  assert.notEqual(
    specHoldingSigner(DOMAIN, { ...holding, until: receipt.until + 1 }, receipt.signature),
    operator.address,
  );
  assert.ok(await store.has(checkpointCid(spec)));
  const refused = await ask(specOf("two"), "bad");
  assert.match(refused.kind === "refused" ? refused.why : "", new RegExp(offerSubject("bafkrei").slice(0, 12)));
  const broken = await ask(new TextEncoder().encode('{"version":2}'));
  assert.match(broken.kind === "refused" ? broken.why : "", /version is 2/);
  await store.close();
});

test("a spec that a task names is kept for it; one that none names in time goes", async (t) => {
  const { ask, offers, store, tasks, kept } = await holder(await temporaryDirectory(t));
  const [wanted, unwanted] = [specOf("wanted"), specOf("unwanted")];
  await ask(wanted);
  await ask(unwanted);
  await ask(unwanted);
  assert.equal(store.list().length, 2, "offered again, held once");
  await offers.tidy(at(20, 1_010));
  assert.equal(store.list().length, 2);
  tasks.push({ id: 7, digest: toChainCid(checkpointCid(wanted)).digest });
  await offers.tidy(at(30, 1_020));
  assert.deepEqual(kept, [7]);
  assert.deepEqual(
    store.list().map(({ cid }) => cid.toString()),
    [checkpointCid(unwanted).toString()],
  );
  await offers.tidy(at(900, 1_000 + OFFER_SECONDS + 121));
  assert.equal(store.list().length, 0);
  assert.equal(await store.has(checkpointCid(unwanted)), false, "its block is gone as well");
  await store.close();
});

test("a node has a bounded number of specs without a task held", async (t) => {
  const { offers, store } = await holder(await temporaryDirectory(t));
  const pins = Array.from({ length: 256 }, (_, i) => ({
    cid: checkpointCid(new TextEncoder().encode(String(i))),
    labels: [`offer-1-2000-${OWNER}`],
  }));
  Object.assign(store, { list: () => pins });
  const one = await offers.hold(specOf("more"), OWNER, 1, at(10, 1_000));
  assert.match(one.kind === "refused" ? one.why : "", /256 specs of node 1's door wait/);
  assert.equal((await offers.hold(specOf("more"), OWNER, 2, at(10, 1_000))).kind, "held");
  await store.close();
});
