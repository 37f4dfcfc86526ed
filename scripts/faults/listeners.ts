import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { parseEther } from "ethers";
import { Gauge, Registry } from "prom-client";

import type { Reader } from "@verai/client/readers";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { Market } from "@verai/keepers/allocation/market";
import { serveHealth } from "@verai/process/endpoint";
import { exchangeRaw, fuzzedRequest, openSockets, seededRandom } from "@verai/system/http/testing";
import { Heartbeat } from "@verai/process/heartbeat";
import type { FaultCase, FaultKind } from "@verai/devnet/fault-case";
import { oddRequests } from "./http-requests.ts";

/** Short, so that a case ends soon; milliseconds. */
const LIMITS = { headersMs: 300, idleMs: 300, stallMs: 1_500, answerMs: 1_500, pageMs: 300 };
const SEED = 918_273;

/** A port under attack, and how to see that it still serves. */
interface Port {
  readonly port: number;
  /** Rejects if an honest request is not answered with 200 in time. */
  readonly serves: () => Promise<void>;
}

type Health = Port & { readonly close: () => Promise<void> };
let health: Promise<Health> | undefined;
let blocks: Promise<Port & { readonly path: string; readonly close: () => Promise<void> }> | undefined;

/** A process's port with all its pages, one of which never answers, and large metrics. */
async function startHealth(limits: object = {}, details?: () => Record<string, unknown>): Promise<Health> {
  const registry = new Registry();
  const gauge = new Gauge({ name: "many", help: "Many", labelNames: ["n"], registers: [registry] });
  for (let n = 0; n < 20_000; n++) gauge.set({ n: `${String(n)}-${"x".repeat(40)}` }, n);
  const market = new Market(marketReader(), new Registry());
  const pages = {
    "/market": (query: URLSearchParams) => market.page(query),
    "/silent": () => new Promise<object>(() => undefined),
    "/failing": () => Promise.reject(new Error("the chain cannot be asked")),
  };
  const { url, close } = await serveHealth({
    ...{ host: "127.0.0.1", port: 0, heartbeat: new Heartbeat(60_000), registry, pages },
    ...(details && { details }),
    limits: { ...LIMITS, perSecond: 10_000, burst: 10_000, ...limits },
  });
  return { port: Number(new URL(url).port), serves: () => serves(`${url}/health`), close };
}

function sharedHealth(): Promise<Health> {
  return (health ??= startHealth());
}

function sharedBlocks(): NonNullable<typeof blocks> {
  blocks ??= (async () => {
    const directory = await mkdtemp(join(tmpdir(), "drmp-faults-"));
    const store = new CheckpointStore({ directory, httpLimits: LIMITS });
    await store.start();
    const { cid } = await store.addFile(Buffer.alloc(1_000_000, 7));
    const address = store.multiaddrs().find((each) => each.endsWith("/http")) ?? "";
    const port = Number(address.split("/")[4]);
    const path = `/ipfs/${cid.toString()}?format=raw`;
    return {
      ...{ port, path, serves: () => serves(`http://127.0.0.1:${String(port)}${path}`) },
      close: async () => {
        await store.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  })();
  return blocks;
}

async function serves(url: string): Promise<void> {
  const signal = AbortSignal.timeout(4_000);
  for (;;) {
    const answer = await fetch(url, { signal });
    await answer.arrayBuffer();
    if (answer.status !== 503 || !answer.headers.has("retry-after")) {
      assert.equal(answer.status, 200, `an honest request to ${url} is answered with ${String(answer.status)}`);
      return;
    }
    // It is told to come again, as pullers do.
    await sleep(100);
  }
}

function marketReader(): Reader {
  const demand = {
    openUnits: 40,
    deadline: 999,
    maxPrice: parseEther("0.02"),
    classes: [{ classId: 1, surcharge: 0n }],
  };
  return {
    block: async () => ({ timestamp: 100, number: 1 }),
    classes: async () => [{ id: 1, name: "cpu/eu" }],
    nodes: async () => [
      { classId: 1, owner: `0x${"ab".repeat(20)}`, status: "active", capacity: 8, leased: 8, listing: { units: 0 } },
    ],
    queue: async () => [7],
    round: async () => ({ status: "none", demands: [] }),
    task: async () => demand,
  } as unknown as Reader;
}

const whole = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Each odd request to each port: the right status, and an honest request afterwards. */
function oddCases(): FaultCase[] {
  const ports = [
    { what: "the health port", open: async () => ({ ...(await sharedHealth()), path: "/health" }), double: 400 },
    { what: "the port of blocks", open: sharedBlocks, double: 404 },
  ];
  return ports.flatMap(({ what, open, double }) =>
    [{ name: "GET //", bytes: whole("//"), status: double }, ...oddRequests("/health")].map(
      ({ name, bytes, status }) => ({
        name: `${name}, at ${what}`,
        run: async () => {
          const { port, serves: check } = await open();
          const answer = await exchangeRaw(port, [bytes], { answers: 1, limitMs: 3_000 });
          assert.equal(answer.status, status, `answered with ${answer.text.split("\r\n")[0] ?? ""}`);
          await check();
        },
      }),
    ),
  );
}

/** What comes slowly, half or too often. Each on both ports. */
function timingCases(): FaultCase[] {
  const cases: [string, (target: Port & { path: string }) => Promise<void>][] = [
    [
      "headers that come byte by byte",
      async ({ port, path }) => {
        const answer = await exchangeRaw(port, [...whole(path)], { pauseMs: 40, limitMs: 3_000 });
        assert.equal(answer.status, 408);
        assert.ok(answer.closed && answer.ms < 2_000, `kept for ${String(Math.round(answer.ms))} ms`);
      },
    ],
    [
      "a connection that says nothing",
      async ({ port }) => {
        const answer = await exchangeRaw(port, [], { limitMs: 3_000 });
        assert.ok(answer.closed, "kept open");
      },
    ],
    [
      "a connection that is not used again",
      async ({ port, path }) => {
        const answer = await exchangeRaw(port, [whole(path)], { limitMs: 4_000 });
        assert.ok(answer.status === 200 && answer.closed, "kept open");
      },
    ],
    [
      "a sender that ends its half after the request",
      async ({ port, path }) => {
        const answer = await exchangeRaw(port, [whole(path)], { end: true, limitMs: 3_000 });
        assert.ok(answer.status === 200 && answer.closed, `status ${String(answer.status)}`);
      },
    ],
    [
      "a sender that ends its half in the middle of a header",
      async ({ port }) => {
        const answer = await exchangeRaw(port, ["GET / HTTP/1.1\r\nHo"], { end: true, limitMs: 3_000 });
        assert.ok(answer.closed, "kept open");
      },
    ],
    [
      "three hundred connections reset in the middle of an answer",
      async ({ port, path }) => {
        const sockets = await openSockets(port, 300, whole(path));
        for (const socket of sockets) socket.resetAndDestroy();
        await sleep(50);
      },
    ],
    [
      "two thousand requests at once on one connection",
      async ({ port, path }) => {
        const answer = await exchangeRaw(port, [whole(path).repeat(2_000)], { limitMs: 3_000 });
        assert.ok(answer.closed && answer.answers < 100, `${String(answer.answers)} answers`);
      },
    ],
    [
      "more silent connections than there are places",
      async ({ port, serves: check }) => {
        const sockets = await openSockets(port, 700);
        for (let n = 0; n < 5; n++) await check();
        for (const socket of sockets) socket.destroy();
      },
    ],
    [
      "connections that hold all places, each with half a request",
      async ({ port, serves: check }) => {
        const sockets = await openSockets(port, 700, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (let n = 0; n < 5; n++) await check();
        for (const socket of sockets) socket.destroy();
      },
    ],
    [
      `three hundred stirred requests (seed ${String(SEED)})`,
      async ({ port, path }) => {
        const random = seededRandom(SEED);
        for (let round = 0; round < 15; round++) {
          const requests = Array.from({ length: 20 }, () => fuzzedRequest(random, [path, "/", "/metrics"]));
          await Promise.all(requests.map((bytes) => exchangeRaw(port, [bytes], { answers: 1, limitMs: 60 })));
        }
      },
    ],
  ];
  const ports = [
    { what: "the health port", open: async () => ({ ...(await sharedHealth()), path: "/health" }) },
    { what: "the port of blocks", open: sharedBlocks },
  ];
  return ports.flatMap(({ what, open }) =>
    cases.map(([name, run]) => ({
      name: `${name}, at ${what}`,
      run: async () => {
        const target = await open();
        await run(target);
        await target.serves();
      },
    })),
  );
}

/** What only the port of `/health`, `/metrics` and `/market` has. */
function pageCases(): FaultCase[] {
  const page = (name: string, path: string, status: number, says?: RegExp): FaultCase => ({
    name,
    run: async () => {
      const { port, serves: check } = await sharedHealth();
      const answer = await exchangeRaw(port, [whole(path)], { answers: 1, limitMs: 3_000 });
      assert.equal(answer.status, status, answer.text.slice(0, 200));
      assert.doesNotMatch(answer.text, /"wanted":0\b/);
      if (says) {
        const whole_ = await (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();
        assert.match(whole_, says);
      }
      await check();
    },
  });
  return [
    page("/market with a class in other letters", "/market?class=cpu/EU&cost=0.010", 404, /cpu\/eu/),
    page("/market with a class that does not exist", "/market?class=gpu-80g/eu&cost=0.010", 404, /cpu\/eu/),
    page("/market with a space after the class", "/market?class=cpu/eu%20&cost=0.010", 400),
    page("/market with an empty class", "/market?class=&cost=0.010", 400),
    page("/market with a decimal comma", "/market?class=cpu/eu&cost=0,010", 400),
    page("/market without the value of cost", "/market?class=cpu/eu&cost=", 400),
    page("/market with a cost below zero", "/market?class=cpu/eu&cost=-1", 400),
    page("/market with NaN as the cost", "/market?class=cpu/eu&cost=NaN", 400),
    page("/market with a cost and no class", "/market?cost=0.010", 400),
    page("/market with half an address as the owner", "/market?class=cpu/eu&cost=0.010&owner=0xab", 400),
    page("/market with the class twice", "/market?class=cpu/eu&class=cpu/us&cost=0.010", 400),
    page("/market with a misspelt parameter", "/market?clas=cpu/eu&cost=0.010", 400),
    page("a page that never has its answer", "/silent", 503),
    page("a page whose source fails", "/failing", 503),
    {
      name: "details of /health that cannot be made",
      run: async () => {
        const failing = { fails: true };
        const port = await startHealth({}, () => {
          if (failing.fails) throw new Error("no details");
          return {};
        });
        try {
          const answer = await exchangeRaw(port.port, [whole("/health")], { answers: 1 });
          assert.equal(answer.status, 500);
          failing.fails = false;
          await port.serves();
        } finally {
          await port.close();
        }
      },
    },
    {
      name: "more requests than an address may send",
      run: async () => {
        const port = await startHealth({ perSecond: 5, burst: 20, pipelined: 100 });
        try {
          const answer = await exchangeRaw(port.port, [whole("/health").repeat(60)], { answers: 60, limitMs: 2_000 });
          const refused = answer.text.match(/HTTP\/1\.1 429 /g)?.length ?? 0;
          assert.ok(refused >= 30 && refused <= 40, `${String(refused)} of 60 refused`);
        } finally {
          await port.close();
        }
      },
    },
    {
      name: "a reader of large metrics that stops reading",
      run: async () => {
        const { port, serves: check } = await sharedHealth();
        const socket = connect({ port, host: "127.0.0.1" });
        socket.on("error", () => undefined);
        socket.pause();
        socket.write(whole("/metrics").repeat(8));
        const { promise, resolve } = Promise.withResolvers<undefined>();
        // A paused socket only learns of the end when it reads on.
        setTimeout(() => socket.resume(), 2_000);
        socket.once("close", () => {
          resolve(undefined);
        });
        await promise;
        assert.ok(socket.bytesRead < 8 * 1_200_000, `all ${String(socket.bytesRead)} bytes were kept for it`);
        await check();
      },
    },
  ];
}

/** What only the port of blocks has. */
function blockCases(): FaultCase[] {
  const stalled = (name: string, requests: number): FaultCase => ({
    name,
    run: async () => {
      const { port, path, serves: check } = await sharedBlocks();
      const sockets = await openSockets(port, 40, whole(path).repeat(requests));
      await sleep(1_200);
      for (let n = 0; n < 4; n++) await check();
      for (const socket of sockets) socket.destroy();
    },
  });
  return [
    stalled("forty readers that take nothing of the block that they asked for", 1),
    stalled("forty readers that ask for the block eight times and take nothing", 8),
    ...(
      [
        ["a CID of another kind", "/ipfs/bagaaieraaaa?format=raw", 400],
        ["a CID of nine thousand letters", `/ipfs/${"b".repeat(1_900)}?format=raw`, 404],
        ["a CID that is not here", "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=raw", 404],
        ["a whole file instead of a block", "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", 406],
      ] as const
    ).map(([name, path, status]) => ({
      name: `${name}, at the port of blocks`,
      run: async () => {
        const { port, serves: check } = await sharedBlocks();
        const answer = await exchangeRaw(port, [whole(path)], { answers: 1 });
        assert.equal(answer.status, status, answer.text.slice(0, 100));
        await check();
      },
    })),
  ];
}

/** Whatever is sent to a listener. */
export const listeners: FaultKind = {
  name: "listeners",
  guarantee: "no input on any port throws, blocks honest ones or grows memory; each is answered as it should be",
  cases: [...oddCases(), ...pageCases(), ...blockCases(), ...timingCases()],
  close: async () => {
    await (await health)?.close();
    await (await blocks)?.close();
  },
};
