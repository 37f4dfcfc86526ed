import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";

import { CID } from "multiformats/cid";

import { exchangeRaw, fuzzedRequest, seededRandom } from "@verai/system/http/testing";
import type { CheckpointStore } from "../store.ts";
import { atEnd, blockFiles, damage, failsWith, seededBytes, startStore, until } from "../testing.ts";
import { parseHttpAddress } from "./addresses.ts";
import type { HttpAddress } from "./addresses.ts";

const MIB = 1024 * 1024;
/** Changed by hand only: a failure is seen again with the seed that it names. */
const SEED = 20_261_129;
const MISSING = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";

interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function addressOf(store: CheckpointStore): HttpAddress {
  const address = parseHttpAddress(store.multiaddrs().at(-1) ?? "");
  assert.ok(address);
  return address;
}

async function ask(store: CheckpointStore, path: string, options: object = {}): Promise<Response> {
  const { host, port } = addressOf(store);
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Sends a request as it stands and returns all that comes until the connection ends. */
async function send(t: TestContext, store: CheckpointStore, text: string): Promise<string> {
  const socket = connect(addressOf(store));
  atEnd(t, async () => socket.destroy());
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

void suite("blocks over HTTP", { concurrency: 4 }, () => {
  test("a block is given by GET and described by HEAD, with the headers of a trustless gateway", async (t) => {
    const store = await startStore(t);
    const bytes = seededBytes("served", MIB);
    const { cid } = await store.addFile(bytes);
    const path = `/ipfs/${cid.toString()}?format=raw`;
    const got = await ask(store, path);
    assert.equal(got.status, 200);
    assert.ok(got.body.equals(bytes));
    assert.equal(got.headers["content-type"], "application/vnd.ipld.raw");
    assert.equal(got.headers.etag, `"${cid.toString()}.raw"`);
    assert.match(got.headers["cache-control"] ?? "", /immutable/);
    const described = await ask(store, path, { method: "HEAD" });
    assert.deepEqual([described.status, described.body.byteLength], [200, 0]);
    assert.equal(described.headers["content-length"], `${MIB}`);
    const byHeader = await ask(store, `/ipfs/${cid.toString()}`, { headers: { accept: "application/vnd.ipld.raw" } });
    assert.equal(byHeader.status, 200);
    // the root of a larger file is also a block
    const { cid: root } = await store.addFile(seededBytes("served", 2 * MIB));
    const node = await ask(store, `/ipfs/${root.toString()}?format=raw`);
    assert.equal(hash("sha256", node.body), Buffer.from(root.multihash.digest).toString("hex"));
  });

  test("what is not here, or no request for a block, is refused", async (t) => {
    const store = await startStore(t);
    const { cid } = await store.addFile(seededBytes("refused", 10));
    await writeFile(join(store.directory, "blocks", "secret"), "secret");
    const block = `/ipfs/${cid.toString()}?format=raw`;
    const cbor = CID.decode(Uint8Array.from([1, 0x71, 0x12, 32, ...new Uint8Array(32)])).toString();
    const expected: [string, object, number][] = [
      [`/ipfs/${MISSING}?format=raw`, {}, 404],
      ["/", {}, 404],
      ["/ipfs/", {}, 404],
      ["/ipfs/../identity.key?format=raw", {}, 404],
      ["/ipfs/%2e%2e%2fidentity.key?format=raw", {}, 404],
      [`/ipfs/${cid.toString()}/../../identity.key?format=raw`, {}, 404],
      [`//ipfs/${cid.toString()}?format=raw`, {}, 404],
      ["/ipfs/secret?format=raw", {}, 400],
      [`/ipfs/${cbor}?format=raw`, {}, 400],
      [`/ipfs/${cid.toString()}`, {}, 406],
      [`/ipfs/${cid.toString()}?format=car`, {}, 406],
      [block, { method: "POST" }, 405],
      [block, { method: "DELETE" }, 405],
      [block, { headers: { "content-length": "0" } }, 200],
    ];
    for (const [path, options, status] of expected) {
      const answer = await ask(store, path, options);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(options)}`);
      assert.doesNotMatch(answer.body.toString(), /secret|identity/);
    }
    const withBody = await send(t, store, `GET ${block} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`);
    assert.match(withBody, /^HTTP\/1\.1 400 /);
    const long = await send(t, store, `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.1 431 /);
  });

  test("a damaged block is not served but deleted", async (t) => {
    const store = await startStore(t);
    const { cid } = await store.addFile(seededBytes("damaged", MIB));
    const [file] = (await blockFiles(store)).values();
    await damage(file ?? "");
    assert.equal((await ask(store, `/ipfs/${cid.toString()}?format=raw`)).status, 404);
    assert.equal((await blockFiles(store)).size, 0);
  });

  test(`stirred requests leave it serving (seed ${String(SEED)})`, async (t) => {
    const store = await startStore(t);
    const { cid } = await store.addFile(seededBytes("stirred", 1_000));
    const path = `/ipfs/${cid.toString()}?format=raw`;
    const port = Number(
      store
        .multiaddrs()
        .find((each) => each.endsWith("/http"))
        ?.split("/")[4],
    );
    const random = seededRandom(SEED);
    for (let round = 0; round < 10; round++) {
      const requests = Array.from({ length: 40 }, () => fuzzedRequest(random, [path, "/ipfs/", "/"]));
      await Promise.all(requests.map((bytes) => exchangeRaw(port, [bytes], { answers: 1, limitMs: 40 })));
    }
    assert.equal((await ask(store, path)).status, 200);
  });

  test("one connection serves one request after the other", async (t) => {
    const store = await startStore(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(t, async () => {
      agent.destroy();
    });
    let connections = 0;
    agent.on("free", () => {
      connections = Object.values(agent.freeSockets).flat().length;
    });
    const { cid } = await store.addFile(seededBytes("kept", MIB));
    for (let i = 0; i < 5; i++) {
      assert.equal((await ask(store, `/ipfs/${cid.toString()}?format=raw`, { agent })).status, 200);
    }
    assert.equal(connections, 1);
  });

  test("those that read too slowly fill up the server, the next is told to come again, and is served once they are gone", async (t) => {
    const store = await startStore(t);
    const { cid } = await store.addFile(seededBytes("slow", MIB));
    const path = `/ipfs/${cid.toString()}?format=raw`;
    const text = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const sockets = Array.from({ length: 40 }, () => {
      const socket = connect(addressOf(store)).pause();
      socket.on("error", () => undefined);
      atEnd(t, async () => socket.destroy());
      return socket;
    });
    // the system's buffers take some answers, then they pile up in the server; a slow machine takes a while to get there
    let refused: Response | undefined;
    const end = performance.now() + 20_000;
    while (refused === undefined && performance.now() < end) {
      for (const socket of sockets) socket.write(text);
      await new Promise((resolve) => setTimeout(resolve, 30));
      const answer = await ask(store, path);
      if (answer.status === 503) refused = answer;
    }
    assert.ok(refused, "nobody was refused");
    assert.equal(refused.headers["retry-after"], "1");
    for (const socket of sockets) socket.destroy();
    let isServed = false;
    const polling = setInterval(() => {
      void ask(store, path).then(
        ({ status }) => (isServed ||= status === 200),
        () => undefined,
      );
    }, 50);
    await until(() => isServed).finally(() => {
      clearInterval(polling);
    });
  });

  test("an address that can't be listened on, or is none, is named; without HTTP none is announced", async (t) => {
    const store = await startStore(t);
    const taken = store.multiaddrs().at(-1) ?? "";
    await assert.rejects(
      startStore(t, { http: { listen: taken } }),
      failsWith("LISTEN_FAILED", "127.0.0.1", taken.split("/")[4] ?? ""),
    );
    await assert.rejects(startStore(t, { http: { listen: "nonsense" } }), failsWith("LISTEN_FAILED", "nonsense"));
    const silent = await startStore(t, { http: false });
    assert.equal(
      silent.multiaddrs().some((each) => each.endsWith("/http")),
      false,
    );
    const announced = await startStore(t, { http: { announce: ["/dns4/node.example/tcp/80/http"] } });
    assert.equal(announced.multiaddrs().at(-1), "/dns4/node.example/tcp/80/http");
    assert.equal(announced.endpoint(), announced.multiaddrs().join(","));
  });
});
