import assert from "node:assert/strict";
import { request } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";

import type { CID } from "multiformats/cid";

import type { CheckpointStore, CheckpointStoreOptions } from "../store.ts";
import { failsWith, seededBytes, startStore, until } from "../testing.ts";
import { parseHttpAddress } from "../transfer/addresses.ts";
import { type Access, ACCESS_PROTOCOL, type AccessRequest, BLOCK_PROTOCOL } from "./access.ts";
import { authorization } from "./grants.ts";

const MIB = 1024 * 1024;

/** Those who say the word that a label names may read; a proof is bound to peer and content. */
function byWord(word: string): Access {
  return {
    prove: ({ root, peer }) => Promise.resolve({ word, root, peer }),
    refusal: ({ root, peer }: AccessRequest, proof: unknown, labels) => {
      const given = proof as { word?: string; root?: string; peer?: string } | null;
      const isBound = given?.root === root && given.peer === peer;
      return Promise.resolve(isBound && labels.includes(given.word ?? "") ? undefined : "no reason is known");
    },
  };
}

const store = (t: TestContext, word: string, more: Partial<CheckpointStoreOptions> = {}) =>
  startStore(t, { access: byWord(word), ...more });

const impatient = { timeout: 3_000, stallTimeout: 800 };

async function get(at: CheckpointStore, cid: CID, header?: string): Promise<number> {
  const address = at.multiaddrs().at(-1) ?? "";
  return new Promise((resolve, reject) => {
    const headers = header === undefined ? {} : { authorization: header };
    const { host, port } = parseHttpAddress(address) ?? {};
    const asked = request(
      { host, port, path: `/ipfs/${cid.toString()}?format=raw`, headers, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

interface Granted {
  readonly id: string;
  readonly key: string;
}

async function granted(from: CheckpointStore, by: CheckpointStore, root: string, word: string) {
  const proof = { word, root, peer: from.peerId };
  const answer = (await from.request(by.multiaddrs().slice(0, 1), ACCESS_PROTOCOL, { root, proof })) as Granted;
  return { id: answer.id, key: Buffer.from(answer.key, "base64") };
}

void suite("who may read", { concurrency: 4 }, () => {
  test("who has a reason fetches over HTTP, and who has none gets nothing in any way", async (t) => {
    const holder = await store(t, "");
    const friend = await store(t, "friend");
    const stranger = await store(t, "stranger");
    const plain = await startStore(t);
    const { cid } = await holder.addFile(seededBytes("mine", 3 * MIB), { pin: "friend" });
    for (const each of [friend, stranger, plain]) each.setPeers(holder.multiaddrs());
    await until(() => plain.peers().every(({ connected }) => connected));
    assert.equal((await friend.fetch(cid)).blocks, 4);
    await assert.rejects(stranger.fetch(cid, impatient), failsWith("NOT_FOUND", "no reason is known"));
    // One that asks for no access at all has HTTP without a grant, and bitswap.
    await assert.rejects(plain.fetch(cid, impatient), failsWith("NOT_FOUND"));
    assert.equal(await get(holder, cid), 401);
    assert.equal(stranger.usedBytes + plain.usedBytes, 0);
  });

  test("what is not pinned for somebody is refused in the same words as what is not here", async (t) => {
    const holder = await store(t, "");
    const asker = await store(t, "friend");
    const { cid } = await holder.addFile(seededBytes("others'", 1_000), { pin: "others" });
    const missing = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";
    const said: string[] = [];
    for (const root of [cid.toString(), missing]) {
      await assert.rejects(granted(asker, holder, root, "friend"), (error: Error) => {
        said.push(error.message.replace(root, ""));
        return true;
      });
    }
    assert.equal(said[0], said[1]);
  });

  test("a grant is for one peer and one content, and its codes for one block", async (t) => {
    const holder = await store(t, "");
    const [one, other] = [await store(t, "friend"), await store(t, "friend")];
    const mine = await holder.addFile(seededBytes("granted", 2 * MIB), { pin: "friend" });
    const secret = await holder.addFile(seededBytes("secret", 1_000), { pin: "others" });
    const grant = await granted(one, holder, mine.cid.toString(), "friend");
    assert.equal(await get(holder, mine.cid, authorization(grant, mine.cid)), 200);
    // Another block's code, one that was made up, and content that was not granted.
    assert.equal(await get(holder, mine.cid, authorization(grant, secret.cid)), 401);
    assert.equal(await get(holder, secret.cid, authorization(grant, secret.cid)), 401);
    assert.equal(await get(holder, mine.cid, authorization({ id: grant.id, key: Buffer.alloc(32) }, mine.cid)), 401);
    assert.equal(await get(holder, mine.cid, "DRMP"), 401);
    // Its id is of no use to another peer.
    const body = { grant: grant.id, cid: mine.cid.toString() };
    const at = holder.multiaddrs().slice(0, 1);
    await assert.rejects(other.request(at, BLOCK_PROTOCOL, body), failsWith("REFUSED", "not granted"));
    assert.ok(await one.request(at, BLOCK_PROTOCOL, body, { maxBytes: 4 * MIB }));
    // What is let go of is no longer served.
    await holder.unpin(mine.cid, "friend");
    assert.equal(await get(holder, mine.cid, authorization(grant, mine.cid)), 401);
  });

  test("a proof that another peer has made is of no use", async (t) => {
    const holder = await store(t, "");
    const [owner, thief] = [await store(t, "friend"), await store(t, "friend")];
    const { cid } = await holder.addFile(seededBytes("stolen", 1_000), { pin: "friend" });
    const root = cid.toString();
    const proof = { word: "friend", root, peer: owner.peerId };
    await assert.rejects(
      thief.request(holder.multiaddrs().slice(0, 1), ACCESS_PROTOCOL, { root, proof }),
      failsWith("REFUSED", "no reason"),
    );
  });

  test("who cannot be dialled over HTTP gives blocks in messages, on the connection that it made", async (t) => {
    const developer = await store(t, "", { http: false });
    const node = await store(t, "friend");
    const { cid } = await developer.addFile(seededBytes("behind a router", 20 * MIB), { pin: "friend" });
    developer.setPeers(node.multiaddrs());
    await until(() => developer.peers().every(({ connected }) => connected));
    assert.equal((await node.fetch(cid)).blocks, 21);
  });

  test("a store that was started again is asked for access again", async (t) => {
    const holder = await store(t, "");
    const friend = await store(t, "friend", { http: false });
    const first = await holder.addFile(seededBytes("first", 1_000), { pin: "friend" });
    friend.setPeers(holder.multiaddrs());
    await friend.fetch(first.cid);
    const directory = holder.directory;
    const [libp2p = "", http = ""] = holder.multiaddrs();
    await holder.stop();
    const again = await store(t, "", {
      directory,
      listen: [libp2p.replace(/\/p2p\/.*/, "")],
      http: { listen: http },
    });
    await friend.unpin(first.cid);
    await friend.collectGarbage();
    assert.equal((await friend.fetch(first.cid)).blocks, 1);
    assert.equal(again.peerId, libp2p.split("/p2p/")[1]);
  });
});
