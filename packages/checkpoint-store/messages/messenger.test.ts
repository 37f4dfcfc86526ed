import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { CheckpointError } from "../errors.ts";
import { failsWith, startConnected, startStore, until } from "../testing.ts";

const PROTOCOL = "/drmp/test/1";
const KIB = 1024;

void suite("messages between stores", { concurrency: 4 }, () => {
  test("a request is answered, by peer id and by addresses, and the requester is known", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    await alice.handle(PROTOCOL, (body, { peer }) => ({ body: body as string, peer }));
    const expected = { body: "Grüße", peer: bob.peerId };
    assert.deepEqual(await bob.request(alice.peerId, PROTOCOL, "Grüße"), expected);
    assert.deepEqual(await bob.request(alice.multiaddrs(), PROTOCOL, "Grüße"), expected);
    const stranger = await startStore(t);
    const answer = await stranger.request(alice.multiaddrs().join(","), PROTOCOL, null);
    assert.deepEqual(answer, { body: null, peer: stranger.peerId });
    // the one that was dialled can ask back
    await bob.handle(PROTOCOL, () => "bob");
    assert.equal(await alice.request(bob.peerId, PROTOCOL, []), "bob");
  });

  test("messages of the allowed length pass whole, longer ones are refused on both sides", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    const maxBytes = 3 * KIB * KIB;
    await alice.handle(PROTOCOL, (body) => body as string, { maxBytes });
    // quotation marks count, and the answer has an envelope
    const longest = "x".repeat(maxBytes - 64);
    assert.equal(await bob.request(alice.peerId, PROTOCOL, longest, { maxBytes }), longest);
    const longer = "x".repeat(maxBytes - 1);
    await assert.rejects(
      bob.request(alice.peerId, PROTOCOL, longer, { maxBytes }),
      failsWith("BAD_MESSAGE", `${maxBytes + 1}`),
    );
    // a requester that does not keep to the bound
    await alice.handle("/drmp/short/1", () => "never");
    const refused = await bob
      .request(alice.peerId, "/drmp/short/1", "x".repeat(300 * KIB), { maxBytes })
      .catch((error: unknown) => error);
    assert.ok(refused instanceof CheckpointError);
    assert.ok(["REFUSED", "UNREACHABLE"].includes(refused.code), refused.message);
    // and an answer that does not
    await alice.handle("/drmp/long/1", () => "x".repeat(300 * KIB), { maxBytes });
    await assert.rejects(bob.request(alice.peerId, "/drmp/long/1", 0), failsWith("BAD_MESSAGE", "262144"));
  });

  test("a refusal says why, a failure tells nothing of the inside", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    await alice.handle(PROTOCOL, (body) => {
      if (body === "refuse") throw new CheckpointError("NOT_FOUND", "I do not hold bafk…");
      throw new Error("the secret path");
    });
    const refused = await bob.request(alice.peerId, PROTOCOL, "refuse").catch((error: unknown) => error);
    assert.ok(failsWith("REFUSED", alice.peerId, "I do not hold bafk…")(refused));
    assert.equal((refused as CheckpointError).peerCode, "NOT_FOUND");
    const failed = await bob.request(alice.peerId, PROTOCOL, "fail").catch((error: unknown) => error);
    assert.ok(failsWith("REFUSED")(failed));
    assert.doesNotMatch((failed as Error).message, /secret/);
  });

  test("who does not speak the protocol, is not there, or has no usable address is told apart", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    await assert.rejects(bob.request(alice.peerId, "/drmp/none/1", 1), failsWith("UNSUPPORTED", "/drmp/none/1"));
    const gone = await startStore(t);
    const addresses = gone.multiaddrs();
    await gone.stop();
    await assert.rejects(bob.request(addresses, PROTOCOL, 1), failsWith("UNREACHABLE", addresses[0] ?? ""));
    await assert.rejects(bob.request("nonsense", PROTOCOL, 1), failsWith("UNREACHABLE", "nonsense"));
    await assert.rejects(bob.request("/ip4/127.0.0.1/tcp/1", PROTOCOL, 1), failsWith("UNREACHABLE", "peer id"));
    await assert.rejects(gone.request(alice.peerId, PROTOCOL, 1), failsWith("NOT_STARTED"));
    // another peer's id at a good address
    const forged = (alice.multiaddrs()[0] ?? "").replace(alice.peerId, bob.peerId.replace(/.{4}$/, "1111"));
    await assert.rejects(bob.request(forged, PROTOCOL, 1), failsWith("UNREACHABLE"));
  });

  test("no answer in time, an abort and a stop end a request, and the other side learns of it", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    let ended = 0;
    await alice.handle(PROTOCOL, async (_, { signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      ended += 1;
      return "late";
    });
    const began = performance.now();
    await assert.rejects(
      bob.request(alice.peerId, PROTOCOL, 1, { timeout: 300 }),
      failsWith("TIMEOUT", alice.peerId, "300"),
    );
    assert.ok(performance.now() - began < 3_000);
    await until(() => ended === 1);
    const abort = new AbortController();
    const asked = bob.request(alice.peerId, PROTOCOL, 1, { signal: abort.signal });
    setTimeout(() => {
      abort.abort(new Error("the lease has expired"));
    }, 100);
    await assert.rejects(asked, /the lease has expired/);
    await until(() => ended === 2);
    const stopped = assert.rejects(bob.request(alice.peerId, PROTOCOL, 1), failsWith("NOT_STARTED"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await bob.stop();
    await stopped;
    await until(() => ended === 3);
  });

  test("what is handled before the start and across a restart is answered; a slow handler is cut off", async (t) => {
    const [alice, bob] = [await startStore(t), await startStore(t)];
    await alice.stop();
    await alice.handle(PROTOCOL, (body) => body as number);
    await alice.handle("/drmp/slow/1", () => new Promise(() => undefined), { timeout: 200 });
    await alice.start();
    assert.equal(await bob.request(alice.multiaddrs(), PROTOCOL, 7), 7);
    await assert.rejects(bob.request(alice.multiaddrs(), "/drmp/slow/1", 7), failsWith("UNREACHABLE"));
  });

  test("many requests at once are all answered or told to come later", async (t) => {
    const [alice, bob] = await startConnected(t, 2);
    assert.ok(alice && bob);
    let most = 0;
    let running = 0;
    await alice.handle(PROTOCOL, async (body) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      return body as number;
    });
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => bob.request(alice.peerId, PROTOCOL, index)),
    );
    for (const [index, answer] of answers.entries()) {
      if (answer.status === "fulfilled") assert.equal(answer.value, index);
      else assert.ok(failsWith("BUSY", alice.peerId)(answer.reason));
    }
    assert.equal(most, 8);
    assert.ok(answers.filter(({ status }) => status === "fulfilled").length >= 8);
    assert.equal(await bob.request(alice.peerId, PROTOCOL, 41), 41);
  });
});
