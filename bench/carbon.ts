/**
 * What less carbon costs: `npm run bench:carbon -- [--quick] [--json] [--write]`.
 *
 *     --quick    a smaller network, a few seconds
 *     --json     print JSON instead of a table
 *     --write    put table and chart into docs/
 *
 * Sweeps the carbon price of all tasks of a generated network through the LP that keepers solve, and certifies every
 * optimum. Exits with 1 if one is not certified, or if a higher carbon price gives more CO2 or a lower cost.
 */

import { contradictions, type FrontierPoint, frontierPoint } from "./carbon/frontier.ts";
import { carbonMarket } from "./carbon/market.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { lineChart } from "./plot.ts";
import { load, machine, markdownTable, writePicture, writeSection } from "./report.ts";

const SEED = `0x${"5eed".padStart(64, "0")}`;
const PRICES = [0, 0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10];

const flags = benchCommand(
  "bench:carbon",
  "What less carbon costs: the frontier of cost and CO2",
  "a smaller network, a few seconds",
)
  .parse()
  .opts<BenchFlags>();
const size = flags.quick ? { nodes: 600, tasks: 24 } : { nodes: 6000, tasks: 120 };
const LOADS = [0.3, 0.5, 0.7];
const frontiers = LOADS.map((wanted) => {
  const market = carbonMarket({ ...size, load: wanted, seed: 1 });
  const points = PRICES.map((price) => {
    if (!flags.json) process.stderr.write(`load ${wanted}, ${price} VER/kg\n`);
    return frontierPoint(market, price, SEED);
  });
  return { load: wanted, points };
});
const wrong = frontiers.flatMap(({ points }) => [
  ...points.filter(({ certified }) => !certified).map(({ carbonPrice }) => `${carbonPrice} VER/kg: not certified`),
  ...contradictions(points),
]);
if (flags.json) {
  process.stdout.write(`${JSON.stringify({ machine: machine(), busy: load(), ...size, seed: 1, frontiers, wrong })}\n`);
} else {
  process.stdout.write(report(""));
}
if (flags.write) writeSection("bench:carbon", report(writePicture("carbon-frontier.svg", chart(), "Cost and carbon")));
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function report(picture: string): string {
  const rows = frontiers.flatMap(({ load: wanted, points }) =>
    points.map((point, i) => [
      i === 0 ? `${(wanted * 100).toFixed(0)} %` : "",
      String(point.carbonPrice),
      point.cost.toFixed(1),
      change(point.cost, points[0]?.cost),
      point.carbon.toFixed(1),
      change(point.carbon, points[0]?.carbon),
      String(point.open),
      `${(point.solveMs + point.proofMs).toFixed(0)} ms`,
    ]),
  );
  const right = (heading: string) => ({ heading, align: "right" as const });
  return [
    `${machine()}. ${size.nodes.toLocaleString("en")} nodes in 24 classes (three kinds of hardware in eight regions),`,
    `${size.tasks} tasks that accept four regions of five. *Load*: units wanted for each unit listed. *Cost* is what the`,
    "nodes are paid, without surcharges; *carbon* is units × energy of the class × intensity of the region. Each row is an",
    "optimum of the allocation LP with its certificate. Prices in VER, which here is worth about a dollar.",
    "",
    wrong.length === 0
      ? "Every optimum is certified; a higher carbon price never gives more CO2, nor a lower cost."
      : wrong.join("\n"),
    "",
    ...(picture === "" ? [] : [picture, ""]),
    markdownTable(
      [
        right("load"),
        right("VER per kg CO2"),
        right("cost, VER"),
        right("change"),
        right("carbon, kg"),
        right("change"),
        right("units open"),
        right("solve and prove"),
      ],
      rows,
    ),
  ].join("\n");
}

function change(value: number, first: FrontierPoint["cost"] | undefined): string {
  if (first === undefined || first === 0) return "";
  const percent = (value / first - 1) * 100;
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)} %`;
}

function chart(): string {
  return lineChart({
    title: "What less carbon costs",
    subtitle: `${size.nodes} nodes, ${size.tasks} tasks; each point is a certified optimum of the allocation LP`,
    x: { label: "cost of the allocation, percent of the cheapest" },
    y: { label: "CO2, percent of the cheapest allocation's", include: [0, 100] },
    series: frontiers.map(({ load: wanted, points }) => ({
      name: `load ${(wanted * 100).toFixed(0)} %`,
      points: points.map(({ cost, carbon }) => [
        (100 * cost) / (points[0]?.cost ?? 1),
        (100 * carbon) / (points[0]?.carbon ?? 1),
      ]),
    })),
  });
}
