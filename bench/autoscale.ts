/**
 * Autoscaling on the clearing price, as a closed loop: a spike of demand, scale-up, recovery of the price, scale-down.
 *
 *     npm run simulate:autoscale                 eight hours; table and picture into docs/autoscaling.md
 *     npm run simulate:autoscale -- --quick      two hours and a half, writes nothing
 *     npm run simulate:autoscale -- --json       every step as JSON, writes nothing
 */
import { readFileSync, writeFileSync } from "node:fs";

import { Command } from "commander";

import { scenario } from "./autoscale/scenario.ts";
import { simulate, type SimulationResult, type StepResult } from "./autoscale/simulation.ts";
import { lineChart } from "./plot.ts";
import { markdownTable } from "./report.ts";

const DOCUMENT = new URL("../docs/autoscaling.md", import.meta.url);
const PICTURE = new URL("../docs/autoscaling.svg", import.meta.url);
const [START, END] = ["<!-- simulate:autoscale -->", "<!-- /simulate:autoscale -->"];

new Command("simulate:autoscale")
  .description("Simulates autoscaling on the clearing price: the real planner, the real signal, Kubernetes' rule")
  .option("--quick", "two and a half hours instead of eight; writes nothing", false)
  .option("--json", "every step as JSON; writes nothing", false)
  .option("--seed <number>", "of the noise in the demand", "1")
  .action(({ quick, json, seed }: { quick: boolean; json: boolean; seed: string }) => {
    const what = scenario(quick, Number(seed));
    const result = simulate(what);
    if (json) {
      process.stdout.write(`${JSON.stringify({ seed: Number(seed), ...result }, null, 2)}\n`);
      return;
    }
    const text = report(result, what.spike);
    process.stdout.write(`${text}\n`);
    if (quick) return;
    writeFileSync(PICTURE, picture(result.steps));
    const [before, rest] = readFileSync(DOCUMENT, "utf8").split(START);
    const after = rest?.split(END)[1];
    if (before === undefined || after === undefined) throw new Error(`docs/autoscaling.md has no ${START} … ${END}`);
    writeFileSync(
      DOCUMENT,
      `${before}${START}\n\n${text}\n\n![Price, demand and nodes](autoscaling.svg)\n\n${END}${after}`,
    );
  })
  .parse();

function report(result: SimulationResult, spike: readonly [number, number]): string {
  const { steps, served, expired, killed, reversals } = result;
  const part = (name: string, from: number, to: number): string[] => {
    const own = steps.slice(from, to);
    const mean = (value: (step: StepResult) => number) => own.reduce((sum, each) => sum + value(each), 0) / own.length;
    const nodes = own.map((each) => each.replicas);
    return [
      name,
      mean(({ demand }) => demand).toFixed(1),
      mean(({ price }) => price).toFixed(4),
      mean(({ unmet }) => unmet).toFixed(1),
      `${nodes[0] ?? 0} → ${nodes.at(-1) ?? 0}`,
      (100 * mean(({ leased, capacity }) => leased / Math.max(1, capacity))).toFixed(0),
    ];
  };
  const [from, to] = spike;
  const reaction = Math.min(steps.length, from + 30);
  const table = markdownTable(
    [
      { heading: "part" },
      { heading: "units asked for a minute", align: "right" },
      { heading: "price, VER", align: "right" },
      { heading: "unmet units", align: "right" },
      { heading: "nodes", align: "right" },
      { heading: "in use, %", align: "right" },
    ],
    [
      part("before the spike", Math.max(0, from - 30), from),
      part("spike, first half hour", from, reaction),
      part("spike, then", reaction, to),
      part("after the spike", to, steps.length),
    ],
  );
  return (
    `${table}\n${served} units served, ${expired} given up, ${killed} killed; scaling changed its direction ` +
    `${reversals === 1 ? "once" : `${reversals} times`}.`
  );
}

function picture(steps: readonly StepResult[]): string {
  const line = (name: string, value: (step: StepResult) => number, dashed = false) => ({
    name,
    points: steps.map((each) => [each.step, value(each)] as const),
    dashed,
  });
  return lineChart({
    title: "Autoscaling on the clearing price",
    subtitle: "A step is a minute; npm run simulate:autoscale",
    x: { label: "minutes" },
    y: { label: "nodes, units, 0.001 VER", include: [0] },
    series: [
      line("nodes", ({ replicas }) => replicas),
      line("price, 0.001 VER", ({ price }) => price * 1000),
      line("units asked for", ({ demand }) => demand, true),
      line("unmet units", ({ unmet }) => unmet, true),
    ],
  });
}
