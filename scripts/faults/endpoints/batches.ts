import assert from "node:assert/strict";

import type { FaultCase } from "@verai/devnet/fault-case";
import { type Call, HEAD, type Http, onBench, unavailable } from "./stand-in.ts";

type Answer = Record<string, unknown>;

/** Answers batches alone; single calls are left to the stand-in. */
function batch(answer: (answers: Answer[], calls: readonly Call[]) => unknown, status = 200): Http {
  return (response, calls) => {
    if (calls.length < 2) return false;
    const right = calls.map(({ id }): Answer => ({ jsonrpc: "2.0", id, result: `0x${(id + 4096).toString(16)}` }));
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer(right, calls)));
    return true;
  };
}

const error = (id: unknown, code: number, message: string): Answer => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
});

/** What may come back for three calls in one request. */
const ROWS: readonly (readonly [name: string, http: Http])[] = [
  ["one is missing", batch((answers) => answers.slice(1))],
  ["all are missing", batch(() => [])],
  ["in another order", batch((answers) => answers.toReversed())],
  ["one comes twice with two results", batch(([a, ...rest]) => [a, { ...a, result: "0xbad" }, ...rest])],
  [
    "with answers to somebody else's",
    batch((answers) => [{ jsonrpc: "2.0", id: 999_999, result: "0xbad" }, ...answers]),
  ],
  ["only somebody else's", batch((answers) => answers.map((one, i) => ({ ...one, id: 500_000 + i })))],
  ["with ids as texts", batch((answers) => answers.map((one) => ({ ...one, id: String(one["id"]) })))],
  ["without ids", batch((answers) => answers.map(({ id: _id, ...one }) => one))],
  ["one of them throttled", batch(([a, ...rest]) => [error(a?.["id"], -32005, "limit exceeded"), ...rest])],
  ["one of them null", batch(([a, ...rest]) => [{ ...a, result: null }, ...rest])],
  ["with null between them", batch(([a, ...rest]) => [a, null, ...rest])],
  ["one list in another", batch((answers) => [answers])],
  ["an object of answers", batch((answers) => ({ ...answers }))],
  ["one error for all", batch(() => error(null, -32600, "batch requests are not supported"))],
  ["one error for all in a list", batch(() => [error(null, -32014, "too many RPC calls in batch request")])],
  ["the answer to the first alone", batch(([a]) => a)],
  ["413", batch(() => "too large", 413)],
  ["400, since it takes no batches", batch(() => error(null, -32600, "Batch size is limited to 1"), 400)],
  ["429 for all in a list", batch((answers) => answers.map(() => error(null, 429, "Too Many Requests")))],
];

function rowCase([name, http]: (typeof ROWS)[number]): FaultCase {
  return {
    name: `three calls in one request: ${name}`,
    run: async () =>
      onBench(async (bench) => {
        const [bad, good] = [await bench.standIn({ http }), await bench.standIn()];
        const both = bench.provider([bad.url, good.url]);
        await both.open();
        const methods = ["eth_blockNumber", "eth_gasPrice", "eth_getCode"];
        const ask = async () =>
          Promise.all([
            both.send("eth_blockNumber", []),
            both.send("eth_gasPrice", []),
            both.send("eth_getCode", ["0x0", "latest"]),
          ]);
        for (const result of await ask()) {
          assert.ok(typeof result === "string" && result !== "0xbad", `a wrong answer was taken: ${String(result)}`);
        }
        // Each answer belongs to its call: either of the two endpoints gave it.
        const [number, price, code] = await ask();
        assert.ok(number === `0x${HEAD.toString(16)}` || Number(number) > 4096);
        assert.ok([price, code].every((one) => one === "0x2a" || Number(one) > 4096));
        assert.equal(new Set(methods).size, 3);
      }),
  };
}

const OTHERS: readonly FaultCase[] = [
  {
    name: "three calls in one request: one cannot be answered, and takes no other with it",
    run: async () =>
      onBench(async (bench) => {
        const node = await bench.standIn({
          reply: ({ method }) =>
            method === "eth_gasPrice" ? { error: { code: -32603, message: "Internal error" } } : undefined,
        });
        const provider = bench.provider([node.url]);
        await provider.open();
        const asked = ["eth_blockNumber", "eth_gasPrice", "eth_getLogs"].map((method) => provider.send(method, []));
        const [number, price, logs] = await Promise.allSettled(asked);
        assert.deepEqual([number?.status, price?.status, logs?.status], ["fulfilled", "rejected", "fulfilled"]);
        await unavailable(asked[1] ?? Promise.resolve(), "server");
      }),
  },
  {
    name: "three calls in one request: an endpoint that takes none is asked one by one from then on",
    run: async () =>
      onBench(async (bench) => {
        let batches = 0;
        const node = await bench.standIn({
          http: (response, calls) => {
            if (calls.length < 2) return false;
            batches += 1;
            response.writeHead(200);
            response.end(JSON.stringify(error(null, -32600, "batch requests are not supported")));
            return true;
          },
        });
        const provider = bench.provider([node.url]);
        await provider.open();
        for (let i = 0; i < 2; i++) {
          const both = [provider.send("eth_blockNumber", []), provider.send("eth_gasPrice", [])];
          assert.deepEqual(await Promise.all(both), [`0x${HEAD.toString(16)}`, "0x2a"]);
        }
        assert.equal(batches, 1);
      }),
  },
];

/** Endpoints that mix up several calls in one request. */
export const BATCHES: readonly FaultCase[] = [...ROWS.map(rowCase), ...OTHERS];
