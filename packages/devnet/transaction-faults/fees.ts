import { parseEther, parseUnits } from "ethers";

import type { FaultCase } from "../fault-case.ts";
import { failureOf, must, onBench } from "./bench.ts";
import { altered, type Misbehaviour, only, refuses } from "./faulty-rpc.ts";

const TIP = /^eth_maxPriorityFeePerGas$/;
const BLOCK = /^eth_getBlockByNumber$/;
const ESTIMATE = /^eth_estimateGas$/;

/** One request under a misbehaviour: it is confirmed with at most this tip per gas. */
function tipAtMost(name: string, most: bigint, misbehaviour: () => Misbehaviour): FaultCase {
  return {
    name: `fees: ${name}`,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = misbehaviour();
      const receipt = await (await bench.queue()).submit({ label: "pay", prepare: bench.pay });
      must(receipt?.status === 1, "no receipt");
      const tip = bench.of("sent")[0]?.fees.maxPriorityFeePerGas ?? 0n;
      must(tip > 0n && tip <= most, `a tip of ${String(tip)} wei was offered`);
      await bench.mustHavePaid(1);
    }),
  };
}

/** One request under a misbehaviour: nothing is signed, and the error says why. */
function notSent(name: string, code: string, misbehaviour: () => Misbehaviour): FaultCase {
  return {
    name: `fees: ${name}`,
    run: onBench(async (bench) => {
      bench.rpc.misbehave = misbehaviour();
      const error = await failureOf((await bench.queue()).submit({ label: "pay", prepare: bench.pay }));
      must(error.code === code, `the error is ${error.code}: ${error.message}`);
      must(bench.of("sent").length === 0, "something was sent");
      await bench.mustHavePaid(0);
    }),
  };
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

/** Nodes that exaggerate, withhold or garble what fees and gas are reckoned from. */
export const feeFaults: readonly FaultCase[] = [
  tipAtMost("a suggested tip of 400 gwei", parseUnits("20", "gwei"), () =>
    only(TIP, () => ({ result: quantity(parseUnits("400", "gwei")) })),
  ),
  tipAtMost("tip and base fee exaggerated together", parseUnits("100", "gwei"), () => {
    const blocks = only(
      BLOCK,
      altered((block) => ({ ...block, baseFeePerGas: quantity(parseUnits("300", "gwei")) })),
    );
    return (call, forward) =>
      TIP.test(call.method) ? { result: quantity(parseUnits("600", "gwei")) } : blocks(call, forward);
  }),
  tipAtMost("no method that suggests a tip", parseUnits("0.01", "gwei"), () =>
    only(TIP, refuses("the method eth_maxPriorityFeePerGas does not exist/is not available", -32601)),
  ),
  tipAtMost("a suggested tip of null", parseUnits("0.01", "gwei"), () => only(TIP, () => ({ result: null }))),
  tipAtMost("a suggested tip that is no number", parseUnits("0.01", "gwei"), () =>
    only(TIP, () => ({ result: "0xzz" })),
  ),
  tipAtMost("a suggested tip of nothing", parseUnits("0.01", "gwei"), () => only(TIP, () => ({ result: "0x0" }))),
  notSent("a base fee above the cap", "FEE_ABOVE_CAP", () =>
    only(
      BLOCK,
      altered((block) => ({ ...block, baseFeePerGas: quantity(parseUnits("5000", "gwei")) })),
    ),
  ),
  notSent("an estimate below what any transaction takes", "RPC_UNAVAILABLE", () =>
    only(ESTIMATE, () => ({ result: "0x1" })),
  ),
  notSent("an estimate of null", "RPC_UNAVAILABLE", () => only(ESTIMATE, () => ({ result: null }))),
  notSent("an estimate above what one transaction may use", "GAS_TOO_HIGH", () =>
    only(ESTIMATE, () => ({ result: "0x1000001" })),
  ),
  notSent("a balance of null", "RPC_UNAVAILABLE", () => only(/^eth_getBalance$/, () => ({ result: null }))),
  notSent("a newest block of null", "RPC_UNAVAILABLE", () => only(BLOCK, () => ({ result: null }))),
  {
    name: "fees: a base fee that is withheld",
    run: onBench(async (bench) => {
      bench.rpc.misbehave = only(
        BLOCK,
        altered((block) => ({ ...block, baseFeePerGas: "0x0" })),
      );
      must((await (await bench.queue()).submit({ label: "pay", prepare: bench.pay }))?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "fees: a transaction that stays stuck; its replacements count in the hourly budget",
    run: onBench(async (bench) => {
      await bench.automine(false);
      const budgetPerHour = parseEther("0.001");
      const sending = (await bench.queue({ budgetPerHour, stuckAfterMs: 20 })).submit({
        label: "pay",
        prepare: bench.pay,
      });
      for (let i = 1; !bench.of("stuck").some(({ error }) => error.code === "BUDGET_SPENT"); i++) {
        await bench.until("stuck", i);
      }
      const offers = [...bench.of("sent"), ...bench.of("bumped")].map(({ fees }) => fees.maxFeePerGas);
      const gasLimit = bench.of("sent")[0]?.gasLimit ?? 0n;
      must(
        offers.every((fee) => fee * gasLimit <= budgetPerHour),
        "a replacement went beyond the budget",
      );
      await bench.automine(true);
      must((await sending)?.status === 1, "no receipt");
      await bench.mustHavePaid(1);
    }),
  },
  {
    name: "fees: a process that is started again and again keeps to its hourly budget",
    run: onBench(async (bench) => {
      const { journal } = bench;
      let sent = 0;
      for (let run = 0; run < 40; run++) {
        const queue = await bench.queue({ journal, budgetPerHour: parseEther("0.0008") });
        const error = await queue.submit({ label: "pay", prepare: bench.pay }).then(
          () => undefined,
          (reason: unknown) => reason as { code?: string },
        );
        if (error?.code === "BUDGET_SPENT") break;
        must(error === undefined, `failed with ${error?.code ?? "another kind of error"}`);
        sent += 1;
      }
      must(sent > 0 && sent < 40, `${String(sent)} transactions were sent`);
      await bench.mustHavePaid(sent);
    }),
  },
];
