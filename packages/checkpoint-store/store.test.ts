import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import {
  atEnd,
  blockFiles,
  damage,
  failsWith,
  readTree,
  seededBytes,
  smallDisk,
  startConnected,
  startStore,
  temporaryDirectory,
  until,
  writeTree,
} from "./testing.ts";

const MIB = 1024 * 1024;
/** Raw CID of bytes that nobody has. */
const MISSING = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";

// most of the time is waiting for time-outs, hence several at a time
void suite("checkpoint store", { concurrency: 4 }, () => {
  test("a directory goes from one store to another, with progress", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const source = await temporaryDirectory(t);
    await writeTree(source, {
      "unit-0/checkpoint/checkpoint-000000001/weights.bin": seededBytes("exchange", 5.3 * MIB),
      "unit-0/checkpoint/checkpoint-000000001/progress.json": '{"progress":0.5}',
      "unit-1/done": "",
      "empty/": "",
    });
    const added = await alice.addDirectory(source);
    const destination = join(await temporaryDirectory(t), "new", "restored");
    const seen: number[] = [];
    const fetched = await bob.fetchTo(added.cid, destination, {
      maxBytes: added.size,
      pin: "lease-1",
      onProgress: (progress) => seen.push(progress.bytes / progress.totalBytes),
    });
    assert.deepEqual({ ...fetched, cid: fetched.cid.toString() }, { ...added, cid: added.cid.toString() });
    assert.deepEqual(await readTree(destination), await readTree(source));
    assert.deepEqual(await readdir(join(destination, "..")), ["restored"], "nothing is left beside it");
    assert.equal(seen.length, added.blocks);
    assert.ok(seen.every((share, index) => share >= (seen[index - 1] ?? 0) && share <= 1));
    assert.deepEqual(bob.list()[0]?.labels, ["lease-1"]);
    assert.equal(await bob.has(added.cid), true);
  });

  test("peers without HTTP exchange by bitswap, and damaged blocks are had again", async (t) => {
    const [alice, bob] = await startConnected(t, 2, { http: false });
    assert.ok(alice && bob);
    assert.equal(alice.multiaddrs().length, 1);
    const source = await temporaryDirectory(t);
    await writeTree(source, { "weights.bin": seededBytes("bitswap", 3 * MIB), "progress.json": "{}" });
    const { cid, blocks } = await alice.addDirectory(source);
    assert.equal((await bob.fetch(cid, { pin: "replica" })).blocks, blocks);
    // what was sent just now is sent again only a while later
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (const file of (await blockFiles(bob)).values()) await damage(file);
    const restored = join(await temporaryDirectory(t), "restored");
    await bob.fetchTo(cid, restored, { stallTimeout: 8_000 });
    assert.deepEqual(await readTree(restored), await readTree(source));
  });

  test("a store takes no more than its bound, by HTTP or by bitswap, and goes on with what fits", async (t) => {
    for (const http of [undefined, false] as const) {
      const [alice, ...others] = await startConnected(t, 2, { maxBytes: 8 * MIB, ...(http === false && { http }) });
      const [bob] = others;
      assert.ok(alice && bob);
      const kept = await alice.addFile(seededBytes("kept", 3 * MIB));
      await bob.fetch(kept.cid, { pin: "lease-1" });
      await alice.unpin(kept.cid);
      const { cid } = await alice.addFile(seededBytes("too much", 6 * MIB));
      await assert.rejects(bob.fetch(cid, { stallTimeout: 8_000 }), failsWith("STORE_FULL", `${8 * MIB}`));
      assert.equal(await bob.has(kept.cid), true);
      assert.ok(bob.usedBytes <= 8 * MIB);
      await alice.unpin(cid);
      const small = await alice.addFile(seededBytes("fits", 4 * MIB));
      await bob.fetch(small.cid, { pin: "lease-2", stallTimeout: 8_000 });
      assert.equal(await bob.has(small.cid), true);
    }
  });

  test("what is not there, or taken, is said clearly", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const directory = await temporaryDirectory(t);
    const destination = join(directory, "restored");
    const began = performance.now();
    await assert.rejects(
      bob.fetchTo(MISSING, destination, { stallTimeout: 700 }),
      failsWith("NOT_FOUND", MISSING, alice.peerId, "connect to a peer that holds it"),
    );
    assert.ok(performance.now() - began < 15_000, "it is not the 30 s of those who say nothing");
    assert.deepEqual(await readdir(directory), []);

    const { cid } = await alice.addFile(seededBytes("taken", 10));
    await writeFile(destination, "mine");
    await assert.rejects(bob.fetchTo(cid, destination), failsWith("DESTINATION_EXISTS", destination));
    assert.equal(await readFile(destination, "utf8"), "mine");

    const aborted = new AbortController();
    const fetching = bob.fetch(MISSING, { signal: aborted.signal });
    aborted.abort(new Error("the lease has expired"));
    await assert.rejects(fetching, /the lease has expired/);
    const refused = assert.rejects(bob.fetch(MISSING), failsWith("NOT_STARTED", bob.directory));
    await bob.stop();
    await refused;
  });

  test("without peers, the error says so", async (t) => {
    const alone = await startStore(t);
    await assert.rejects(
      alone.fetch(MISSING, { timeout: 300 }),
      failsWith("NOT_FOUND", MISSING, "no peer is connected"),
    );
  });

  test("a block that is added after it was asked for arrives", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const bytes = Buffer.from("late");
    const { cid } = await (await startStore(t)).addFile(bytes);
    const fetching = bob.fetch(cid, { stallTimeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await alice.addFile(bytes);
    assert.equal((await fetching).size, bytes.byteLength);
  });

  test("more than allowed is refused, by claim and by count, and writes nothing", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const source = await temporaryDirectory(t);
    // one block that occurs three times: few bytes to fetch, three times as many to write
    const block = seededBytes("repeated", MIB);
    await writeTree(source, { "1": block, "2": block, "3": block });
    const { cid, size } = await alice.addDirectory(source);
    assert.ok(size > 3 * MIB);
    const directory = await temporaryDirectory(t);
    await assert.rejects(
      bob.fetchTo(cid, join(directory, "restored"), { maxBytes: size - 1 }),
      failsWith("TOO_LARGE", cid.toString(), `${size - 1}`),
    );
    assert.equal((await blockFiles(bob)).size, 1, "the root's claim was enough");
    assert.deepEqual(await readdir(directory), []);
    await bob.fetchTo(cid, join(directory, "restored"), { maxBytes: size });
    assert.deepEqual(await readTree(join(directory, "restored")), await readTree(source));
  });

  test("a file that cannot be written ends the fetch at once, and leaves nothing but blocks to go on from", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const content = seededBytes("a key that does not fit", 40 * MIB);
    const { cid, blocks } = await alice.addFile(content);
    const directory = await temporaryDirectory(t);
    const restored = join(directory, "restored");
    const decoder = {
      name: (stored: string) => stored,
      content: async function* (stored: AsyncIterable<Uint8Array>) {
        let parts = 0;
        for await (const part of stored) {
          if (++parts === 3) throw new Error("the key does not fit");
          yield part;
        }
      },
    };
    await assert.rejects(bob.fetchTo(cid, restored, { decoder }), /the key does not fit/);
    assert.deepEqual(await readdir(directory), []);
    const here = (await blockFiles(bob)).size;
    assert.ok(here > 3 && here < blocks, `${String(here)} of ${String(blocks)} blocks were fetched`);
    await bob.fetchTo(cid, restored);
    assert.ok(content.equals(await readFile(restored)));
    // All is here now: it is read from the store alone.
    await bob.fetchTo(cid, join(directory, "again"));
    assert.ok(content.equals(await readFile(join(directory, "again"))));
  });

  test("damaged blocks are neither served nor used, and fetched again", async (t) => {
    const [alice, bob, carol] = await startConnected(t, 3);
    assert.ok(alice && bob && carol);
    const source = await temporaryDirectory(t);
    await writeTree(source, { "weights.bin": seededBytes("damage", 3 * MIB) });
    const { cid, blocks } = await alice.addDirectory(source);
    await bob.fetch(cid, { pin: "replica" });
    // what was sent just now is sent again only a while later
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (const file of (await blockFiles(bob)).values()) await damage(file);

    const restored = join(await temporaryDirectory(t), "restored");
    await bob.fetchTo(cid, restored, { stallTimeout: 8_000 });
    assert.deepEqual(await readTree(restored), await readTree(source));
    assert.equal(await bob.has(cid), true);
    assert.equal(bob.list()[0]?.blocks, blocks, "still pinned");

    for (const file of (await blockFiles(alice)).values()) await damage(file);
    await assert.rejects(carol.fetch(cid, { stallTimeout: 500 }), failsWith("NOT_FOUND", cid.toString()));
    assert.equal((await blockFiles(carol)).size, 0, "nothing wrong was taken");
    await alice.stop();
    for (const file of (await blockFiles(bob)).values()) await damage(file);
    await assert.rejects(bob.fetch(cid, { stallTimeout: 300 }), failsWith("CORRUPT", cid.toString()));
  });

  test("a fetch goes on from another peer when the first goes away", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    const carol = await startStore(t);
    assert.ok(alice && bob);
    const bytes = seededBytes("two holders", 24 * MIB);
    const { cid, blocks } = await alice.addFile(bytes);
    await carol.addFile(bytes);
    let seen = 0;
    let stopping: Promise<void> | undefined;
    const fetched = await bob.fetch(cid, {
      onProgress: (progress) => {
        seen = progress.blocks;
        if (seen !== 5) return;
        stopping = alice.stop();
        bob.setPeers(carol.multiaddrs());
      },
    });
    await stopping;
    assert.equal(fetched.blocks, blocks);
    assert.equal(await bob.has(cid), true);
  });

  test("garbage collection during a fetch deletes none of its blocks", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const { cid, blocks } = await alice.addFile(seededBytes("collected", 12 * MIB));
    let fetching = true;
    const collecting = (async () => {
      while (fetching) await bob.collectGarbage();
    })();
    await bob.fetch(cid, { pin: "lease-1" });
    fetching = false;
    await collecting;
    assert.equal((await bob.collectGarbage()).kept, blocks);
    assert.equal(await bob.has(cid), true);
  });

  test("identity, pins and content outlive a restart, and peers find the store again", async (t) => {
    const directory = await temporaryDirectory(t);
    const first = await startStore(t, { directory });
    const { cid } = await first.addFile(seededBytes("restart", 2 * MIB), { pin: "lease-3" });
    const id = first.peerId;
    const address = first.multiaddrs()[0] ?? "";
    const key = join(directory, "identity.key");
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    const other = await startStore(t);
    other.setPeers([address]);
    await until(() => other.peers()[0]?.connected === true);
    await first.stop();
    await until(() => other.peers()[0]?.connected === false);

    const listen = [address.replace(/\/p2p\/.*/, "")];
    const second = await startStore(t, { directory, listen });
    assert.equal(second.peerId, id);
    assert.equal(second.multiaddrs()[0], address);
    assert.deepEqual(
      second.list().map((pin) => [pin.cid.toString(), pin.labels]),
      [[cid.toString(), ["lease-3"]]],
    );
    assert.equal((await other.fetch(cid)).cid.toString(), cid.toString());
    await second.stop();
    await writeFile(key, "nonsense");
    const third = await startStore(t, { directory });
    assert.equal(third.peerId, id, "the second copy of the key goes on");
    assert.equal(await readFile(`${key}.bad`, "utf8"), "nonsense");
    await third.stop();
    for (const file of [key, `${key}.copy`]) await writeFile(file, (await readFile(file)).fill(7, 10, 20));
    assert.notEqual((await startStore(t, { directory })).peerId, id, "with both gone there is a new one");
  });

  test("a second store on a running one's directory is refused, and the first goes on", async (t) => {
    const first = await startStore(t);
    const adding = Array.from({ length: 6 }, (_, i) => first.addFile(seededBytes(`twin ${i}`, MIB), { pin: "x" }));
    for (let i = 0; i < 4; i++) {
      await assert.rejects(
        startStore(t, { directory: first.directory }),
        failsWith("IN_USE", first.directory, "another directory"),
      );
    }
    for (const { cid } of await Promise.all(adding)) assert.equal(await first.has(cid), true);
    await first.stop();
    await startStore(t, { directory: first.directory });
  });

  test("a port in use, and addresses that can't be used, are reported by name", async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    atEnd(t, async () => server.close());
    const taken = `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`;
    await assert.rejects(startStore(t, { listen: [taken] }), failsWith("LISTEN_FAILED", taken));

    const [alice, bob] = [await startStore(t), await startStore(t)];
    const good = alice.multiaddrs()[0] ?? "";
    const dead = `${taken.replace(/\d+$/, "1")}/p2p/${(await startStore(t)).peerId}`;
    const rejected = bob.setPeers(["nonsense", taken, "/ip4/1.2.3.4/tcp/1/p2p/x", good, dead, ...bob.multiaddrs()]);
    assert.deepEqual(
      rejected.map((each) => each.address),
      ["nonsense", taken, "/ip4/1.2.3.4/tcp/1/p2p/x"],
    );
    assert.match(rejected[1]?.reason ?? "", /peer id/);
    await until(() => bob.peers().some((peer) => peer.connected));
    await until(() => bob.peers().some((peer) => peer.failures > 0));
    const [reached, unreachable] = bob.peers();
    assert.deepEqual([reached?.id, reached?.connected], [alice.peerId, true]);
    assert.deepEqual([unreachable?.connected, unreachable?.addresses], [false, [dead]]);
    assert.ok(unreachable?.lastError);
  });

  test("a fetch onto a full disk gives a clear error and leaves no litter", async (t) => {
    const disk = await smallDisk(t, 2);
    if (disk === undefined) return;
    const [alice, bob] = await startConnected(t, 2);
    const full = await startStore(t, { directory: join(disk, "store") });
    assert.ok(alice && bob);
    full.setPeers(alice.multiaddrs());
    const { cid } = await alice.addFile(seededBytes("large", 4 * MIB));
    await assert.rejects(full.fetch(cid), failsWith("DISK_FULL", disk));
    assert.deepEqual(await readdir(join(full.directory, "tmp")), []);
    await full.collectGarbage();
    const { cid: small } = await alice.addFile(seededBytes("small", MIB / 2));
    assert.equal((await full.fetch(small)).blocks, 1, "it still works");

    await bob.fetch(cid);
    await assert.rejects(bob.fetchTo(cid, join(disk, "restored")), failsWith("DISK_FULL", disk));
    assert.deepEqual(await readdir(disk), ["store"]);
  });
});
