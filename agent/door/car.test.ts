import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { checkpointCid } from "@verai/protocol/checkpoints/cid";
import { type Block, sendCar } from "./car.ts";

const BLOCK_BYTES = 256 * 1024;
const blockOf = (i: number): Block => {
  const bytes = new Uint8Array(BLOCK_BYTES).fill(i);
  return { cid: checkpointCid(bytes), bytes };
};
const root = blockOf(0).cid;

/** Serves one answer, and asks for it. */
async function asked(context: { after: (end: () => void) => void }, answer: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => {
    answer(response);
  }).listen(0, "127.0.0.1");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const [incoming] = (await once(get({ port: (server.address() as AddressInfo).port }), "response")) as [
    IncomingMessage,
  ];
  return incoming;
}

test("many blocks reach a slow reader whole, and leave no listener behind", async (context) => {
  const count = 64;
  let most = 0;
  let sent: Promise<void> | undefined;
  const incoming = await asked(context, (response) => {
    async function* blocks(): AsyncGenerator<Block> {
      for (let i = 0; i < count; i++) {
        most = Math.max(most, response.listenerCount("close"), response.listenerCount("error"));
        yield Promise.resolve(blockOf(i));
      }
    }
    sent = sendCar(response, root, blocks());
  });
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sent;
  assert.ok(incoming.complete);
  assert.ok(bytes > count * BLOCK_BYTES);
  assert.ok(most <= 8, `${String(most)} listeners at once`);
});

test("a reader that breaks off ends what is read for it; a source that fails leaves the answer unfinished", async (context) => {
  let ended = false;
  let sent: Promise<void> | undefined;
  const broken = await asked(context, (response) => {
    async function* endless(): AsyncGenerator<Block> {
      try {
        for (;;) yield Promise.resolve(blockOf(1));
      } finally {
        ended = true;
      }
    }
    sent = sendCar(response, root, endless());
  });
  broken.destroy();
  await sent;
  assert.ok(ended);

  const unfinished = await asked(context, (response) => {
    async function* failing(): AsyncGenerator<Block> {
      yield Promise.resolve(blockOf(1));
      throw new Error("the block is gone");
    }
    void sendCar(response, root, failing());
  });
  await assert.rejects(async () => {
    for await (const chunk of unfinished as AsyncIterable<Buffer>) void chunk;
  });
  assert.ok(!unfinished.complete);
});
