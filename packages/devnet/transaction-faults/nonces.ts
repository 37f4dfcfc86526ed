import { readFile, rm, writeFile } from "node:fs/promises";

import { keccak256, parseUnits } from "ethers";

import { Journal } from "@verai/client/tx/queue";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { FaultCase } from "../fault-case.ts";
import { failureOf, type QueueBench, must, onBench, STUCK_MS } from "./bench.ts";
import { altered, type Misbehaviour, only, refuses } from "./faulty-rpc.ts";

const COUNT = /^eth_getTransactionCount$/;

/** Several requests under a misbehaviour: each is paid once. */
function eachPaidOnce(name: string, requests: number, misbehaviour: () => Misbehaviour): FaultCase {
  return {
    name: `nonces: ${name}`,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = misbehaviour();
      const queue = await bench.queue();
      for (let i = 0; i < requests; i++) {
        must((await queue.submit({ label: `pay ${String(i)}`, prepare: bench.pay }))?.status === 1, "no receipt");
      }
      await bench.mustHavePaid(requests);
    }),
  };
}

/** Counts that are lower by one whenever `lags` says so. */
function lagging(lags: (call: number) => boolean): Misbehaviour {
  let calls = 0;
  return only(COUNT, async (_, forward) => {
    const { result } = await forward();
    const count = Number(result);
    return { result: `0x${(lags(calls++) ? Math.max(0, count - 1) : count).toString(16)}` };
  });
}

/** A transaction of the account that another program sends straight to the node. */
async function foreign(bench: QueueBench, nonce: number, gwei = "50"): Promise<string> {
  const fees = { maxFeePerGas: parseUnits("500", "gwei"), maxPriorityFeePerGas: parseUnits(gwei, "gwei") };
  const raw = await bench.signer.signTransaction({
    type: 2,
    chainId: LOCAL_CHAIN_ID,
    nonce,
    to: bench.signer.address,
    gasLimit: 21_000n,
    ...fees,
  });
  await bench.node.send("eth_sendRawTransaction", [raw]);
  return keccak256(raw);
}

/** A signed payment that is in the journal and was never sent, as after a crash in between. */
async function noteUnsent(bench: QueueBench, nonce: number): Promise<string> {
  const raw = await bench.signer.signTransaction({
    type: 2,
    chainId: LOCAL_CHAIN_ID,
    nonce,
    to: bench.receiver,
    value: 1n,
    gasLimit: 21_000n,
    maxFeePerGas: parseUnits("3", "gwei"),
    maxPriorityFeePerGas: parseUnits("1", "gwei"),
  });
  const journal = await Journal.open(bench.journal, { chainId: LOCAL_CHAIN_ID, address: bench.signer.address });
  const fees = { maxFeePerGas: "3000000000", maxPriorityFeePerGas: "1000000000" };
  await journal.put({ nonce, label: "unsent", sent: [{ hash: keccak256(raw), ...fees, cancels: false, raw }] });
  return raw;
}

/** The chain's own blocks count as safe only up to this one. */
function safeUpTo(block: number, count: number): Misbehaviour {
  return (call, forward) => {
    if (call.method === "eth_getBlockByNumber" && call.params[0] === "safe") {
      return { result: { number: `0x${block.toString(16)}`, hash: `0x${"ab".repeat(32)}`, transactions: [] } };
    }
    return COUNT.test(call.method) && call.params[1] === "safe" ? { result: `0x${count.toString(16)}` } : forward();
  };
}

/** Counts that lie, programs that share a key, reorganisations, crashes and damaged journals. */
export const nonceFaults: readonly FaultCase[] = [
  eachPaidOnce("counts that are always one too low", 3, () => lagging(() => true)),
  eachPaidOnce("counts that are one too low every other time", 4, () => lagging((call) => call % 2 === 0)),
  eachPaidOnce("no pending block", 2, () =>
    only(COUNT, ({ params }, forward) =>
      params[1] === "pending" ? { error: { code: -32602, message: "pending block is not available" } } : forward(),
    ),
  ),
  eachPaidOnce("a pending count below the newest one", 2, () =>
    only(COUNT, ({ params }, forward) => (params[1] === "pending" ? { result: "0x0" } : forward())),
  ),
  eachPaidOnce("an absurd pending count", 2, () =>
    only(COUNT, ({ params }, forward) => (params[1] === "pending" ? { result: "0xffffffffff" } : forward())),
  ),
  eachPaidOnce(
    "no safe block",
    2,
    () => (call, forward) =>
      call.params.includes("safe") ? { error: { code: -39001, message: "Unknown block" } } : forward(),
  ),
  eachPaidOnce("a node that keeps no older states", 2, () =>
    only(COUNT, ({ params }, forward) =>
      /^0x/.test(String(params[1])) ? { error: { code: -32000, message: "missing trie node" } } : forward(),
    ),
  ),
  {
    name: "nonces: counts that are null",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(COUNT, () => ({ result: null }));
      const queue = await bench.queue();
      const error = await failureOf(queue.submit({ label: "pay", prepare: bench.pay }));
      must(error.code === "RPC_UNAVAILABLE", `the error is ${error.code}: ${error.message}`);
      bench.rpc.heal();
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: another program uses the nonce, and the endpoint keeps no older states",
    run: onBench(async (bench) => {
      await bench.automine(false);
      bench.rpc.misbehave = only(COUNT, ({ params }, forward) =>
        /^0x/.test(String(params[1])) ? { error: { code: -32000, message: "missing trie node" } } : forward(),
      );
      const sending = (await bench.queue({ stuckAfterMs: 5000 })).submit({ label: "pay", prepare: bench.pay });
      await bench.until("sent");
      const hash = await foreign(bench, 0);
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      must(bench.of("displaced")[0]?.by === hash, "the other transaction was not seen");
      await bench.mustHavePaid(1, 2);
    }),
  },
  {
    name: "nonces: another program uses the nonce in a block that is not safe yet",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const head = (await bench.node.getBlock("latest"))?.number ?? 0;
      const sending = (await bench.queue({ stuckAfterMs: 5000 })).submit({ label: "pay", prepare: bench.pay });
      await bench.until("sent");
      await foreign(bench, 0);
      let safe = safeUpTo(head, 0);
      let looks = 0;
      bench.rpc.misbehave = (call, forward) => {
        if (call.params[0] === "safe") looks += 1;
        return safe(call, forward);
      };
      await bench.automine(true);
      for (let i = 0; i < 400 && looks < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      must(looks >= 5 && bench.of("displaced").length === 0, "it was given up before the block was safe");
      safe = (_, forward) => forward();
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1, 2);
    }),
  },
  {
    name: "nonces: the nonce is used, and no block shows by whom",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const sending = failureOf((await bench.queue()).submit({ label: "pay", prepare: bench.pay }));
      await bench.until("sent");
      const hash = bench.of("sent")[0]?.hash ?? "";
      const hidden = only(
        /^eth_getBlockByNumber$/,
        altered((block) => ({ ...block, transactions: [] })),
      );
      bench.rpc.misbehave = (call, forward) =>
        call.method === "eth_getTransactionReceipt" ? { result: null } : hidden(call, forward);
      await bench.automine(true);
      const error = await sending;
      must(error.code === "SENT_UNCONFIRMED" && error.message.includes(hash), error.message);
      must(bench.of("displaced").length === 0, "it was called displaced");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: two processes with one key",
    run: onBench(async (bench) => {
      const [one, other] = [await bench.queue(), await bench.queue()];
      const sent = await Promise.allSettled(
        // Each a little different, or both would sign the very same transaction.
        [one, other, one, other].map((queue, i) =>
          queue.submit({ label: `pay ${String(i)}`, prepare: () => ({ ...bench.pay(), data: `0x0${String(i)}` }) }),
        ),
      );
      const paid = sent.filter(({ status }) => status === "fulfilled").length;
      const failed = sent.flatMap((each) => (each.status === "rejected" ? [each.reason as { code?: string }] : []));
      must(
        failed.every(({ code }) => code === "NONCE_CONTESTED"),
        `failed with ${failed[0]?.code ?? "nothing"}`,
      );
      must(Number(await bench.node.getBalance(bench.receiver)) === paid, "paid more than once, or never");
    }),
  },
  {
    name: "nonces: a reorganisation undoes what was confirmed, before it was safe",
    run: onBench(async (bench) => {
      const head = (await bench.node.getBlock("latest"))?.number ?? 0;
      bench.rpc.misbehave = safeUpTo(head, 0);
      const snapshot: unknown = await bench.node.send("evm_snapshot", []);
      const { journal } = bench;
      must(
        (await (await bench.queue({ journal })).submit({ label: "pay", prepare: bench.pay }))?.status === 1,
        "no receipt",
      );
      await bench.node.send("evm_revert", [snapshot]);
      must((await bench.node.getBalance(bench.receiver)) === 0n, "nothing was undone");
      // Another block takes its place.
      await bench.mine();
      await (await bench.queue({ journal })).recover();
      must(bench.of("reorganised").length === 1, `it was not noticed (${bench.kinds()})`);
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: a chain that forgets a safe block does not stop the queue for ever",
    run: onBench(async (bench) => {
      const snapshot: unknown = await bench.node.send("evm_snapshot", []);
      const queue = await bench.queue();
      await queue.submit({ label: "pay", prepare: bench.pay });
      await bench.node.send("evm_revert", [snapshot]);
      await bench.mine();
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: what is confirmed stays in the journal until its block is safe",
    run: onBench(async (bench) => {
      const head = (await bench.node.getBlock("latest"))?.number ?? 0;
      bench.rpc.misbehave = safeUpTo(head, 0);
      const queue = await bench.queue({ journal: bench.journal });
      const hash = (await queue.submit({ label: "one", prepare: bench.pay }))?.hash ?? "";
      must((await readFile(bench.journal, "utf8")).includes(hash), "it left the journal too early");
      bench.rpc.heal();
      await queue.submit({ label: "two", prepare: bench.pay });
      must(!(await readFile(bench.journal, "utf8")).includes(hash), "it stays in the journal for ever");
      await bench.mustHavePaid(2);
    }),
  },
  {
    name: "nonces: a crash between noting and sending; the unsent one turns up later",
    run: onBench(async (bench) => {
      const raw = await noteUnsent(bench, 0);
      const queue = await bench.queue({ journal: bench.journal });
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.node.send("eth_sendRawTransaction", [raw]).catch(() => undefined);
      await bench.mine();
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: the unsent one turns up first, and the new request is prepared again",
    run: onBench(async (bench) => {
      const raw = await noteUnsent(bench, 0);
      await bench.automine(false);
      const prepare = async () => ((await bench.node.getBalance(bench.receiver)) > 0n ? null : bench.pay());
      let sent = false;
      // The node takes the old one in place of the new.
      bench.rpc.misbehave = only(/sendRaw/, async (_, forward) => {
        if (!sent) await bench.node.send("eth_sendRawTransaction", [raw]);
        sent = true;
        return bench.of("bumped").length > 100
          ? forward()
          : { error: { code: -32000, message: "replacement transaction underpriced" } };
      });
      const sending = (await bench.queue({ journal: bench.journal, stuckAfterMs: 5000 })).submit({
        label: "pay",
        prepare,
      });
      await bench.until("sent");
      await bench.automine(true);
      must((await sending) === null, "it was paid again");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "nonces: a gap after a restart",
    run: onBench(async (bench) => {
      const raw = await noteUnsent(bench, 2);
      await bench.automine(false);
      await bench.node.send("eth_sendRawTransaction", [raw]);
      await bench.automine(true);
      const queue = await bench.queue({ journal: bench.journal });
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      // The one behind the gap, two that fill it, and the new one.
      await bench.mustHavePaid(2, 4);
    }),
  },
  {
    name: "nonces: an entry far ahead of the account",
    run: onBench(async (bench) => {
      await noteUnsent(bench, 40_000);
      const queue = await bench.queue({ journal: bench.journal });
      must((await queue.submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  ...(["cut in half", "emptied", "deleted"] as const).map((damage): FaultCase => ({
    name: `nonces: a journal that is ${damage} while a transaction is in flight`,
    run: onBench(async (bench) => {
      const { journal } = bench;
      await bench.automine(false);
      const controller = new AbortController();
      const { signal } = controller;
      const sending = (await bench.queue({ journal })).submit({ label: "pay", prepare: bench.pay, signal });
      await bench.until("sent");
      controller.abort(new Error("killed"));
      must((await failureOf(sending)).code === "SENT_UNCONFIRMED", "it reads as not sent");
      const text = await readFile(journal, "utf8");
      if (damage === "deleted") await rm(journal);
      else await writeFile(journal, damage === "emptied" ? "" : text.slice(0, text.length / 2));
      const prepare = async () => ((await bench.node.getBalance(bench.receiver)) > 0n ? null : bench.pay());
      const again = (await bench.queue({ journal, stuckAfterMs: 5000 })).submit({ label: "again", prepare });
      await bench.until("adopted");
      await bench.automine(true);
      must((await again) === null, "it was paid again");
      await bench.mustHavePaid(1);
    }),
  })),
  {
    name: "nonces: a journal that cannot be written",
    run: onBench(async (bench) => {
      const queue = await bench.queue({ journal: `${bench.journal}/journal.json` });
      await writeFile(bench.journal, "a file where a folder is needed");
      const error = await failureOf(queue.submit({ label: "pay", prepare: bench.pay }));
      must(error.code === "JOURNAL_FAILED", `the error is ${error.code}: ${error.message}`);
      await bench.mustHavePaid(0);
    }),
  },
  {
    name: "nonces: somebody else's transaction that is stuck and worth more",
    slow: true,
    run: onBench(async (bench) => {
      await bench.automine(false);
      await foreign(bench, 0, "3");
      const sending = (await bench.queue()).submit({ label: "pay", prepare: bench.pay });
      await bench.until("cancelled");
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1, 2);
    }),
  },
  {
    name: "nonces: a node that refuses counts while a transaction is in flight",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const sending = (await bench.queue({ stuckAfterMs: 20 * STUCK_MS })).submit({ label: "pay", prepare: bench.pay });
      await bench.until("sent");
      bench.rpc.misbehave = only(COUNT, refuses("header not found"), 10);
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
];
