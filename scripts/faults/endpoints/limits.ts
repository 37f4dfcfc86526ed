import assert from "node:assert/strict";
import { inspect } from "node:util";

import type { FaultCase } from "@verai/devnet/fault-case";
import {
  CHAIN,
  failure,
  HEAD,
  type Http,
  onBench,
  type Reply,
  SECRET,
  StandIn,
  unavailable,
  within,
} from "./stand-in.ts";
import { explain } from "@verai/client/error-messages";
import { RpcProvider } from "@verai/client/provider";

/** Refuses requests beyond so many in a second of its clock. */
function atMost(perSecond: number, refuse: Http): Http {
  let [second, count] = [0, 0];
  return (response, calls, request) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, count] = [now, 0];
    count += 1;
    return count > perSecond ? refuse(response, calls, request) : false;
  };
}

const plain: Http = (response) => {
  response.writeHead(429);
  response.end("slow down");
};
const inWords: Http = (response, calls) => {
  const answers = calls.map(({ id }) => ({ jsonrpc: "2.0", id, error: { code: -32016, message: "over rate limit" } }));
  response.writeHead(200);
  response.end(JSON.stringify(calls.length === 1 ? answers[0] : answers));
};

async function readAll(url: string, count: number, bench: { provider(urls: string[], options?: object): RpcProvider }) {
  const provider = bench.provider([url], { attempts: 4, backoffMs: 250 });
  await provider.open();
  const reads = Array.from({ length: count }, () =>
    provider.send("eth_call", [{ to: `0x${"11".repeat(20)}` }, "latest"]),
  );
  const lost = (await Promise.allSettled(reads)).filter(({ status }) => status === "rejected");
  assert.equal(lost.length, 0, `${String(lost.length)} of ${String(count)} reads were lost: ${inspect(lost[0])}`);
}

const RATES: readonly FaultCase[] = [
  {
    name: "5,000 reads at once",
    run: async () =>
      onBench(async (bench) => {
        const node = await bench.standIn();
        await readAll(node.url, 5000, bench);
        assert.ok(node.maxOpen <= 8, `${String(node.maxOpen)} connections at once`);
      }),
  },
  ...(
    [
      ["with a status", plain],
      ["in words", inWords],
    ] as const
  ).map(([how, refuse]): FaultCase => ({
    name: `5,000 reads where 50 requests a second are allowed, refused ${how}`,
    slow: true,
    timeoutMs: 60_000,
    run: async () =>
      onBench(async (bench) => {
        const node = await bench.standIn({ http: atMost(50, refuse) });
        await readAll(node.url, 5000, bench);
        assert.ok(node.requests < 700, `${String(node.requests)} requests for 500 batches`);
      }),
  })),
  {
    name: "a bound of requests a second that is configured",
    run: async () =>
      onBench(async (bench) => {
        const node = await bench.standIn();
        const provider = bench.provider([node.url], { maxPerSecond: 50, batch: 1 });
        await provider.open();
        const start = performance.now();
        await Promise.all(Array.from({ length: 26 }, () => provider.getBlockNumber()));
        assert.ok(performance.now() - start >= 480, "25 pauses of 20 ms");
      }),
  },
  ...(
    [
      ["seconds", () => "1", 950],
      ["a date", () => new Date(Date.now() + 2000).toUTCString(), 900],
    ] as const
  ).map(([what, header, least]): FaultCase => ({
    name: `Retry-After with ${what}`,
    ...(what === "a date" && { slow: true as const }),
    run: async () =>
      onBench(async (bench) => {
        let refused = 0;
        const http: Http = (response) => {
          refused += 1;
          if (refused > 1) return false;
          response.writeHead(429, { "retry-after": header() });
          response.end();
          return true;
        };
        const node = await bench.standIn({ http });
        const provider = bench.provider([node.url]);
        await provider.open();
        const start = performance.now();
        assert.equal(await provider.getBlockNumber(), HEAD);
        assert.ok(performance.now() - start >= least, `asked again after ${(performance.now() - start).toFixed(0)} ms`);
        assert.equal(node.asked.length, 2);
      }),
  })),
  {
    name: "Retry-After of a day: the error says so at once, and another endpoint is asked",
    run: async () =>
      onBench(async (bench) => {
        const http: Http = (response) => {
          response.writeHead(429, { "retry-after": "86400" });
          response.end();
        };
        const [node, other] = [await bench.standIn({ http }), await bench.standIn()];
        const only = bench.provider([node.url]);
        await only.open();
        const error = await within(1000, () => unavailable(only.getBlockNumber(), "throttled"));
        assert.match(error.message, /a pause of 600 s/);
        assert.equal(node.asked.length, 1, "it is not asked before");
        const both = bench.provider([node.url, other.url]);
        await both.open();
        assert.equal(await within(500, () => both.getBlockNumber()), HEAD);
      }),
  },
  ...["soon", "-5", "NaN", ""].map((value): FaultCase => ({
    name: `Retry-After that says "${value}"`,
    run: async () =>
      onBench(async (bench) => {
        let first = true;
        const http: Http = (response) => {
          if (!first) return false;
          first = false;
          response.writeHead(503, { "retry-after": value });
          response.end();
          return true;
        };
        const node = await bench.standIn({ http });
        const provider = bench.provider([node.url]);
        await provider.open();
        assert.equal(await within(1000, () => provider.getBlockNumber()), HEAD);
      }),
  })),
  {
    name: "100 reads wait for an endpoint that falls silent",
    run: async () =>
      onBench(async (bench) => {
        const node = await bench.standIn({ http: () => true });
        const provider = bench.provider([node.url], { timeoutMs: 200, batch: 1 });
        await provider.open();
        const reads = Array.from({ length: 100 }, () => provider.send("eth_gasPrice", []));
        const settled = await within(2500, () => Promise.allSettled(reads));
        assert.ok(settled.every(({ status }) => status === "rejected"));
      }),
  },
];

/** Addresses with an access key in each place where providers put one. */
const PLACES: readonly (readonly [where: string, address: (port: number) => string])[] = [
  ["the path", (port) => `http://127.0.0.1:${String(port)}/v3/${SECRET}`],
  ["the query", (port) => `http://127.0.0.1:${String(port)}/rpc?apikey=${SECRET}`],
  ["the user name", (port) => `http://${SECRET}@127.0.0.1:${String(port)}/`],
  ["the password", (port) => `http://node:${SECRET}@127.0.0.1:${String(port)}/`],
  ["the path, escaped", (port) => `http://127.0.0.1:${String(port)}/${SECRET}%2Fx`],
  ["the host's name", (port) => `http://${SECRET.toLowerCase()}abc1234.localhost:${String(port)}/`],
];

const authorization = Buffer.from(`node:${SECRET}`).toString("base64");

/** Faults that repeat the request's address or headers. */
const ECHOES: readonly (readonly [what: string, fault: { http?: Http; reply?: Reply }])[] = [
  ["says nothing", { http: (response) => response.socket?.destroy() }],
  [
    "repeats address and headers in a text",
    {
      http: (response, _calls, { url, headers }) => {
        response.writeHead(403);
        response.end(`key rejected: ${String(url)} ${String(headers.host)} ${JSON.stringify(headers)}`);
      },
    },
  ],
  [
    "repeats them in an error",
    {
      http: (response, calls, { url, headers }) => {
        const message = `unknown key in http://${String(headers.host)}${String(url)} (${String(headers.authorization)})`;
        response.writeHead(200);
        response.end(JSON.stringify({ jsonrpc: "2.0", id: calls[0]?.id, error: { code: -32000, message } }));
      },
    },
  ],
];

function secretCase([where, address]: (typeof PLACES)[number]): FaultCase {
  return {
    name: `an access key in ${where}`,
    run: async () =>
      onBench(async (bench) => {
        for (const [, fault] of ECHOES) {
          const node = await StandIn.start(fault);
          bench.onEnd(() => node.stop());
          const url = address(Number(new URL(node.url).port));
          const other = await bench.standIn({ http: fault.http });
          for (const urls of [[url], [url, other.url]]) {
            const provider = new RpcProvider(urls[0] ?? "", {
              chainId: CHAIN,
              attempts: 2,
              backoffMs: 5,
              fallbackUrls: urls.slice(1),
              onEndpoint: (event) => bench.events.push(event),
            });
            bench.onEnd(() => {
              provider.destroy();
            });
            // A call's error would be an answer in the words of the node.
            for (const method of ["eth_blockNumber", "eth_call"]) {
              const raw: unknown = await provider.send(method, [{}, "latest"]).catch((error: unknown) => error);
              const shown = [
                inspect(raw, { depth: 12, showHidden: true }),
                explain(raw).message,
                provider.endpoint,
                inspect(bench.events),
              ];
              for (const text of shown.map((one) => one.toLowerCase())) {
                assert.ok(!text.includes(SECRET.toLowerCase()), `the key is shown: ${explain(raw).message}`);
                assert.ok(!text.includes(authorization.toLowerCase()), "the header is shown");
              }
            }
          }
        }
      }),
  };
}

const ADDRESSES: readonly FaultCase[] = ["wss://rpc.example/", "ftp://rpc.example/", "rpc.example", ""].map((url) => ({
  name: `an address that is none: "${url}"`,
  run: async () => {
    const error = await failure((async () => new RpcProvider(`${url}`, { chainId: CHAIN }))());
    assert.match(error.message, /no http or https address/);
    assert.equal(error.retryable, false);
  },
}));

/** Bounds of what is asked, and of what is shown. */
export const LIMITS: readonly FaultCase[] = [...RATES, ...PLACES.map(secretCase), ...ADDRESSES];
