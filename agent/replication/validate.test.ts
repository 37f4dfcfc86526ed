import assert from "node:assert/strict";
import { test } from "node:test";

import { Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { Lease, Node } from "@verai/client/entities";
import { receiptDomain, receiptSigner, signReceipt } from "@verai/client/checkpoint-receipt";
import { type RequestView, refusal } from "./validate.ts";
import { receiptRequest } from "./protocol.ts";

const operator = new Wallet(`0x${"11".repeat(32)}`);
const domain = receiptDomain(LOCAL_CHAIN_ID, `0x${"22".repeat(20)}`);
const claim = { leaseId: 3, fence: 2, digest: `0x${"ab".repeat(32)}`, codec: 0x70, progress: 5_000, size: 1_000 };

const node = (id: number, address: string): Node =>
  ({ id, status: "active", operator: address }) as Partial<Node> as Node;
const lease = { id: 3, fence: 2, status: "active", count: 2, nodeId: 7 } as Partial<Lease> as Lease;

async function asked() {
  const request = receiptRequest.parse({ ...claim, signature: await signReceipt(operator, domain, claim, 7) });
  const view: RequestView = {
    lease,
    producer: node(7, operator.address),
    self: node(4, `0x${"33".repeat(20)}`),
    holders: [4, 9],
    progress: 4_000,
    signer: receiptSigner(domain, request, { nodeId: 7, signature: request.signature }),
    maxBytes: 2_000,
    full: undefined,
  };
  return { request, view };
}

test("a request of the lease's own node for a checkpoint that has got further is granted", async () => {
  const { request, view } = await asked();
  assert.equal(view.signer, operator.address);
  assert.equal(refusal(request, view), undefined);
});

for (const [what, change, says] of [
  ["is not known", { lease: undefined }, /lease 3 does not exist/],
  ["has changed hands", { lease: { ...lease, fence: 3 } }, /fence 3, not 2/],
  ["is over", { lease: { ...lease, status: "expired" } }, /lease 3 is expired/],
  ["has got further already", { progress: 5_000 }, /beyond 5000/],
] as const) {
  test(`refuses where the lease ${what}`, async () => {
    const { request, view } = await asked();
    assert.match(refusal(request, { ...view, ...change }) ?? "", says);
  });
}

test("refuses what anybody but the lease's operator has signed, or was signed for another checkpoint", async () => {
  const { request, view } = await asked();
  assert.match(refusal(request, { ...view, signer: undefined }) ?? "", /not signed by the operator of node 7/);
  assert.match(refusal(request, { ...view, signer: view.self?.operator }) ?? "", /not signed/);
  const other = { ...request, size: request.size + 1 };
  const signer = receiptSigner(domain, other, { nodeId: 7, signature: request.signature });
  assert.notEqual(signer, operator.address);
  assert.match(refusal(other, { ...view, signer }) ?? "", /not signed/);
});

test("refuses as the producer itself, as no holder, when not active, for too many bytes, and without room", async () => {
  const { request, view } = await asked();
  assert.match(refusal(request, { ...view, self: view.producer }) ?? "", /cannot vouch for itself/);
  assert.match(refusal(request, { ...view, holders: [9] }) ?? "", /is no holder/);
  assert.match(refusal(request, { ...view, self: { ...node(4, "0x"), status: "draining" } }) ?? "", /is draining/);
  assert.match(refusal(request, { ...view, maxBytes: 999 }) ?? "", /1000 bytes exceed the 999/);
  assert.equal(refusal(request, { ...view, full: "the disk is full" }), "the disk is full");
  assert.match(refusal({ ...request, progress: 20_001 }, view) ?? "", /more than 2 units have/);
});

test("a signature that is none is nobody's, and does not pass the schema", () => {
  assert.equal(receiptSigner(domain, claim, { nodeId: 7, signature: "0x12" }), undefined);
  assert.ok(!receiptRequest.safeParse({ ...claim, signature: "0x12" }).success);
  assert.ok(!receiptRequest.safeParse({ ...claim, fence: -1, signature: `0x${"00".repeat(65)}` }).success);
});
