import assert from "node:assert/strict";
import { test } from "node:test";

import { pino } from "pino";

import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { startStore } from "@verai/checkpoint-store/testing";
import { type AgentContext, checkpointLabel } from "../context.ts";
import { type ReplicaContext, Replicas } from "../replication/replicas.ts";
import { ReceiptResponder, type ResponderContext } from "../replication/responder.ts";
import { Housekeeping } from "./housekeeping.ts";

const BLOCK = { number: 1, timestamp: 1_000 } as BlockReference;
const logger = pino({ level: "silent" });

test("what is pinned of a lease while the chain is asked about others is left to the next round", async (context) => {
  const store = await startStore(context, { http: false });
  const add = async (text: string, pin: string) => (await store.addFile(Buffer.from(text), { pin })).cid.toString();
  const labels = (leaseId: number) => [
    checkpointLabel(leaseId),
    `attested-${String(leaseId)}`,
    `replica-${String(leaseId)}`,
  ];
  for (const label of labels(1)) await add(`before ${label}`, label);
  // The first lease is over, and the second one has just been granted.
  const over = { id: 1, taskId: 1, nodeId: 1, count: 1, parent: 0, status: "paid", fence: 1 } as Lease;
  const fresh = { ...over, id: 2, status: "active" } as Lease;
  const came: string[] = [];
  const reader = {
    leasesThatExist: async (_block: unknown, ids: readonly number[]) => {
      if (came.length === 0) for (const label of labels(2)) came.push(await add(`meanwhile ${label}`, label));
      return [over, fresh].filter(({ id }) => ids.includes(id));
    },
    tasksById: async () => [],
    newestCheckpoints: async () => [],
  };
  const parts = { store, logger, session: { reader } };
  const idle = { tidy: async () => undefined };
  const exchanges = { ...idle, leaseIds: new Set<number>() };
  const auditStates = { keeps: async () => new Set<string>() };
  const house = new Housekeeping(
    { ...parts, exchanges, auditStates } as unknown as AgentContext,
    new Replicas(parts as unknown as ReplicaContext),
    new ReceiptResponder(parts as unknown as ResponderContext),
    ...([idle, idle] as const),
  );
  const pinned = () => store.list().map(({ cid }) => cid.toString());
  await house.keep(BLOCK);
  assert.deepEqual(pinned().toSorted(), came.toSorted(), "what is over has gone, what came has stayed");
  house.hasten();
  await house.keep(BLOCK);
  const left = store.list().flatMap((pin) => pin.labels);
  assert.ok(left.includes(checkpointLabel(2)) && left.includes("replica-2"), "it is of use, as the next round sees");
});
