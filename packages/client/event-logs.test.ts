import assert from "node:assert/strict";
import { test } from "node:test";

import { RpcUnavailableError } from "./errors.ts";
import { type LogFilter, LogScanner } from "./event-logs.ts";

const CONTRACT = `0x${"c0".repeat(20)}`;
const GRANTED = `0x${"01".repeat(32)}`;
const FILTER: LogFilter = { address: [CONTRACT], topics: [[GRANTED]] };

function log(block: number, index = 0, more: object = {}) {
  const blockHash = `0x${block.toString(16).padStart(64, "0")}`;
  return {
    address: CONTRACT,
    topics: [GRANTED],
    data: "0x",
    blockNumber: `0x${block.toString(16)}`,
    blockHash,
    logIndex: index,
    ...more,
  };
}

/** An endpoint with a log in each of some blocks. */
function endpoint(
  blocks: readonly number[],
  refuse: (from: number, to: number, found: number) => unknown = () => undefined,
) {
  const asked: [number, number][] = [];
  const send = async (_: string, [filter]: unknown[]): Promise<unknown> => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    asked.push([from, to]);
    const found = blocks.filter((block) => block >= from && block <= to);
    const refused = refuse(from, to, found.length);
    if (refused instanceof Error) throw refused;
    return refused ?? found.map((block) => log(block));
  };
  return { asked, scanner: (most?: number) => new LogScanner({ send }, most) };
}

const blocksOf = (logs: readonly { block: number }[]) => logs.map(({ block }) => block);

test("every block is asked for once, in ranges", async () => {
  const { asked, scanner } = endpoint([3, 40, 99]);
  assert.deepEqual(blocksOf(await scanner(30).scan(FILTER, 1, 100)), [3, 40, 99]);
  assert.deepEqual(asked, [
    [1, 30],
    [31, 60],
    [61, 90],
    [91, 100],
  ]);
});

test("an endpoint that takes small ranges alone gets small ones, whatever it calls them", async () => {
  for (const said of [
    "eth_getLogs is limited to a 10 range",
    "query returned more than 10000 results",
    "block range too large",
  ]) {
    const { asked, scanner } = endpoint([5, 77], (from, to) => (to - from >= 10 ? new Error(said) : undefined));
    assert.deepEqual(blocksOf(await scanner(100).scan(FILTER, 1, 100)), [5, 77], said);
    assert.ok(asked.length < 40, `${String(asked.length)} requests`);
  }
});

test("a range grows again when the endpoint does well", async () => {
  const { scanner } = endpoint([], (from) => (from < 200 ? undefined : undefined));
  const one = scanner(64);
  const failing = endpoint([], (from, to) => (from === 1 && to > 16 ? new Error("range too large") : undefined));
  const other = failing.scanner(64);
  await other.scan(FILTER, 1, 600);
  assert.equal(other.range, 64);
  assert.equal(one.range, 64);
});

test("an answer that may have been cut off is asked for again in halves", async () => {
  const blocks = Array.from({ length: 1_500 }, (_, i) => i + 1);
  const { scanner } = endpoint(blocks, (from, _, found) =>
    found > 1_000 ? Array.from({ length: 1_000 }, (__, i) => log(from + i)) : undefined,
  );
  assert.equal((await scanner().scan(FILTER, 1, 2_000)).length, 1_500);
});

test("what was not asked for is no answer", async () => {
  const wrong = [
    log(500),
    log(5, 0, { address: `0x${"aa".repeat(20)}` }),
    log(5, 0, { topics: [`0x${"02".repeat(32)}`] }),
    log(5, 0, { removed: true }),
    log(5, 0, { blockHash: null }),
  ];
  for (const one of wrong) {
    const { scanner } = endpoint([], () => [one]);
    await assert.rejects(
      scanner().scan(FILTER, 1, 10),
      (error) => error instanceof RpcUnavailableError,
      JSON.stringify(one),
    );
  }
  const { scanner } = endpoint([], () => [log(5), log(5, 1, { blockHash: `0x${"ff".repeat(32)}` })]);
  await assert.rejects(scanner().scan(FILTER, 1, 10), /two blocks 5/);
});

test("a scan backwards ends when enough was found", async () => {
  const { asked, scanner } = endpoint([12, 55, 91]);
  const seen: number[] = [];
  await scanner(20).back(FILTER, 100, 1, (logs) => {
    seen.push(...blocksOf(logs));
    return seen.length >= 2;
  });
  assert.deepEqual(seen, [91, 55]);
  assert.deepEqual(asked, [
    [81, 100],
    [61, 80],
    [41, 60],
  ]);
});

test("other failures are told, not hidden by smaller ranges", async () => {
  const { asked, scanner } = endpoint([], () => new RpcUnavailableError("connection", "no answer"));
  await assert.rejects(scanner().scan(FILTER, 1, 100), /no answer/);
  assert.equal(asked.length, 1);
});

test("a larger range that is too much again and again is tried less and less often", async () => {
  const { asked, scanner } = endpoint([], (from, to) => (to - from >= 10 ? new Error("range too large") : undefined));
  const one = scanner(1_000);
  await one.scan(FILTER, 1, 10_000);
  const refused = asked.filter(([from, to]) => to - from >= 10);
  // Each tenth would be, if it were tried after every eight.
  assert.ok(refused.length < asked.length / 20, `${String(refused.length)} of ${String(asked.length)}`);
});

test("ranges are asked for ahead of the one that is taken, and taken in order, whatever is cut", async () => {
  const blocks = Array.from({ length: 100 }, (_, i) => i + 1);
  const { asked, scanner } = endpoint(blocks, (from, to) =>
    // All that is more than five blocks is too much around the middle.
    to - from >= 5 && from < 60 && to > 40 ? new Error("too many results") : undefined,
  );
  const [taken, ends, told]: [number[], number[], number[]] = [[], [], []];
  let most = 0;
  const take = async (logs: readonly { block: number }[], through: number) => {
    most = Math.max(most, asked.filter(([from]) => from > through).length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    taken.push(...blocksOf(logs));
    ends.push(through);
  };
  await scanner(10).each(FILTER, 1, 100, take, { ahead: 3, onAsk: (through) => told.push(through) });
  assert.deepEqual(taken, blocks);
  assert.deepEqual(
    ends,
    [...ends].sort((a, b) => a - b),
  );
  assert.ok(most >= 2, "answers are under way while one is taken");
  for (const end of ends) assert.ok(told.includes(end), `${String(end)} was told before`);
  // Nothing is asked for ahead unless that is wanted.
  const slow = endpoint(blocks);
  await slow.scanner(10).each(FILTER, 1, 100, (_, through) => {
    assert.ok(slow.asked.every(([from]) => from <= through));
  });
});

test("an answer that fails, or a taking that fails, ends the reading with all before it taken", async () => {
  const blocks = [5, 15, 25, 35];
  const { scanner } = endpoint(blocks, (from) =>
    from === 21 ? new RpcUnavailableError("connection", "gone") : undefined,
  );
  const taken: number[] = [];
  const take = (logs: readonly { block: number }[]) => {
    taken.push(...blocksOf(logs));
  };
  await assert.rejects(scanner(10).each(FILTER, 1, 40, take, { ahead: 3 }), /gone/);
  assert.deepEqual(taken, [5, 15]);
  const fail = () => {
    throw new Error("disk full");
  };
  await assert.rejects(endpoint(blocks).scanner(10).each(FILTER, 1, 40, fail, { ahead: 3 }), /disk full/);
});
