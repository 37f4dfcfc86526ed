/**
 * Load balancing in a simulated network: `npm run simulate:balance -- [--quick] [--json] [--write] [--seed <n>]`.
 *
 *     --quick    fewer nodes and periods, a few seconds
 *     --json     print JSON instead of a table
 *     --write    put table and chart into docs/
 *     --seed     another random network (default 1)
 *
 * The same random arrivals, once without and once with the balance keeper. Exits with 1 if balancing does not narrow the
 * spread of loads, or if more than one migration of a hundred brings a lease back to a node that it had left.
 */

import { simulate, type SimulationResult } from "./balance/simulation.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { lineChart } from "./plot.ts";
import { machine, markdownTable, writePicture, writeSection } from "./report.ts";

const flags = benchCommand(
  "simulate:balance",
  "Load balancing in a simulated network",
  "fewer nodes and periods, a few seconds",
)
  .option("--seed <number>", "another random network", wholeNumber(), 1)
  .parse()
  .opts<BenchFlags & { seed: number }>();
const size = flags.quick ? { nodes: 600, periods: 240, warmUp: 120 } : { nodes: 4000, periods: 600, warmUp: 150 };
const common = { ...size, seed: flags.seed, threshold: 1000, hysteresis: 200, cooldown: 10, noise: 50 };
const loads = [0.3, 0.5, 0.7];
const runs = [1, 8].flatMap((prices) =>
  loads.map((load) => {
    const run = (balance: boolean) => {
      const words = `load ${load}, ${prices} prices, ${balance ? "with" : "without"} balancing`;
      if (!flags.json) process.stderr.write(`${words}\n`);
      const started = performance.now();
      const result = simulate({ ...common, load, prices, balance });
      return { result, ms: Math.round(performance.now() - started) };
    };
    return { load, prices, without: run(false), with: run(true) };
  }),
);
const wrong = runs.flatMap((run) => [
  ...(run.with.result.meanDeviation < run.without.result.meanDeviation
    ? []
    : [`load ${run.load}, ${run.prices} prices: balancing does not narrow the spread`]),
  ...(run.with.result.returns <= run.with.result.migrations / 100
    ? []
    : [`load ${run.load}, ${run.prices} prices: ${run.with.result.returns} leases came back`]),
]);
if (flags.json) process.stdout.write(`${JSON.stringify({ machine: machine(), ...common, runs, wrong })}\n`);
else process.stdout.write(report(""));
if (flags.write) writeSection("simulate:balance", report(writePicture("balance.svg", chart(), "Spread of loads")));
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function report(picture: string): string {
  const cells = ({
    meanLoad,
    meanDeviation,
    meanSpan,
    outside,
    leases,
    migrations,
    movedShare,
    returns,
  }: SimulationResult) => [
    `${meanLoad.toFixed(1)} %`,
    meanDeviation.toFixed(1),
    meanSpan.toFixed(1),
    `${(outside * 100).toFixed(1)} %`,
    leases.toLocaleString("en"),
    migrations.toLocaleString("en"),
    `${(movedShare * 100).toFixed(1)} %`,
    String(returns),
  ];
  const right = (heading: string) => ({ heading, align: "right" as const });
  return [
    `${size.nodes.toLocaleString("en")} nodes of 4 to 16 units, ${size.periods} report periods of which the first`,
    `${size.warmUp} do not count, seed ${common.seed}. τ is 10 percentage points, the hysteresis 2, reported loads are off by up`,
    "to 0.5. Tasks arrive at random and go to the cheapest nodes that are fit for new work; owners use their machines now",
    "and then. *Prices*: how many different ones the nodes ask; no work moves to a node that asks more than the market does.",
    "*Leased*: share of all units. *Deviation* and *span* (5th to 95th percentile) of the loads in percentage",
    "points; *outside*: nodes farther than τ from the average. *Moved*: units moved for each unit leased. *Returns*:",
    "migrations back to a node that the lease had left, which only happen when owners and other work change the loads.",
    "Nodes below the band stay there when nobody is above it: the rule takes from loaded nodes, it does not level. Where",
    "prices differ the cheap nodes stay the busy ones, as the market wants it: relief is not bought at a higher price.",
    "",
    wrong.length === 0 ? "Balancing narrows the spread at every load." : wrong.join("\n"),
    "",
    ...(picture === "" ? [] : [picture, ""]),
    markdownTable(
      [
        right("prices"),
        right("leased"),
        { heading: "balancing" },
        ...["load", "deviation", "span", "outside", "leases", "migrations", "moved", "returns"].map(right),
      ],
      runs.flatMap((run) => [
        [String(run.prices), `${(run.load * 100).toFixed(0)} %`, "without", ...cells(run.without.result)],
        ["", "", "with", ...cells(run.with.result)],
      ]),
    ),
  ].join("\n");
}

function chart(): string {
  // A point for each 20 periods is enough to see.
  const points = ({ deviation }: SimulationResult) =>
    deviation.flatMap((value, i): [number, number][] => (i % 20 === 0 ? [[size.warmUp + i, value]] : []));
  return lineChart({
    title: "Spread of loads with and without balancing",
    subtitle: `${size.nodes} nodes that ask the same, seed ${common.seed}; dashed: without`,
    x: { label: "report period" },
    y: { label: "standard deviation of the loads, percentage points", include: [0] },
    series: runs
      .filter(({ prices }) => prices === 1)
      .flatMap((run) => [
        { name: `${run.load * 100} % leased, with`, points: points(run.with.result) },
        { name: `${run.load * 100} % leased, without`, points: points(run.without.result), dashed: true },
      ]),
  });
}
