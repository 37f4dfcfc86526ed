import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";

import type { FetchProgress } from "../fetch.ts";
import {
  atEnd,
  blockFiles,
  damage,
  failsWith,
  readTree,
  seededBytes,
  startStore,
  temporaryDirectory,
  until,
  writeTree,
} from "../testing.ts";
import { honest, startGateway } from "./testing.ts";

const MIB = 1024 * 1024;
const MISSING = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";

void suite("pulling over HTTP", { concurrency: 4 }, () => {
  test("each block is asked for once, of one peer or the other, and progress tells how far it is", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid, size, blocks } = await alice.addFile(seededBytes("two peers", 32 * MIB));
    const gateways = [await startGateway(t, alice), await startGateway(t, alice)];
    bob.setPeers(gateways.map(({ address }) => address));
    const seen: FetchProgress[] = [];
    await bob.fetch(cid, { onProgress: (progress) => seen.push(progress) });
    assert.equal(await bob.has(cid), true);
    const asked = gateways.flatMap((gateway) => gateway.asked);
    // a peer that is slow to answer is not waited for alone
    assert.ok(asked.length <= blocks + 2, `${asked.length} were asked for`);
    assert.equal(new Set(asked).size, blocks);
    for (const gateway of gateways) assert.ok(gateway.asked.length > blocks / 8, `${gateway.asked.length}`);
    assert.deepEqual(seen.at(-1), { blocks, bytes: size, totalBytes: size });
    assert.ok(seen.every(({ totalBytes }) => totalBytes === size));
  });

  test("stores learn of one another's HTTP by the addresses that they announce, and use nothing else", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const source = await temporaryDirectory(t);
    await writeTree(source, { "weights.bin": seededBytes("announced", 5 * MIB), "progress.json": "{}" });
    const { cid } = await alice.addDirectory(source);
    const endpoint = alice.endpoint().split(",");
    assert.equal(endpoint.length, 2);
    assert.deepEqual(bob.setPeers(endpoint), []);
    await alice.request(bob.multiaddrs(), "/drmp/none/1", 0).catch(() => undefined);
    const restored = join(await temporaryDirectory(t), "restored");
    await bob.fetchTo(cid, restored);
    assert.deepEqual(await readTree(restored), await readTree(source));
    // own addresses are no peers
    bob.setPeers(bob.multiaddrs());
    await assert.rejects(bob.fetch(MISSING, { stallTimeout: 300 }), failsWith("NOT_FOUND", "asked peers"));
  });

  test("a broken connection is taken up where it broke: what is here is not sent again", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid, size, blocks } = await alice.addFile(seededBytes("broken", 24 * MIB));
    const gateway = await startGateway(t, alice, (response, bytes, count) => {
      if (count !== 12) return honest(response, bytes, count);
      // in the middle of a block, with others on their way
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, bytes.byteLength / 2), () => void gateway.stop().then(() => gateway.start()));
    });
    bob.setPeers([gateway.address]);
    await bob.fetch(cid, { stallTimeout: 20_000 });
    assert.equal(await bob.has(cid), true);
    const lost = gateway.asked.length - blocks;
    assert.ok(lost >= 1 && lost <= 8, `${lost} were asked for again, at most those on their way`);
    assert.ok(gateway.served <= size + lost * MIB, `${gateway.served} bytes for ${size}`);
  });

  test("a fetch that was ended goes on later, also after a restart, from what had arrived", async (t) => {
    const [alice, directory] = [await startStore(t), await temporaryDirectory(t)];
    const { cid, blocks } = await alice.addFile(seededBytes("resumed", 24 * MIB));
    const gateway = await startGateway(t, alice);
    const first = await startStore(t, { directory });
    first.setPeers([gateway.address]);
    const ended = new AbortController();
    const fetching = first.fetch(cid, {
      signal: ended.signal,
      onProgress: ({ blocks: count }) => {
        if (count === 10) ended.abort(new Error("killed"));
      },
    });
    await assert.rejects(fetching, /killed/);
    assert.deepEqual(await readdir(join(directory, "tmp")), [], "no half-written block");
    const kept = [...(await blockFiles(first)).keys()];
    assert.ok(kept.length >= 10 && kept.length < blocks, `${kept.length}`);
    await first.stop();

    const second = await startStore(t, { directory });
    second.setPeers([gateway.address]);
    gateway.asked.length = 0;
    await second.fetch(cid, { pin: "lease-1" });
    assert.equal(gateway.asked.length, blocks - kept.length);
    assert.ok(kept.every((name) => !gateway.asked.includes(name)));
    assert.equal((await second.durable(cid)).blocks, blocks);
  });

  test("a peer that sends wrong bytes is dropped, and the others are used", async (t) => {
    const [alice, bob, carol] = [await startStore(t), await startStore(t), await startStore(t)];
    const { cid } = await alice.addFile(seededBytes("wrong", 20 * MIB));
    const liar = await startGateway(t, alice, (response, bytes, count) => {
      const wrong = Buffer.from(bytes);
      if (count > 3) wrong[1000] = (wrong[1000] ?? 0) ^ 1;
      honest(response, wrong, count);
    });
    const good = await startGateway(t, alice);
    bob.setPeers([liar.address, good.address]);
    await bob.fetch(cid);
    assert.equal(await bob.has(cid), true);
    assert.ok(liar.asked.length <= 12, `the liar was asked ${liar.asked.length} times`);
    carol.setPeers([liar.address]);
    await assert.rejects(carol.fetch(cid, { stallTimeout: 3_000 }), failsWith("CORRUPT", liar.address, "wrong bytes"));
    assert.equal((await blockFiles(carol)).size, 0);
  });

  test("a peer that stalls in the middle of a block, or never answers, is left for another", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid } = await alice.addFile(seededBytes("stalled", 16 * MIB));
    const stalling = await startGateway(t, alice, (response, bytes, count) => {
      if (count <= 3) return honest(response, bytes, count);
      response.writeHead(200, { "content-length": bytes.byteLength }).write(bytes.subarray(0, 1000));
    });
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    atEnd(t, async () => mute.close());
    const hole = `/ip4/127.0.0.1/tcp/${(mute.address() as AddressInfo).port}/http`;
    const good = await startGateway(t, alice);
    bob.setPeers([hole, stalling.address, good.address]);
    const began = performance.now();
    await bob.fetch(cid, { stallTimeout: 3_000 });
    assert.equal(await bob.has(cid), true);
    assert.ok(performance.now() - began < 15_000);
    assert.ok(stalling.asked.length < 16, `the stalling one was asked ${stalling.asked.length} times`);
  });

  test("peers that lack a block, are down, or talk nonsense are passed over", async (t) => {
    const [alice, bob, empty] = [await startStore(t), await startStore(t), await startStore(t)];
    const { cid, blocks } = await alice.addFile(seededBytes("scattered", 12 * MIB));
    // two stores, each of which has lost half of it
    const names = [...(await blockFiles(alice)).keys()];
    const half = await startGateway(t, alice, (response, bytes, count) => {
      if (names.indexOf(half.asked[count - 1] ?? "") % 2 === 0) response.writeHead(404, { "content-length": 0 }).end();
      else honest(response, bytes, count);
    });
    const other = await startGateway(t, alice, (response, bytes, count) => {
      if (names.indexOf(other.asked[count - 1] ?? "") % 2 === 1) response.writeHead(404, { "content-length": 0 }).end();
      else honest(response, bytes, count);
    });
    const nonsense = await startGateway(t, alice, (response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" }).end("nonsense");
    });
    const down = await startGateway(t, alice);
    await down.stop();
    const nothing = await startGateway(t, empty);
    bob.setPeers([nothing, down, nonsense, half, other].map(({ address }) => address));
    assert.equal((await bob.fetch(cid, { stallTimeout: 20_000 })).blocks, blocks);
    assert.equal(await bob.has(cid), true);
    assert.ok(nonsense.asked.length < blocks / 2, `nonsense was asked ${nonsense.asked.length} times`);
  });

  test("a busy peer is asked again a little later, a failing one too", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid } = await alice.addFile(seededBytes("busy", 6 * MIB));
    const gateway = await startGateway(t, alice, (response, bytes, count) => {
      if (count % 3 === 1) response.writeHead(503, { "content-length": 0 }).end();
      else if (count === 5) response.writeHead(500, { "content-length": 0 }).end();
      else honest(response, bytes, count);
    });
    bob.setPeers([gateway.address]);
    await bob.fetch(cid, { stallTimeout: 20_000 });
    assert.equal(await bob.has(cid), true);
  });

  test("two fetches of the same content at once transfer it once; the end of one does not end the other", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid, blocks } = await alice.addFile(seededBytes("at once", 24 * MIB));
    const gateway = await startGateway(t, alice);
    bob.setPeers([gateway.address]);
    const ended = new AbortController();
    const first = bob.fetch(cid, {
      signal: ended.signal,
      onProgress: ({ blocks: count }) => {
        if (count === 8) ended.abort(new Error("given up"));
      },
    });
    const [one, two, three] = await Promise.allSettled([first, bob.fetch(cid), bob.fetch(cid, { pin: "lease-1" })]);
    assert.match(String((one as PromiseRejectedResult).reason), /given up/);
    assert.deepEqual([two.status, three.status], ["fulfilled", "fulfilled"]);
    assert.equal(gateway.asked.length, blocks);
  });

  test("what is damaged here is fetched again, that block alone", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid } = await alice.addFile(seededBytes("mended", 8 * MIB));
    const gateway = await startGateway(t, alice);
    bob.setPeers([gateway.address]);
    await bob.fetch(cid, { pin: "lease-1" });
    const [name, file] = [...(await blockFiles(bob))][3] ?? ["", ""];
    await damage(file);
    gateway.asked.length = 0;
    await bob.fetch(cid);
    assert.deepEqual(gateway.asked, [name]);
    assert.equal(await bob.has(cid), true);
  });

  test("no peer makes a store take more than a block has, or than the caller allows", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid, size } = await alice.addFile(seededBytes("bound", 16 * MIB));
    const gateway = await startGateway(t, alice);
    bob.setPeers([gateway.address]);
    await assert.rejects(bob.fetch(cid, { maxBytes: size - 1 }), failsWith("TOO_LARGE", `${size - 1}`));
    assert.equal(gateway.asked.length, 1, "the root told");
    let sent = 0;
    const flood = await startGateway(t, alice, (response) => {
      response.writeHead(200, { "content-length": 3 * MIB });
      response.write(Buffer.alloc(64 * 1024), () => (sent += 64 * 1024));
    });
    bob.setPeers([flood.address]);
    await assert.rejects(bob.fetch(MISSING, { stallTimeout: 400 }), failsWith("NOT_FOUND"));
    await assert.rejects(bob.fetch(cid, { stallTimeout: 400 }), failsWith("NOT_FOUND", flood.address));
    assert.ok(sent < MIB);
  });

  test("a stop ends a fetch at once and leaves no connection", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    const { cid } = await alice.addFile(seededBytes("stop", 8 * MIB));
    const open = new Set<object>();
    const gateway = await startGateway(t, alice, (response) => {
      open.add(response);
      response.once("close", () => open.delete(response));
    });
    bob.setPeers([gateway.address]);
    const fetching = assert.rejects(bob.fetch(cid), failsWith("NOT_STARTED"));
    await until(() => open.size > 0);
    await bob.stop();
    await fetching;
    await until(() => open.size === 0);
  });
});
