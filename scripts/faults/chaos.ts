import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT } from "@verai/devnet/processes";
import type { FaultCase, FaultContext, FaultKind } from "@verai/devnet/fault-case";

/** What a run prints with `--json`, as far as it is looked at. */
interface Outcome {
  readonly record: readonly string[];
  readonly decisions: readonly string[];
  readonly reports: number;
  readonly faults: number;
  readonly wrong: readonly string[];
}

/** Time for a short run on a busy machine, milliseconds. */
const RUN_MS = 480_000;
const MAX_BUFFER = 1 << 24;

async function chaos({ signal }: Pick<FaultContext, "signal">, ...args: readonly string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [join("scripts", "chaos.ts"), ...args], {
    cwd: ROOT,
    signal,
    killSignal: "SIGINT",
    maxBuffer: MAX_BUFFER,
  });
  return stdout;
}

async function shortRun(context: FaultContext, seed: number, steps: number): Promise<Outcome> {
  const text = await chaos(context, "--seed", String(seed), "--steps", String(steps), "--json");
  return JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as Outcome;
}

const cases: readonly FaultCase[] = [
  {
    name: "the same seed planned twice, by two processes",
    run: async (context) => {
      const args = ["--seed", "918273", "--steps", "24", "--plan"];
      const [first, second] = await Promise.all([chaos(context, ...args), chaos(context, ...args)]);
      assert.equal(first, second);
      assert.equal(first.trimEnd().split("\n").length, 24);
    },
  },
  {
    name: "a run in which work moves while nodes, keepers and connections fail",
    slow: true,
    timeoutMs: RUN_MS,
    run: async (context) => {
      const outcome = await shortRun(context, 918_273, 6);
      assert.deepEqual(outcome.wrong, []);
      assert.ok(outcome.faults > 0 && outcome.reports > 0);
    },
  },
  {
    name: "the same seed run twice",
    slow: true,
    timeoutMs: 2 * RUN_MS,
    run: async (context) => {
      const [first, second] = [await shortRun(context, 20_261, 4), await shortRun(context, 20_261, 4)];
      assert.deepEqual(first.record, second.record);
      assert.deepEqual([first.wrong, second.wrong], [[], []]);
      // Every report and every move of both was held against the record.
      assert.ok(first.reports > 0 && second.reports > 0);
    },
  },
];

/** Networks that are disturbed by a seed, as `npm run chaos` does. */
export const chaosRuns: FaultKind = {
  name: "chaos",
  guarantee: "ledgers, units and fences hold at every step; a seed repeats its faults, conditions and decisions",
  cases,
};
