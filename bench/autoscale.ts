/**
 * Autoscaling on the clearing price, as a closed loop: a spike of demand, scale-up, recovery of the price, scale-down:
 * `npm run simulate:autoscale -- [--quick] [--json] [--write] [--seed <n>]`. See --help. Exits with 1 if it kills work, or
 * if it flaps.
 */
import { scenario } from "./autoscale/simulation.ts";
import { simulate, type SimulationResult, type StepResult } from "./autoscale/simulation.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { lineChart } from "./plot.ts";
import { markdownTable, writePicture, writeSection } from "./report.ts";

const flags = benchCommand(
  "simulate:autoscale",
  "Autoscaling on the clearing price: the real planner, the real signal, Kubernetes' rule",
  "two and a half hours instead of eight",
)
  .option("--seed <number>", "of the noise in the demand", wholeNumber(), 1)
  .parse()
  .opts<BenchFlags & { seed: number }>();
const what = scenario(flags.quick, flags.seed);
const result = simulate(what);
const wrong = faults(result);
process.stdout.write(
  flags.json ? `${JSON.stringify({ seed: flags.seed, ...result, wrong })}\n` : `${report(result, what.spike)}\n`,
);
for (const each of wrong) process.stderr.write(`${each}\n`);
if (flags.write) {
  const shown = writePicture("autoscaling.svg", picture(result.steps), "Price, demand and nodes");
  writeSection("simulate:autoscale", `${report(result, what.spike)}\n\n${shown}`, "concepts/autoscaling.md");
}
process.exitCode = wrong.length === 0 ? 0 : 1;

/** What must not be: up and down again with the spike is one change of direction. */
function faults({ killed, reversals, expired }: SimulationResult): string[] {
  return [
    ...(killed > 0 ? [`${killed} units were killed by scaling down.`] : []),
    ...(expired > 0 ? [`${expired} units were given up.`] : []),
    ...(reversals > 1 ? [`Scaling changed its direction ${reversals} times: it flaps.`] : []),
  ];
}

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
