import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { BASE_CHAIN_ID, BASE_SEPOLIA_CHAIN_ID } from "@verai/client/chains";
import { WrongNetworkError } from "@verai/client/errors";
import type { FaultCase } from "@verai/devnet/fault-case";
import {
  type Bench,
  blockOf,
  failure,
  HEAD,
  type Http,
  onBench,
  type Reply,
  SHORT_MS,
  unavailable,
  within,
} from "./stand-in.ts";

const silent: Http = () => true;
const down: Http = (response) => {
  response.writeHead(503);
  response.end("down");
};

function kinds(bench: Bench): string[] {
  return bench.events.map(({ kind }) => kind);
}

/** Waits until an endpoint has had its rest and the next request its effect. */
async function until(what: string, holds: () => boolean, poke: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    await poke();
    if (holds()) return;
    await delay(50);
  }
  assert.fail(`${what} did not happen within 10 s`);
}

const CHAINS: readonly FaultCase[] = [
  {
    name: "the preferred endpoint serves another chain",
    run: async () =>
      onBench(async (bench) => {
        const [wrong, right] = [await bench.standIn({ chainId: BASE_CHAIN_ID, head: 7 }), await bench.standIn()];
        const both = bench.provider([wrong.url, right.url]);
        await both.open();
        for (let i = 0; i < 3; i++) assert.equal(await both.getBlockNumber(), HEAD);
        assert.deepEqual(wrong.asked, []);
        assert.deepEqual(kinds(bench), ["dropped"], "one line");
        assert.match(bench.events[0]?.message ?? "", /serves chain 8453, but chain 84532 is configured/);
      }),
  },
  {
    name: "a fallback of another chain while the preferred endpoint is down",
    run: async () =>
      onBench(async (bench) => {
        const off = await bench.standIn({ http: down, faultyChecks: true });
        const [wrong, right] = [await bench.standIn({ chainId: 1 }), await bench.standIn()];
        const all = bench.provider([off.url, wrong.url, right.url]);
        assert.equal(await all.getBlockNumber(), HEAD);
        assert.deepEqual(wrong.asked, []);
      }),
  },
  {
    name: "every endpoint serves another chain",
    run: async () =>
      onBench(async (bench) => {
        const [one, two] = [await bench.standIn({ chainId: 1 }), await bench.standIn({ chainId: 10 })];
        const error = await failure(bench.provider([one.url, two.url]).open());
        assert.ok(error instanceof WrongNetworkError, error.message);
        assert.deepEqual([one.asked, two.asked], [[], []]);
      }),
  },
  {
    name: "the only endpoint serves another chain, and nobody asked it before",
    run: async () =>
      onBench(async (bench) => {
        const wrong = await bench.standIn({ chainId: 1 });
        const provider = bench.provider([wrong.url]);
        assert.ok((await failure(provider.getBlockNumber())) instanceof WrongNetworkError);
        assert.deepEqual(wrong.asked, []);
      }),
  },
  {
    name: "one endpoint of another chain, the other down: what may pass is told as such",
    run: async () =>
      onBench(async (bench) => {
        const wrong = await bench.standIn({ chainId: 1 });
        const off = await bench.standIn({ http: down, faultyChecks: true });
        const error = await unavailable(bench.provider([wrong.url, off.url]).open(), "server");
        assert.equal(error.retryable, true);
        assert.match(error.message, /serves chain 1, but chain 84532/);
      }),
  },
  ...["0x", null, BASE_SEPOLIA_CHAIN_ID, "0x0", "eip155:84532"].map((result): FaultCase => ({
    name: `an endpoint whose chain id is ${JSON.stringify(result)}`,
    run: async () =>
      onBench(async (bench) => {
        const reply: Reply = ({ method }) => (method === "eth_chainId" ? { result } : undefined);
        const [odd, right] = [await bench.standIn({ reply, faultyChecks: true }), await bench.standIn()];
        assert.equal(await bench.provider([odd.url, right.url]).getBlockNumber(), HEAD);
        assert.deepEqual(odd.asked, []);
        await failure(bench.provider([odd.url]).getBlockNumber());
      }),
  })),
];

const HEADS: readonly FaultCase[] = [
  {
    name: "the preferred endpoint is 50 blocks behind at the opening",
    run: async () =>
      onBench(async (bench) => {
        const [late, good] = [await bench.standIn({ head: HEAD - 50 }), await bench.standIn()];
        const both = bench.provider([late.url, good.url]);
        await both.open();
        for (let i = 0; i < 3; i++) assert.equal(await both.getBlockNumber(), HEAD);
        assert.deepEqual(late.asked, [], "nothing that it says counts");
        assert.deepEqual(kinds(bench), ["dropped"]);
        assert.match(bench.events[0]?.message ?? "", /50 blocks behind the others \(maximum 30\)/);
      }),
  },
  {
    name: "a fallback falls behind, then the preferred endpoint fails",
    run: async () =>
      onBench(async (bench) => {
        const [first, late, good] = [await bench.standIn(), await bench.standIn({ head: 10 }), await bench.standIn()];
        const all = bench.provider([first.url, late.url, good.url]);
        await all.open();
        first.http = down;
        assert.equal(await all.getBlockNumber(), HEAD);
        assert.deepEqual(late.asked, []);
      }),
  },
  {
    name: "only a fallback that is behind is left",
    run: async () =>
      onBench(async (bench) => {
        const [first, late] = [await bench.standIn(), await bench.standIn({ head: 10 })];
        const both = bench.provider([first.url, late.url]);
        await both.open();
        first.http = down;
        first.faultyChecks = true;
        const error = await unavailable(both.getBlockNumber());
        assert.match(error.message, /990 blocks behind/);
        assert.equal(error.retryable, true);
      }),
  },
  ...(["eth_blockNumber", "eth_getBlockByNumber"] as const).map((method): FaultCase => ({
    name: `the preferred endpoint stands still, seen by ${method}`,
    run: async () =>
      onBench(async (bench) => {
        const [first, good] = [await bench.standIn(), await bench.standIn({ head: HEAD })];
        const both = bench.provider([first.url, good.url]);
        await both.open();
        const ask = async (): Promise<number> =>
          method === "eth_blockNumber" ? both.getBlockNumber() : ((await both.getBlock("latest"))?.number ?? -1);
        assert.equal(await ask(), HEAD);
        first.head = HEAD - 31;
        assert.equal(await ask(), HEAD);
        assert.deepEqual(kinds(bench), ["dropped"]);
      }),
  })),
  {
    name: "an endpoint is behind by what is allowed",
    run: async () =>
      onBench(async (bench) => {
        const [late, good] = [await bench.standIn({ head: HEAD - 30 }), await bench.standIn()];
        const both = bench.provider([late.url, good.url]);
        await both.open();
        assert.equal(await both.getBlockNumber(), HEAD - 30);
        assert.deepEqual(bench.events, []);
      }),
  },
  {
    name: "one of three endpoints claims to be years ahead",
    run: async () =>
      onBench(async (bench) => {
        const liar = await bench.standIn({ head: 2 ** 40 });
        const [one, two] = [await bench.standIn(), await bench.standIn({ head: HEAD + 1 })];
        const all = bench.provider([liar.url, one.url, two.url]);
        await all.open();
        assert.equal(await all.getBlockNumber(), HEAD);
        assert.deepEqual(liar.asked, []);
        assert.deepEqual(
          bench.events.map(({ kind, endpoint }) => [kind, endpoint]),
          [["dropped", new URL(liar.url).origin]],
        );
      }),
  },
  {
    name: "a newest block that is none holds nothing against the others",
    run: async () =>
      onBench(async (bench) => {
        const reply: Reply = ({ method }) =>
          method === "eth_getBlockByNumber" ? { result: { ...blockOf(1), number: "many" } } : undefined;
        const [odd, good] = [await bench.standIn({ reply, faultyChecks: true }), await bench.standIn()];
        const both = bench.provider([good.url, odd.url]);
        await both.open();
        assert.equal(await both.getBlockNumber(), HEAD);
        assert.deepEqual(bench.events, []);
      }),
  },
  {
    name: "an endpoint that was behind has caught up",
    slow: true,
    run: async () =>
      onBench(async (bench) => {
        const [late, good] = [await bench.standIn({ head: 10 }), await bench.standIn()];
        const both = bench.provider([late.url, good.url]);
        await both.open();
        assert.equal(await both.getBlockNumber(), HEAD);
        late.head = HEAD;
        await until(
          "the return",
          () => late.asked.length > 0,
          () => both.getBlockNumber(),
        );
        assert.deepEqual(kinds(bench), ["dropped", "returned"]);
      }),
  },
];

const LIVES: readonly FaultCase[] = [
  {
    name: "the preferred endpoint is silent at the opening",
    run: async () =>
      onBench(async (bench) => {
        const [mute, good] = [await bench.standIn({ http: silent, faultyChecks: true }), await bench.standIn()];
        const both = bench.provider([mute.url, good.url], { timeoutMs: 5000 });
        await within(2500, () => both.open());
        assert.equal(await within(500, () => both.getBlockNumber()), HEAD);
      }),
  },
  {
    name: "a fallback is silent at the opening",
    slow: true,
    run: async () =>
      onBench(async (bench) => {
        const [good, mute] = [await bench.standIn(), await bench.standIn({ http: silent, faultyChecks: true })];
        const both = bench.provider([good.url, mute.url], { timeoutMs: 5000 });
        await within(2500, () => both.open());
        assert.equal(await within(500, () => both.getBlockNumber()), HEAD);
      }),
  },
  {
    name: "the preferred endpoint fails and does well again",
    slow: true,
    run: async () =>
      onBench(async (bench) => {
        const [first, other] = [await bench.standIn(), await bench.standIn()];
        const both = bench.provider([first.url, other.url]);
        await both.open();
        first.http = down;
        assert.equal(await both.getBlockNumber(), HEAD);
        assert.equal(both.endpoint, new URL(other.url).origin);
        first.http = undefined;
        const before = first.asked.length;
        await until(
          "the return",
          () => first.asked.length > before,
          () => both.getBlockNumber(),
        );
        assert.equal(both.endpoint, new URL(first.url).origin);
        assert.deepEqual(kinds(bench), ["failed", "returned"]);
      }),
  },
  {
    name: "the preferred endpoint stays down: no request waits for it",
    slow: true,
    run: async () =>
      onBench(async (bench) => {
        const [mute, other] = [await bench.standIn({ http: silent, faultyChecks: true }), await bench.standIn()];
        const both = bench.provider([mute.url, other.url], { timeoutMs: SHORT_MS });
        await both.open();
        for (let i = 0; i < 20; i++) {
          assert.equal(await within(SHORT_MS - 50, () => both.getBlockNumber()), HEAD);
          await delay(100);
        }
        assert.deepEqual(mute.asked, []);
        assert.ok(mute.requests <= 4, `it was checked ${String(mute.requests)} times in 2 s`);
        assert.deepEqual(kinds(bench), ["failed"], "one line");
      }),
  },
  {
    name: "every endpoint is down",
    run: async () =>
      onBench(async (bench) => {
        const setUp = { http: down, faultyChecks: true };
        const [one, two] = [await bench.standIn(setUp), await bench.standIn(setUp)];
        const error = await unavailable(bench.provider([one.url, two.url]).open(), "server");
        for (const { url } of [one, two]) assert.ok(error.message.includes(new URL(url).origin), error.message);
        assert.match(error.message, /HTTP 503: down/);
      }),
  },
  {
    name: "every endpoint was down and one has come back",
    run: async () =>
      onBench(async (bench) => {
        const [one, two] = [await bench.standIn(), await bench.standIn()];
        const both = bench.provider([one.url, two.url]);
        await both.open();
        for (const each of [one, two]) each.http = down;
        await unavailable(both.getBlockNumber(), "server");
        two.http = undefined;
        assert.equal(await both.getBlockNumber(), HEAD);
      }),
  },
  {
    name: "the same address twice",
    run: async () =>
      onBench(async (bench) => {
        const one = await bench.standIn({ http: down });
        const provider = bench.provider([one.url, one.url]);
        await unavailable(provider.getBlockNumber(), "server");
        assert.equal(provider.endpoints.length, 1);
      }),
  },
  {
    name: "the provider is closed while it waits for an answer",
    run: async () =>
      onBench(async (bench) => {
        const mute = await bench.standIn({ http: silent });
        const provider = bench.provider([mute.url], { timeoutMs: 10_000 });
        await provider.open();
        const asked = failure(provider.getBlockNumber());
        while (mute.asked.length === 0) await delay(5);
        provider.destroy();
        await within(500, () => asked);
      }),
  },
  {
    name: "a kept connection that the endpoint closes just as it is used",
    run: async () =>
      onBench(async (bench) => {
        let requests = 0;
        const http: Http = (response) => {
          requests += 1;
          if (requests !== 2) return false;
          response.socket?.destroy();
          return true;
        };
        const node = await bench.standIn({ http });
        const provider = bench.provider([node.url], { attempts: 1 });
        await provider.open();
        for (let i = 0; i < 3; i++) assert.equal(await provider.getBlockNumber(), HEAD);
      }),
  },
];

/** Whole endpoints that are wrong, late, away, or back. */
export const HEALTH: readonly FaultCase[] = [...CHAINS, ...HEADS, ...LIVES];
