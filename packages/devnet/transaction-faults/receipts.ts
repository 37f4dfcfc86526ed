import { setTimeout as delay } from "node:timers/promises";

import { parseEther } from "ethers";

import type { FaultCase } from "../fault-case.ts";
import { failureOf, type QueueBench, must, onBench, sentFailureOf, STUCK_MS } from "./bench.ts";
import { altered, doesAndSays, type Misbehaviour, only, refuses } from "./faulty-rpc.ts";

const RECEIPT = /^eth_getTransactionReceipt$/;

/** Reads that misbehave before the endpoint behaves: more than the provider tries for one answer. */
const FEW = 8;

/** One request under a misbehaviour: it is confirmed, and paid once with one transaction. */
function paidOnce(name: string, misbehave: () => Misbehaviour): FaultCase {
  return {
    name: `receipts: ${name}`,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = misbehave();
      const receipt = await (await bench.queue()).submit({ label: "pay", prepare: bench.pay });
      must(receipt?.status === 1, "no receipt");
      must(bench.of("displaced").length === 0, "it was called displaced");
      await bench.mustHavePaid(1);
    }),
  };
}

const receipt = (misbehaviour: Misbehaviour, times = FEW) => paidOnceWhile(misbehaviour, times);
function paidOnceWhile(misbehaviour: Misbehaviour, times: number): () => Misbehaviour {
  return () => only(RECEIPT, misbehaviour, times);
}
const OTHER = `0x${"cd".repeat(32)}`;

/** Endpoints that lose, hide, garble or fake receipts. */
export const receiptFaults: readonly FaultCase[] = [
  paidOnce(
    "late by many looks",
    receipt(() => ({ result: null }), 30),
  ),
  paidOnce("-32603 while waiting", receipt(refuses("Internal error", -32603))),
  paidOnce("-32011 no backend while waiting", receipt(refuses("no backend is currently healthy", -32011))),
  paidOnce("an unknown error while waiting", receipt(refuses("flux capacitor drained", 19))),
  paidOnce("reverted said of the receipt itself", receipt(refuses("execution reverted", 3))),
  paidOnce(
    "an l1Fee of null",
    receipt(
      altered((each) => ({ ...each, l1Fee: null })),
      Infinity,
    ),
  ),
  paidOnce(
    "an l1Fee that is no number",
    receipt(
      altered((each) => ({ ...each, l1Fee: "a lot" })),
      Infinity,
    ),
  ),
  paidOnce(
    "no effectiveGasPrice",
    receipt(
      altered(({ effectiveGasPrice: _, ...rest }) => rest),
      Infinity,
    ),
  ),
  paidOnce(
    "a gasUsed of null at first",
    receipt(
      altered((each) => ({ ...each, gasUsed: null })),
      FEW,
    ),
  ),
  paidOnce(
    "neither bloom, index nor cumulative gas",
    receipt(
      altered(({ logsBloom: _, cumulativeGasUsed: __, transactionIndex: ___, ...rest }) => rest),
      Infinity,
    ),
  ),
  paidOnce("without logs at first", receipt(altered(({ logs: _, ...rest }) => rest))),
  paidOnce("without a status at first", receipt(altered(({ status: _, ...rest }) => rest))),
  paidOnce("of another transaction at first", receipt(altered((each) => ({ ...each, transactionHash: OTHER })))),
  paidOnce("of another sender at first", receipt(altered((each) => ({ ...each, from: `0x${"12".repeat(20)}` })))),
  paidOnce("in a block that the chain does not have", receipt(altered((each) => ({ ...each, blockHash: OTHER })))),
  paidOnce("in a block of the future", receipt(altered((each) => ({ ...each, blockNumber: "0xffffff" })))),
  paidOnce("a list in their place", receipt(altered((each) => [each]))),
  paidOnce(
    "failed at first, by a receipt of a block that is gone",
    receipt(altered((each) => ({ ...each, status: "0x0", blockHash: OTHER }))),
  ),
  paidOnce("the block that holds it cannot be read at first", () => {
    let sent = false;
    const blocks = only(/^eth_getBlockByNumber$/, () => ({ result: null }), FEW);
    return (call, forward) => {
      if (call.method === "eth_sendRawTransaction") sent = true;
      return sent ? blocks(call, forward) : forward();
    };
  }),
  {
    name: "receipts: a body that is null",
    run: onBench(async (bench) => {
      let left = FEW;
      bench.rpc.http = (calls, response) => {
        if (!calls.some(({ method }) => RECEIPT.test(method)) || left-- <= 0) return false;
        response.writeHead(200, { "content-type": "application/json" });
        response.end("null");
        return true;
      };
      must((await (await bench.queue()).submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "receipts: HTTP 429 for every read while waiting",
    run: onBench(async (bench) => {
      let left = Infinity;
      bench.rpc.http = (calls, response) => {
        if (calls.some(({ method }) => method === "eth_sendRawTransaction")) left = 5;
        if (left === Infinity || left-- <= 0 || calls.some(({ method }) => /sendRaw/.test(method))) return false;
        response.writeHead(429);
        response.end();
        return true;
      };
      must((await (await bench.queue()).submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "receipts: one that is faked while the transaction waits",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const head = await bench.node.getBlock("latest");
      let served = 0;
      bench.rpc.misbehave = only(RECEIPT, ({ params: [hash] }) => {
        served += 1;
        return { result: fakeReceipt(bench, hash, head?.number) };
      });
      const sending = (await bench.queue({ stuckAfterMs: 5000 })).submit({ label: "pay", prepare: bench.pay });
      for (let i = 0; i < 400 && served < 5; i++) await delay(10);
      must(bench.of("confirmed").length === 0, "the faked receipt was believed");
      bench.rpc.heal();
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "receipts: hidden for ever, although the block shows the transaction",
    slow: true,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(RECEIPT, () => ({ result: null }));
      const queue = await bench.queue({ deadlineMs: 6 * STUCK_MS });
      await sentFailureOf(queue.submit({ label: "pay", prepare: bench.pay }), () => bench.of("sent")[0]?.hash);
      must(bench.of("displaced").length === 0, "it was called displaced");
      bench.rpc.heal();
      must((await queue.submit({ label: "next", prepare: bench.pay }))?.status === 1, "the next one was not sent");
      await bench.mustHavePaid(2);
    }),
  },
  {
    name: "receipts and counts hidden: the error says that it was sent, and the next request waits for it",
    run: onBench(async (bench) => {
      const queue = await bench.queue({ deadlineMs: 3 * STUCK_MS });
      const hidden = only(RECEIPT, () => ({ result: null }));
      bench.rpc.misbehave = (call, forward) =>
        call.method === "eth_getTransactionCount" ? { result: "0x0" } : hidden(call, forward);
      await sentFailureOf(queue.submit({ label: "pay", prepare: bench.pay }), () => bench.of("sent")[0]?.hash);
      bench.rpc.heal();
      const again = await queue.submit({
        label: "again",
        prepare: async () => ((await bench.node.getBalance(bench.receiver)) > 0n ? null : bench.pay()),
      });
      must(again === null, "it was paid again");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "receipts: every read fails after a revert; the error names the hash all the same",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const sending = failureOf(
        (await bench.queue()).submit({ label: "pay", prepare: () => ({ to: bench.receiver }) }),
      );
      await bench.until("sent");
      // What was simulated as a plain call now meets code that reverts.
      await bench.node.send("hardhat_setCode", [bench.receiver, "0x60006000fd"]);
      bench.rpc.misbehave = only(/^eth_(call|getTransactionByHash)$/, refuses("Internal error", -32603));
      await bench.automine(true);
      const error = await sending;
      must(/0x[0-9a-f]{64}/.test(error.message), `the hash is missing: ${error.message}`);
    }),
  },
  {
    name: "receipts: an answer that takes longer than a call may",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(RECEIPT, () => new Promise(() => undefined), 3);
      must(
        (await (await bench.queue({ callMs: 100 })).submit({ label: "pay", prepare: bench.pay }))?.status === 1,
        "no receipt",
      );
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "receipts: of a node that tells of a revert when it is handed the transaction, and mines it",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(/sendRaw/, doesAndSays("transaction reverted", -32003));
      must((await (await bench.queue()).submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
];

function fakeReceipt(bench: QueueBench, hash: unknown, head = 0): object {
  return {
    transactionHash: hash,
    transactionIndex: "0x0",
    blockNumber: `0x${(head + 1).toString(16)}`,
    blockHash: OTHER,
    from: bench.signer.address,
    to: bench.receiver,
    status: "0x1",
    logs: [],
    gasUsed: "0x5208",
    effectiveGasPrice: `0x${parseEther("0.000000001").toString(16)}`,
  };
}
