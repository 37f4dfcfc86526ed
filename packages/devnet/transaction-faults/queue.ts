import { parseUnits } from "ethers";

import type { FaultCase } from "../fault-case.ts";
import { failureOf, must, onBench, sentFailureOf, STUCK_MS } from "./bench.ts";
import { only } from "./faulty-rpc.ts";

/** Requests that wait for one another, hang, or are overtaken by the end of the process. */
export const queueFaults: readonly FaultCase[] = [
  {
    name: "queue: an urgent request comes while others wait",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const queue = await bench.queue({ stuckAfterMs: 5000 });
      const order: string[] = [];
      const send = (label: string, urgent: boolean) =>
        queue.submit({
          label,
          urgent,
          prepare: () => {
            order.push(label);
            return bench.pay();
          },
        });
      const sent = [send("first", false), send("first other", false), send("second other", false)];
      await bench.until("sent");
      sent.push(send("expire", true));
      await bench.automine(true);
      await Promise.all(sent);
      must(order.join() === "first,expire,first other,second other", `the order was ${order.join()}`);
      await bench.mustHavePaid(4);
    }),
  },
  {
    name: "queue: the process stops behind a stuck transaction, and the next run settles it",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const stop = new AbortController();
      const { journal } = bench;
      const queue = await bench.queue({ journal, stop: stop.signal, stopGraceMs: 100, stuckAfterMs: 5000 });
      const stuck = sentFailureOf(
        queue.submit({ label: "stuck", prepare: bench.pay }),
        () => bench.of("sent")[0]?.hash,
      );
      await bench.until("sent");
      const waiting = failureOf(queue.submit({ label: "waiting", prepare: bench.pay }));
      const started = performance.now();
      stop.abort(new Error("SIGTERM"));
      must((await waiting).code === "STOPPING", "what was not sent was not given up");
      await stuck;
      must(performance.now() - started < 1500, "it waited behind the stuck one");
      must((await failureOf(queue.submit({ label: "late", prepare: bench.pay }))).code === "STOPPING", "it goes on");
      await bench.automine(true);
      await (await bench.queue({ journal })).recover();
      must(
        bench.of("confirmed").some(({ label }) => label === "stuck"),
        "the next run did not settle it",
      );
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "queue: an urgent request while the process stops is still sent",
    run: onBench(async (bench) => {
      const stop = new AbortController();
      const queue = await bench.queue({ stop: stop.signal });
      stop.abort(new Error("SIGTERM"));
      must(
        (await queue.submit({ label: "release", urgent: true, prepare: bench.pay }))?.status === 1,
        "it was not sent",
      );
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "queue: a preparation that never ends",
    run: onBench(async (bench) => {
      const queue = await bench.queue({ deadlineMs: 200 });
      const never = new Promise<null>(() => undefined);
      const error = await failureOf(queue.submit({ label: "hangs", prepare: () => never }));
      must(error.code === "NOT_SENT_IN_TIME", `the error is ${error.code}: ${error.message}`);
      await bench.mustHavePaid(0);
    }),
  },
  {
    name: "queue: a request whose turn does not come in time names what is before it",
    slow: true,
    run: onBench(async (bench) => {
      await bench.automine(false);
      const queue = await bench.queue({ maxFeePerGas: parseUnits("20", "gwei"), deadlineMs: 6 * STUCK_MS });
      const first = sentFailureOf(
        queue.submit({ label: "first", prepare: bench.pay }),
        () => bench.of("sent")[0]?.hash,
      );
      await first.catch(() => undefined);
      const error = await failureOf(queue.submit({ label: "second", prepare: bench.pay }));
      must(error.code === "NOT_SENT_IN_TIME", `the error is ${error.code}: ${error.message}`);
      must(/"first" \(nonce 0, 0x[0-9a-f]{64}\)/.test(error.message), `what is before it is missing: ${error.message}`);
      await bench.automine(true);
      await queue.recover();
    }),
  },
  {
    name: "queue: every answer hangs once the transaction is sent",
    run: onBench(async (bench) => {
      let sent = false;
      bench.rpc.misbehave = async (call, forward) => {
        if (sent) return new Promise(() => undefined);
        const answer = await forward();
        if (call.method === "eth_sendRawTransaction") sent = true;
        return answer;
      };
      const queue = await bench.queue({ deadlineMs: 600 });
      const started = performance.now();
      await sentFailureOf(queue.submit({ label: "pay", prepare: bench.pay }), () => bench.of("sent")[0]?.hash);
      must(performance.now() - started < 3000, "the deadline did not hold");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "queue: the caller gives up while the transaction is handed over",
    run: onBench(async (bench) => {
      const controller = new AbortController();
      bench.rpc.misbehave = only(/sendRaw/, async (_, forward) => {
        const answer = await forward();
        controller.abort(new Error("given up"));
        return answer;
      });
      const queue = await bench.queue();
      const { signal } = controller;
      const error = await failureOf(queue.submit({ label: "pay", prepare: bench.pay, signal }));
      must(error.code === "SENT_UNCONFIRMED", `it reads as not sent: ${error.message}`);
      await queue.recover();
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "queue: the record of a signature cannot be written",
    run: onBench(async (bench) => {
      const queue = await bench.queue();
      const signed = () => Promise.reject(new Error("disk full"));
      const error: unknown = await queue
        .submit({ label: "pay", prepare: bench.pay, signed })
        .catch((each: unknown) => each);
      must(error instanceof Error && error.message === "disk full", `the error is ${String(error)}`);
      must(bench.of("sent").length === 0, "it was sent all the same");
      await bench.mustHavePaid(0);
    }),
  },
];
