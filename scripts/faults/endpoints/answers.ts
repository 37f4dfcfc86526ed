import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

import type { RpcFailure } from "@verai/client/errors";
import type { RpcProvider } from "@verai/client/provider";
import type { FaultCase } from "@verai/devnet/fault-case";
import { type Call, HEAD, type Http, onBench, SECRET, SHORT_MS, unavailable, within } from "./stand-in.ts";

interface Row {
  readonly name: string;
  readonly http: Http;
  /** Why there is no answer, where there is no other endpoint. */
  readonly reason: RpcFailure;
  /** Takes too long for a quick run. */
  readonly slow?: true;
}

function status(code: number, body: string, headers: Record<string, string> = {}): Http {
  return (response, calls) => {
    response.writeHead(code, { "content-type": "text/plain", ...headers });
    response.end(body.replaceAll("ID", String(calls[0]?.id)));
  };
}

function body(text: string | Buffer, headers: Record<string, string> = {}): Http {
  return (response, calls) => {
    response.writeHead(200, { "content-type": "application/json", ...headers });
    response.end(typeof text === "string" ? text.replaceAll("ID", String(calls[0]?.id)) : text);
  };
}

function drip(response: ServerResponse, everyMs: number, first: string): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.write(first);
  const timer = setInterval(() => response.write(" "), everyMs);
  response.on("close", () => {
    clearInterval(timer);
  });
}

const rpcError = (code: number, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 0, error: { code, message } });
const HTML = "<!DOCTYPE html><html><body><h1>Sorry, you have been blocked</h1></body></html>";
const RIGHT = '{"jsonrpc":"2.0","id":ID,"result":"0x5"}';

const STATUSES: readonly Row[] = [
  { name: "300 with choices", http: status(300, ""), reason: "refused" },
  { name: "301 to another address", http: status(301, "", { location: "http://127.0.0.1:9/" }), reason: "refused" },
  {
    name: "302 to a sign-in page that has the key",
    http: status(302, "", { location: `http://127.0.0.1:9/${SECRET}` }),
    reason: "refused",
  },
  {
    name: "307, which asks for the request to be sent elsewhere",
    http: status(307, "", { location: "http://127.0.0.1:9/" }),
    reason: "refused",
  },
  { name: "308, which asks for it for good", http: status(308, "", { location: "//127.0.0.1:9" }), reason: "refused" },
  { name: "400 with an answer in its body", http: status(400, RIGHT), reason: "server" },
  { name: "401 of JSON-RPC", http: status(401, rpcError(-32600, "Must be authenticated!")), reason: "refused" },
  { name: "402, payment required", http: status(402, "upgrade your plan"), reason: "refused" },
  { name: "403 with a firewall's page", http: status(403, HTML), reason: "refused" },
  { name: "404 of a balancer", http: status(404, "default backend - 404"), reason: "refused" },
  { name: "405, POST is not allowed", http: status(405, ""), reason: "refused" },
  { name: "408, the request came too slowly", http: status(408, ""), reason: "timeout" },
  { name: "409 while a tenant is moved", http: status(409, "conflict"), reason: "server" },
  { name: "413, too large", http: status(413, ""), reason: "too-large" },
  { name: "421, misdirected", http: status(421, ""), reason: "server" },
  { name: "429 without a body", http: status(429, ""), reason: "throttled" },
  {
    name: "429 of JSON-RPC, over rate limit",
    http: status(429, rpcError(-32016, "over rate limit")),
    reason: "throttled",
  },
  { name: "429 with a right answer in its body", http: status(429, RIGHT), reason: "throttled" },
  { name: "451, blocked by law", http: status(451, HTML), reason: "refused" },
  { name: "500 with a right answer in its body", http: status(500, RIGHT), reason: "server" },
  {
    name: "500 with a stack trace that has the key",
    http: status(500, `Error: key ${SECRET}\n    at x`),
    reason: "server",
  },
  { name: "501, not implemented", http: status(501, ""), reason: "server" },
  { name: "502 with a page", http: status(502, HTML), reason: "server" },
  {
    name: "503 of JSON-RPC, no backend is healthy",
    http: status(503, rpcError(-32011, "no backend is currently healthy to serve traffic")),
    reason: "server",
  },
  {
    name: "503 with a revert in its body",
    http: status(
      503,
      '{"jsonrpc":"2.0","id":ID,"error":{"code":3,"message":"execution reverted","data":"0x12345678"}}',
    ),
    reason: "server",
  },
  {
    name: "504 of JSON-RPC, gateway timeout",
    http: status(504, rpcError(-32015, "gateway timeout")),
    reason: "timeout",
  },
  { name: "520 of a content network", http: status(520, HTML), reason: "server" },
  { name: "524, the origin is silent", http: status(524, HTML), reason: "timeout" },
  { name: "204 without content", http: status(204, ""), reason: "server" },
  { name: "206 with part of an answer", http: status(206, RIGHT), reason: "server" },
  {
    slow: true,
    name: "503 whose body never ends",
    http: (response) => {
      response.writeHead(503);
      response.write("x");
    },
    reason: "server",
  },
];

const BODIES: readonly Row[] = [
  { name: "an empty body", http: body(""), reason: "server" },
  { name: "blanks", http: body("  \n\t "), reason: "server" },
  { name: "a page of HTML with 200", http: body(HTML, { "content-type": "text/html" }), reason: "server" },
  { name: "plain text with 200", http: body("OK"), reason: "server" },
  { name: "null", http: body("null"), reason: "server" },
  { name: "an empty object", http: body("{}"), reason: "server" },
  { name: "an empty list", http: body("[]"), reason: "server" },
  { name: "a list with null", http: body("[null]"), reason: "server" },
  { name: "a bare number", http: body("42"), reason: "server" },
  { name: "a bare text", http: body('"0x5"'), reason: "server" },
  { name: "half an answer", http: body('{"jsonrpc":"2.0","id":ID,"resu'), reason: "server" },
  { name: "NaN as result", http: body('{"jsonrpc":"2.0","id":ID,"result":NaN}'), reason: "server" },
  { name: "two answers one after the other", http: body(`${RIGHT}${RIGHT}`), reason: "server" },
  { name: "a callback around the answer", http: body(`cb(${RIGHT})`), reason: "server" },
  { name: "100,000 lists inside one another", http: body("[".repeat(100_000) + "]".repeat(100_000)), reason: "server" },
  { name: "another id", http: body('{"jsonrpc":"2.0","id":987654,"result":"0x5"}'), reason: "server" },
  { name: "the id as text", http: body('{"jsonrpc":"2.0","id":"ID","result":"0x5"}'), reason: "server" },
  { name: "a result without an id", http: body('{"jsonrpc":"2.0","result":"0x5"}'), reason: "server" },
  { name: "a result with the id null", http: body('{"jsonrpc":"2.0","id":null,"result":"0x5"}'), reason: "server" },
  {
    name: "a revert without an id",
    http: body('{"jsonrpc":"2.0","id":null,"error":{"code":3,"message":"execution reverted"}}'),
    reason: "server",
  },
  {
    name: "a list for a single call",
    http: body('[{"jsonrpc":"2.0","id":ID,"result":null},{"jsonrpc":"2.0","id":ID,"result":"0x5"}]'),
    reason: "server",
  },
  {
    name: "result and error at once",
    http: body('{"jsonrpc":"2.0","id":ID,"result":"0x5","error":{"code":1,"message":"x"}}'),
    reason: "server",
  },
  { name: "neither result nor error", http: body('{"jsonrpc":"2.0","id":ID}'), reason: "server" },
  { name: "JSON-RPC 1.0", http: body('{"jsonrpc":"1.0","id":ID,"result":"0x5"}'), reason: "server" },
  { name: "an error that is a text", http: body('{"jsonrpc":"2.0","id":ID,"error":"boom"}'), reason: "server" },
  { name: "an error that is a list", http: body('{"jsonrpc":"2.0","id":ID,"error":[]}'), reason: "server" },
  { name: "an error without code and words", http: body('{"jsonrpc":"2.0","id":ID,"error":{}}'), reason: "server" },
  {
    name: "an error whose words are a number",
    http: body('{"jsonrpc":"2.0","id":ID,"error":{"code":"x","message":7}}'),
    reason: "server",
  },
  {
    name: "an error of 800 KiB of words with control characters",
    http: body(`{"jsonrpc":"2.0","id":ID,"error":{"code":-1,"message":"${"\\u001b[2J".repeat(100_000)}"}}`),
    reason: "server",
  },
  { name: "gzip that is none", http: body("no gzip", { "content-encoding": "gzip" }), reason: "server" },
  {
    name: "gzip that ends half-way",
    http: body(gzipSync(RIGHT).subarray(0, 20), { "content-encoding": "gzip" }),
    reason: "server",
  },
  {
    name: "an encoding that was not asked for",
    http: body("(\xb5/\xfd", { "content-encoding": "zstd" }),
    reason: "server",
  },
  {
    name: "a bomb of gzip",
    http: body(gzipSync(Buffer.alloc(64 << 20, " ")), { "content-encoding": "gzip" }),
    reason: "too-large",
  },
  {
    name: "a length beyond the bound",
    http: (response) => {
      response.writeHead(200, { "content-length": String(2 ** 40) });
      response.write("{");
    },
    reason: "too-large",
  },
  {
    slow: true,
    name: "a body without end",
    http: (response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1 << 20, " ");
      const go = (): void => {
        while (response.writable && response.write(chunk));
        if (response.writable) response.once("drain", go);
      };
      go();
    },
    reason: "too-large",
  },
  {
    name: "a body that drips",
    http: (response) => {
      drip(response, 20, " ");
    },
    reason: "timeout",
  },
  {
    slow: true,
    name: "an answer that drips after its end",
    http: (response, calls) => {
      drip(response, 20, `{"jsonrpc":"2.0","id":${String(calls[0]?.id)},"result":"0x5"}`);
    },
    reason: "timeout",
  },
  {
    name: "a body shorter than its length",
    http: (response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write("{");
      setImmediate(() => response.destroy());
    },
    reason: "connection",
  },
  {
    name: "a cut in the middle of a chunk",
    http: (response) => {
      response.writeHead(200);
      response.write('{"jsonrpc"');
      setImmediate(() => response.destroy());
    },
    reason: "connection",
  },
  { name: "silence", http: () => true, reason: "timeout" },
  {
    slow: true,
    name: "headers and then silence",
    http: (response) => {
      response.writeHead(200);
      response.flushHeaders();
    },
    reason: "timeout",
  },
  {
    name: "a reset",
    http: (response) => {
      response.socket?.resetAndDestroy();
    },
    reason: "connection",
  },
  {
    name: "an end without a word",
    http: (response) => {
      response.socket?.end();
    },
    reason: "connection",
  },
  {
    name: "something that is not HTTP",
    http: (response) => {
      response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n");
    },
    reason: "connection",
  },
  { name: "headers of 64 KiB", http: status(200, RIGHT, { "x-filler": "x".repeat(65_536) }), reason: "connection" },
];

function rowCase(does: string, row: Row): FaultCase {
  const { name, slow } = row;
  return { name: `an endpoint ${does} ${name}`, run: async () => survives(row), ...(slow && { slow }) };
}

async function survives(row: Row): Promise<void> {
  await onBench(async (bench) => {
    const [bad, good] = [await bench.standIn({ http: row.http }), await bench.standIn()];
    const bounds = { timeoutMs: row.reason === "timeout" ? SHORT_MS : 1000 };
    // From a time on: the other one answers, and goes on doing so without the bad one.
    const both = bench.provider([bad.url, good.url], bounds);
    await both.open();
    assert.equal(await within(3000, () => both.getBlockNumber()), HEAD);
    const asked = bad.asked.length;
    assert.equal(await both.getBlockNumber(), HEAD);
    // An answer that is too large says nothing about smaller ones.
    if (row.reason !== "too-large") assert.equal(bad.asked.length, asked, "the bad endpoint is left alone for a while");
    await alone(bench.provider([bad.url], bounds), row.reason);
    // From the beginning.
    bad.faultyChecks = true;
    const fresh = bench.provider([bad.url, good.url], bounds);
    await within(3000, () => fresh.open());
    assert.equal(await within(3000, () => fresh.getBlockNumber()), HEAD);
  });
}

async function alone(only: RpcProvider, reason: RpcFailure): Promise<void> {
  await only.open();
  const error = await within(4000, () => unavailable(only.getBlockNumber(), reason));
  assert.equal(error.retryable, reason !== "refused");
  assert.match(error.message, /^The RPC endpoint http:\/\/127\.0\.0\.1:\d+ gave no answer/);
  assert.ok(error.message.length < 700, "an error is short");
  assert.doesNotMatch(error.message, /\p{Cc}/u);
}

/** Nothing listens, or nothing that can be reached. */
const UNREACHABLE: readonly FaultCase[] = [
  {
    name: "an endpoint: nothing listens at its port",
    run: async () => noServer("http://127.0.0.1:1/" + SECRET),
  },
  {
    name: "an endpoint: a host that no name server knows",
    run: async () => noServer(`http://rpc.invalid/${SECRET}`),
  },
  {
    name: "an endpoint: https at a port that speaks http",
    run: async () =>
      onBench(async (bench) => {
        const plain = await bench.standIn();
        await noServer(plain.url.replace("http:", "https:"));
      }),
  },
  {
    name: "an endpoint: a port that accepts and says nothing",
    run: async () => {
      const server = createServer((socket) => socket.on("error", () => undefined).resume());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      await noServer(`http://127.0.0.1:${String(address.port)}/${SECRET}`).finally(() => server.close());
    },
  },
];

async function noServer(url: string): Promise<void> {
  await onBench(async (bench) => {
    const good = await bench.standIn();
    const both = bench.provider([url, good.url], { timeoutMs: SHORT_MS });
    await within(3000, () => both.open());
    assert.equal(await both.getBlockNumber(), HEAD);
    await within(3000, () =>
      unavailable(bench.provider([url], { timeoutMs: SHORT_MS }).open(), "connection", "timeout"),
    );
  });
}

type Wrong = readonly [name: string, call: readonly [string, ...unknown[]], result: unknown];

const HASH = `0x${"ab".repeat(32)}`;
const OTHER = `0x${"cd".repeat(32)}`;
const ADDRESS = `0x${"11".repeat(20)}`;
const RECEIPT = {
  transactionHash: HASH,
  blockNumber: "0x5",
  blockHash: OTHER,
  gasUsed: "0x1",
  status: "0x1",
  logs: [],
};

/** Results that no node that does well gives for the method. */
const SHAPES: readonly Wrong[] = [
  ["null as block number", ["eth_blockNumber"], null],
  ["a block number that is a number", ["eth_blockNumber"], 1000],
  ["a block number in decimal", ["eth_blockNumber"], "1000"],
  ["an empty block number", ["eth_blockNumber"], "0x"],
  ["a block number of 70 digits", ["eth_blockNumber"], `0x${"f".repeat(70)}`],
  ["false as balance", ["eth_getBalance", ADDRESS, "latest"], false],
  ["null as balance", ["eth_getBalance", ADDRESS, "latest"], null],
  ["a negative count of transactions", ["eth_getTransactionCount", ADDRESS, "latest"], "-0x1"],
  ["null from a call", ["eth_call", { to: ADDRESS }, "latest"], null],
  ["half a byte from a call", ["eth_call", { to: ADDRESS }, "latest"], "0x123"],
  ["an object from a call", ["eth_call", { to: ADDRESS }, "latest"], { data: "0x" }],
  ["null as code", ["eth_getCode", ADDRESS, "latest"], null],
  ["an estimate that is none", ["eth_estimateGas", { to: ADDRESS }], "0xgas"],
  ["no newest block", ["eth_getBlockByNumber", "latest", false], null],
  ["a newest block without a hash", ["eth_getBlockByNumber", "latest", false], { number: "0x5", timestamp: "0x1" }],
  ["no safe block", ["eth_getBlockByNumber", "safe", false], null],
  ["a block of another hash", ["eth_getBlockByHash", HASH, false], { number: "0x5", hash: OTHER, timestamp: "0x1" }],
  ["a receipt of another transaction", ["eth_getTransactionReceipt", HASH], { ...RECEIPT, transactionHash: OTHER }],
  ["a receipt without a status", ["eth_getTransactionReceipt", HASH], { ...RECEIPT, status: undefined }],
  [
    "a receipt of a transaction that waits",
    ["eth_getTransactionReceipt", HASH],
    { ...RECEIPT, blockNumber: null, blockHash: null },
  ],
  ["a text as receipt", ["eth_getTransactionReceipt", HASH], "pending"],
  ["another transaction", ["eth_getTransactionByHash", HASH], { hash: OTHER }],
  ["null as logs", ["eth_getLogs", {}], null],
  ["logs without topics", ["eth_getLogs", {}], [{ address: ADDRESS, data: "0x" }]],
  ["a gas price of 0.05", ["eth_gasPrice"], 0.05],
  ["the hash of another transaction", ["eth_sendRawTransaction", "0x02c0"], OTHER],
];

function shapeCase([what, [method, ...params], result]: Wrong): FaultCase {
  return {
    name: `a result that cannot be right: ${what}`,
    run: async () =>
      onBench(async (bench) => {
        const reply = (call: Call) => (call.method === method ? { result } : undefined);
        const [bad, good] = [await bench.standIn({ reply }), await bench.standIn()];
        const both = bench.provider([bad.url, good.url]);
        await both.open();
        await both.send(method, params);
        assert.deepEqual([bad.asked, good.asked], [[method], [method]]);
        const only = bench.provider([bad.url]);
        await unavailable(only.send(method, params), "server", "behind");
      }),
  };
}

/** Endpoints that answer what is no answer. */
export const ANSWERS: readonly FaultCase[] = [
  ...STATUSES.map((row) => rowCase("answers", row)),
  ...BODIES.map((row) => rowCase("sends", row)),
  ...UNREACHABLE,
  ...SHAPES.map(shapeCase),
];
