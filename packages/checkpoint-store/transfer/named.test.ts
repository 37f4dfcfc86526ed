import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";

import { atEnd, seededBytes, startStore } from "../testing.ts";

/** Round-trip time of the simulated peers, milliseconds. */
const RTT_MS = 60;

/** Peers that have nothing, each as far away as a server on another continent. */
async function emptyPeers(t: TestContext, count: number, onAsked: (place: number) => void): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async (_each, place) => {
      const server = createServer((_, response) => {
        onAsked(place);
        setTimeout(() => response.writeHead(404, { "content-length": 3 }).end("no\n"), RTT_MS);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  atEnd(t, async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  return servers.map((server) => `/ip4/127.0.0.1/tcp/${String((server.address() as AddressInfo).port)}/http`);
}

for (const count of [300, 1_000]) {
  test(`a checkpoint is found among ${String(count)} peers 60 ms away without asking many, one of the named ones having it`, async (t) => {
    const [holder, seeker] = [await startStore(t), await startStore(t, { http: false })];
    const { cid } = await holder.addFile(seededBytes("named", 200_000));
    const asked: number[] = [];
    const others = await emptyPeers(t, count - 1, (place) => asked.push(place));
    seeker.setPeers(others);
    // Those whom the chain names: about eight for each copy that was asked for, the last of which has it.
    const named = [...others.slice(0, 9), ...holder.multiaddrs().filter((address) => address.endsWith("/http"))];
    await seeker.fetch(cid, { from: named, stallTimeout: 15_000 });
    // On a quiet machine that takes a tenth of a second; a busy one asks some more, who are as far away, while it waits.
    const missed = new Set(asked);
    assert.ok(missed.size < 100, `${String(missed.size)} were asked that have nothing`);
  });
}

test("a holder that is named is asked though it is no peer, by HTTP or by a connection of its own", async (t) => {
  for (const http of [undefined, false] as const) {
    const holder = await startStore(t, http === false ? { http } : {});
    const seeker = await startStore(t, { http: false });
    const { cid } = await holder.addFile(seededBytes(`stranger ${String(http)}`, 100_000));
    await assert.rejects(seeker.fetch(cid, { stallTimeout: 200 }), /was not found/);
    await seeker.fetch(cid, { from: holder.multiaddrs(), stallTimeout: 30_000 });
  }
});
