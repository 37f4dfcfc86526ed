import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { suite, test } from "node:test";

import { LocalStore } from "./local.ts";
import { RAW } from "./cids.ts";
import { pickLeaf } from "./spot-proofs.ts";
import {
  atEnd,
  blockFiles,
  damage,
  failsWith,
  seededBytes,
  startConnected,
  startStore,
  temporaryDirectory,
  writeTree,
} from "./testing.ts";

const MIB = 1024 * 1024;
/** The same in every run. */
const nonceOf = (index: number): string => createHash("sha256").update(`nonce ${index}`).digest("hex");

void suite("spot checks", { concurrency: 4 }, () => {
  test("a holder proves the leaf that a nonce picks; who has lost it, or made something up, does not", async (t) => {
    const [alice, bob, carol] = await startConnected(t, 3);
    assert.ok(alice && bob && carol);
    const source = await temporaryDirectory(t);
    await writeTree(source, { "weights.bin": seededBytes("spot", 6.5 * MIB), "sub/progress.json": "{}" });
    const { cid } = await alice.addDirectory(source);
    await bob.fetch(cid, { pin: "replica" });
    const nonce = randomBytes(32).toString("hex");
    const proof = await bob.proveLeaf(cid, nonce);
    // carol holds nothing of it and gets what she needs
    for (const requester of [alice, carol]) assert.equal(await requester.verifyLeaf(cid, nonce, proof), true);
    const held = (await blockFiles(carol)).size;
    assert.ok(held <= 3, `${held} blocks for one leaf`);
    const other = randomBytes(32).toString("hex");
    const wrong: unknown[] = [
      await bob.proveLeaf(cid, other),
      { ...proof, digest: createHash("sha256").update(nonce).digest("hex") },
      { ...proof, path: [...proof.path, 0] },
      { ...proof, path: [] },
      { ...proof, leaf: cid.toString() },
      null,
      "proof",
      {},
      { leaf: 1, path: "0", digest: [] },
    ];
    for (const [index, answer] of wrong.entries()) {
      assert.equal(await alice.verifyLeaf(cid, nonce, answer), false, `wrong answer ${index}`);
    }
    for (const file of (await blockFiles(bob)).values()) await damage(file);
    await assert.rejects(bob.proveLeaf(cid, nonce), failsWith("NOT_FOUND", cid.toString()));
    await assert.rejects(alice.proveLeaf(cid, "12"), failsWith("BAD_MESSAGE", "12"));
    await assert.rejects((await startStore(t)).proveLeaf(cid, nonce), failsWith("NOT_FOUND"));
  });

  test("a challenge goes over the network as a message", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const { cid } = await alice.addFile(seededBytes("asked", 3 * MIB));
    await alice.handle("/drmp/prove/1", async (body) => {
      const { cid: root, nonce } = body as { cid: string; nonce: string };
      return { ...(await alice.proveLeaf(root, nonce)) };
    });
    const nonce = nonceOf(0);
    const answer = await bob.request(alice.peerId, "/drmp/prove/1", { cid: cid.toString(), nonce });
    assert.equal(await bob.verifyLeaf(cid, nonce, answer), true);
  });

  test("each part of the content is picked as often as its size says", async (t) => {
    const store = new LocalStore(await temporaryDirectory(t));
    atEnd(t, () => store.close());
    await store.open();
    const source = await temporaryDirectory(t);
    await writeTree(source, { large: seededBytes("large", 3 * MIB), small: seededBytes("small", MIB), tiny: "tiny" });
    const { cid } = await store.addDirectory(source);
    const counts = new Map<string, number>();
    const files = await blockFiles(store);
    const rounds = 400;
    for (let index = 0; index < rounds; index++) {
      const { leaf, path } = await store.proveLeaf(cid, nonceOf(index));
      counts.set(leaf, (counts.get(leaf) ?? 0) + 1);
      assert.ok(path.length === 1 || path.length === 2);
    }
    const often = [...counts.values()].filter((count) => count > 10);
    assert.equal(often.length, 4, `${JSON.stringify([...counts])} of ${files.size}`);
    // 5 standard deviations of a quarter of 400
    for (const count of often) assert.ok(Math.abs(count - rounds / 4) < 45, `${count}`);
  });

  test("a single block is its own leaf", async (t) => {
    const store = new LocalStore(await temporaryDirectory(t));
    atEnd(t, () => store.close());
    await store.open();
    const { cid } = await store.addFile(Buffer.from("one block"));
    assert.equal(cid.code, RAW);
    const leaf = await pickLeaf(cid, nonceOf(1), () => Promise.reject(new Error("nothing needs to be read")));
    assert.deepEqual([leaf.cid.toString(), leaf.path], [cid.toString(), []]);
    assert.equal((await store.proveLeaf(cid, nonceOf(1))).leaf, cid.toString());
  });
});
