import assert from "node:assert/strict";
import { test } from "node:test";

import { LOG_PROTOCOL, type LogAnswer } from "@verai/client/log-protocol";
import { type LogParts, readLog } from "./logs.ts";

const OWN = 1;
const request = (leaseId: number) => ({ leaseId, unit: 0, offset: 0, proof: { until: 1 } });
const answerOf = (text: string): LogAnswer => ({
  ...{ kind: "log", bytes: Buffer.from(text).toString("base64") },
  ...{ offset: 0, size: text.length },
});

/** A door of node 1. Lease n belongs to node n; node 2 answers, node 3 does not, and node 4 has no address. */
function door() {
  const asked: string[] = [];
  const parts = {
    nodeId: OWN,
    session: {
      reader: {
        block: () => Promise.resolve({ number: 1 }),
        leasesThatExist: (_: unknown, [id]: readonly number[]) => Promise.resolve([{ id, nodeId: id }]),
        node: (_: unknown, id: number) =>
          Promise.resolve({ endpoint: id === 4 ? "" : `/ip4/10.0.0.${String(id)}/tcp/1/p2p/peer-${String(id)}` }),
      },
    },
    store: {
      peerId: "peer-1",
      request: (peers: readonly string[], protocol: string) => {
        asked.push(`${protocol} ${peers.join()}`);
        if (peers.join().endsWith("peer-3")) return Promise.reject(new Error("it is silent"));
        return Promise.resolve(answerOf("theirs"));
      },
    },
    logs: {
      answer: (body: unknown, { peer }: { peer: string }) => {
        asked.push(`${peer} itself`);
        assert.deepEqual(body, request(OWN));
        return Promise.resolve(answerOf("mine"));
      },
    },
  };
  return { asked, parts: parts as unknown as LogParts };
}

test("logs of the door's own node are read here, those of others from them", async () => {
  const { asked, parts } = door();
  assert.deepEqual(await readLog(parts, request(OWN)), answerOf("mine"));
  assert.deepEqual(await readLog(parts, request(2)), answerOf("theirs"));
  assert.deepEqual(asked, ["peer-1 itself", `${LOG_PROTOCOL} /ip4/10.0.0.2/tcp/1/p2p/peer-2`]);
});

test("a node that does not answer, or has no address, is named", async () => {
  const { parts } = door();
  await assert.rejects(readLog(parts, request(3)), /the node of lease 3 does not answer: it is silent/);
  await assert.rejects(readLog(parts, request(4)), /the node of lease 4 has no address/);
});
