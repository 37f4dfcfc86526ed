/**
 * An endpoint with a made-up year of the contracts' events, that behaves as public ones do: at most 10,000 blocks and 10,000
 * logs an answer, a range with more is refused or, every other time, silently cut; some requests are throttled, and every few
 * seconds the newest block is one of some blocks ago. Prints its port.
 *
 *     node bench/history/endpoint.ts <leases>
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { type RawLog } from "@verai/indexer/testing/encode";
import { timeOf, Year } from "@verai/indexer/testing/year";
import { CHAIN_ID, MAX_BLOCKS, MAX_LOGS, yearOf } from "./size.ts";

const year = new Year(yearOf(Number(process.argv[2])));
const head = year.lastBlock + 100;
let [asked, over] = [0, 0];

const hex = (value: number): string => `0x${value.toString(16)}`;
const hash = (block: number): string => `0x${block.toString(16).padStart(64, "b")}`;

function block(tag: unknown): object | null {
  // Nodes behind one address are not all at the same block.
  const newest = head - (asked % 5 === 0 ? 3 : 0);
  const number = tag === "latest" || tag === "pending" ? newest : tag === "earliest" ? 0 : Number(tag);
  if (!Number.isSafeInteger(number) || number > head) return null;
  return {
    number: hex(number),
    hash: hash(number),
    parentHash: hash(Math.max(0, number - 1)),
    timestamp: hex(timeOf(number)),
    gasLimit: "0x17d78400",
    gasUsed: "0x0",
    miner: `0x${"0".repeat(40)}`,
    extraData: "0x",
    nonce: "0x0000000000000000",
    difficulty: "0x0",
    baseFeePerGas: "0x4c4b40",
    transactions: [],
  };
}

/** Logs as JSON text: most of this process's time would go into building objects for it. */
function logsText(logs: readonly RawLog[]): string {
  const parts: string[] = [];
  let [at, index] = [-1, 0];
  for (const { block: number, address, topics, data } of logs) {
    index = number === at ? index + 1 : 0;
    at = number;
    parts.push(
      `{"address":"${address}","topics":["${topics.join('","')}"],"data":"${data}","blockNumber":"${hex(number)}","blockHash":"${hash(number)}","transactionHash":"${hash(number * 64)}","transactionIndex":"0x0","logIndex":"${hex(index)}","removed":false}`,
    );
  }
  return `[${parts.join(",")}]`;
}

interface Filter {
  readonly fromBlock: string;
  readonly toBlock: string;
  readonly topics: readonly (readonly string[] | null)[];
}

function getLogs(filter: Filter): string | { code: number; message: string } {
  const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)];
  if (to - from >= MAX_BLOCKS) return { code: -32602, message: `block range is limited to ${String(MAX_BLOCKS)}` };
  const wanted = new Set(filter.topics[0]);
  const logs = year.logs(from, to).filter(({ topics }) => wanted.has(topics[0] ?? ""));
  if (logs.length <= MAX_LOGS) return logsText(logs);
  over += 1;
  if (over % 2 === 0) return logsText(logs.slice(0, MAX_LOGS));
  return { code: -32005, message: `query returned more than ${String(MAX_LOGS)} results` };
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

function answer({ id, method, params }: Call): string {
  const result = (json: string) => `{"jsonrpc":"2.0","id":${String(id)},"result":${json}}`;
  switch (method) {
    case "eth_chainId":
      return result(JSON.stringify(hex(CHAIN_ID)));
    case "eth_blockNumber":
      return result(JSON.stringify(hex(head)));
    case "eth_getBlockByNumber":
      return result(JSON.stringify(block(params[0])));
    case "eth_getLogs": {
      const found = getLogs(params[0] as Filter);
      if (typeof found === "string") return result(found);
      return JSON.stringify({ jsonrpc: "2.0", id, error: found });
    }
    default:
      return JSON.stringify({
        jsonrpc: "2.0",
        id,
        error: { code: -32601, message: `the method ${method} does not exist` },
      });
  }
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    asked += 1;
    if (asked % 97 === 0) {
      response.writeHead(429, { "retry-after": "0" }).end("slow down");
      return;
    }
    const calls = JSON.parse(body) as Call | Call[];
    const text = Array.isArray(calls) ? `[${calls.map(answer).join(",")}]` : answer(calls);
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
      .end(text);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${String((server.address() as AddressInfo).port)}\n`);
});
process.on("disconnect", () => process.exit());
