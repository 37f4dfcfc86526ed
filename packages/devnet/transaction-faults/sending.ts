import { setTimeout as delay } from "node:timers/promises";

import { parseUnits, Transaction } from "ethers";

import { TIP_FLOOR } from "@verai/client/tx/types";
import type { FaultCase } from "../fault-case.ts";
import { failureOf, type QueueBench, must, onBench, STUCK_MS } from "./bench.ts";
import { doesAndSays, HangUpError, type Misbehaviour, only, refuses } from "./faulty-rpc.ts";

const SEND = /^eth_sendRawTransaction$/;

/** A node that refuses a transaction for a reason, until it is as it wants it. */
function refusesUnless(fits: (transaction: Transaction) => boolean, message: string): Misbehaviour {
  return only(SEND, ({ params: [raw] }, forward) =>
    fits(Transaction.from(raw as string)) ? forward() : { error: { code: -32000, message } },
  );
}

/** One request under a misbehaviour: it is confirmed, and paid once. */
function paidOnce(
  name: string,
  misbehave: (bench: QueueBench) => Misbehaviour,
  then?: (bench: QueueBench) => void,
  stuckAfterMs = STUCK_MS,
): FaultCase {
  return {
    name: `sending: ${name}`,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = misbehave(bench);
      const receipt = await (await bench.queue({ stuckAfterMs })).submit({ label: "pay", prepare: bench.pay });
      must(receipt?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
      then?.(bench);
    }),
  };
}

/** Six refusals: on a busy machine they take longer than the two periods after which a transaction is given up. */
function refusedForAWhile(name: string, words: string): FaultCase {
  return paidOnce(name, () => only(SEND, refuses(words), 6), undefined, 20 * STUCK_MS);
}

/** A node that refuses for good: the error has this code and the hash, nothing is paid, and the queue goes on. */
function refused(name: string, words: string, code: string): FaultCase {
  return {
    name: `sending: ${name}`,
    run: onBench(async (bench) => {
      const raws: string[] = [];
      bench.rpc.misbehave = only(SEND, ({ params: [raw] }) => {
        raws.push(raw as string);
        return { error: { code: -32000, message: words } };
      });
      const queue = await bench.queue();
      const error = await failureOf(queue.submit({ label: "pay", prepare: bench.pay }));
      must(error.code === code, `the error is ${error.code}: ${error.message}`);
      const hash = Transaction.from(raws.at(-1) ?? "").hash ?? "";
      must(error.message.includes(hash), `the hash is missing: ${error.message}`);
      must(error.message.includes(words), `the node's words are missing: ${error.message}`);
      await bench.mustHavePaid(0);
      bench.rpc.heal();
      must((await queue.submit({ label: "next", prepare: bench.pay }))?.status === 1, "the next one was not sent");
      // Should the refused ones turn up after all, their nonce is used.
      for (const raw of raws) await bench.node.send("eth_sendRawTransaction", [raw]).catch(() => undefined);
      await bench.mustHavePaid(1);
    }),
  };
}

/** Nodes that lose, misjudge, delay or refuse what they are handed. */
export const sendingFaults: readonly FaultCase[] = [
  paidOnce("the answer is lost", () =>
    only(
      SEND,
      async (_, forward) => {
        await forward();
        throw new HangUpError();
      },
      1,
    ),
  ),
  paidOnce("the request is lost", () =>
    only(
      SEND,
      () => {
        throw new HangUpError();
      },
      2,
    ),
  ),
  paidOnce("already known, and mined", () => only(SEND, doesAndSays("already known"))),
  paidOnce("already known, though it is not", () => only(SEND, refuses("already known"), 2)),
  paidOnce("nonce too low, and mined", () => only(SEND, doesAndSays("nonce too low: next nonce 1, tx nonce 0"))),
  paidOnce("nonce too low, though it is not", () => only(SEND, refuses("nonce too low"), 2)),
  paidOnce("Internal error, and mined", () => only(SEND, doesAndSays("Internal error", -32603))),
  paidOnce("insufficient funds said by a second endpoint, and mined by the first", () =>
    only(SEND, doesAndSays("insufficient funds for gas * price + value: balance 0")),
  ),
  paidOnce("a hash of another transaction in return", () =>
    only(SEND, async (_, forward) => {
      await forward();
      return { result: `0x${"ee".repeat(32)}` };
    }),
  ),
  paidOnce("a result of null", () =>
    only(SEND, async (_, forward) => {
      await forward();
      return { result: null };
    }),
  ),
  refusedForAWhile("its pool is full for a while", "txpool is full"),
  refusedForAWhile("its pool is behind and sees a gap", "nonce too high"),
  refusedForAWhile(
    "an account with delegated code has its one place in the pool taken",
    "in-flight transaction limit reached for delegated accounts",
  ),
  paidOnce(
    "replacement underpriced, though nothing waits: the fee does not climb to the cap",
    () => only(SEND, refuses("replacement transaction underpriced"), 5),
    (bench) => {
      const fees = [...bench.of("sent"), ...bench.of("bumped")].map(({ fees: each }) => each.maxPriorityFeePerGas);
      const highest = fees.reduce((a, b) => (a > b ? a : b), 0n);
      must(highest <= parseUnits("20", "gwei"), `a tip of ${String(highest)} wei was offered`);
    },
  ),
  paidOnce("it bounds what one transaction may pay", () =>
    refusesUnless(
      ({ gasLimit, maxFeePerGas }) => gasLimit * (maxFeePerGas ?? 0n) < 100_000n * parseUnits("5", "gwei"),
      "tx fee (1.63 ether) exceeds the configured cap (1.00 ether)",
    ),
  ),
  paidOnce("a block has less gas than the limit", () =>
    refusesUnless(({ gasLimit }) => gasLimit < 50_000n, "exceeds block gas limit"),
  ),
  paidOnce("intrinsic gas too low", () =>
    refusesUnless(({ gasLimit }) => gasLimit > 200_000n, "intrinsic gas too low: gas 171000, minimum needed 190000"),
  ),
  paidOnce(
    "it asks for a minimum tip, and gets no more than that",
    (bench) => {
      const minimum = parseUnits("0.02", "gwei");
      const send = refusesUnless(
        ({ maxPriorityFeePerGas }) => (maxPriorityFeePerGas ?? 0n) >= minimum,
        `transaction underpriced: gas tip cap ${String(TIP_FLOOR)}, minimum needed ${String(minimum)}`,
      );
      void bench;
      return (call, forward) => (call.method === "eth_maxPriorityFeePerGas" ? { result: "0x0" } : send(call, forward));
    },
    (bench) => {
      const tip = bench.of("sent")[0]?.fees.maxPriorityFeePerGas ?? 0n;
      must(tip === parseUnits("0.02", "gwei"), `the tip is ${String(tip)}`);
    },
  ),
  refused("insufficient funds", "insufficient funds for gas * price + value + l1Cost", "ETH_TOO_LOW"),
  refused("invalid sender", "invalid sender", "TRANSACTION_REFUSED"),
  refused("a chain of another id", "invalid chain id for signer: have 1 want 8453", "TRANSACTION_REFUSED"),
  refused("a cap that nothing fits under", "tx fee (9 ether) exceeds the configured cap (0 ether)", "NODE_FEE_CAP"),
  {
    name: "sending: words that nobody knows, for ever",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(SEND, refuses("interop tx filtered by supervisor", -38000));
      const started = performance.now();
      const error = await failureOf((await bench.queue()).submit({ label: "pay", prepare: bench.pay }));
      must(/0x[0-9a-f]{64}/.test(error.message), `the hash is missing: ${error.message}`);
      must(performance.now() - started < 30 * STUCK_MS, "it took too long");
      await bench.mustHavePaid(0);
    }),
  },
  {
    name: "sending: a pool that stays full",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(SEND, refuses("txpool is full"));
      const queue = await bench.queue();
      const error = await failureOf(queue.submit({ label: "pay", prepare: bench.pay }));
      must(/0x[0-9a-f]{64}/.test(error.message), `the hash is missing: ${error.message}`);
      bench.rpc.heal();
      must((await queue.submit({ label: "next", prepare: bench.pay }))?.status === 1, "the next one was not sent");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "sending: no answer at all",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(SEND, () => new Promise(() => undefined), 1);
      const queue = await bench.queue({ callMs: 100 });
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "sending: lost by the pool, while the wall clock is set back an hour",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const sending = (await bench.queue()).submit({ label: "pay", prepare: bench.pay });
      await bench.until("sent");
      await bench.node.send("hardhat_dropTransaction", [bench.of("sent")[0]?.hash]);
      const real = Date.now;
      Date.now = () => real() - 3_600_000;
      try {
        await bench.until("bumped");
      } finally {
        Date.now = real;
      }
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "sending: a base fee of three times what is offered, for a while",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const sending = (await bench.queue()).submit({ label: "pay", prepare: bench.pay });
      await bench.until("sent");
      const offered = bench.of("sent")[0]?.fees.maxFeePerGas ?? 0n;
      await bench.node.send("hardhat_setNextBlockBaseFeePerGas", [`0x${(offered * 3n).toString(16)}`]);
      await bench.mine();
      for (let i = 0; i < 100 && (await bench.used()) === 0; i++) {
        await bench.mine();
        await delay(20);
      }
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
      await bench.node.send("hardhat_setNextBlockBaseFeePerGas", [`0x${parseUnits("1", "gwei").toString(16)}`]);
      await bench.mine();
    }),
  },
];
