/**
 * What shading costs in a market that pays what was asked: `npm run simulate:asks -- [--quick] [--json] [--write] [--seed <n>]`.
 *
 *     --quick    fewer nodes, rounds and seeds, seconds
 *     --json     print JSON instead of a table
 *     --write    put the table into docs/
 *     --seed     other random markets: this seed and those after it (default 1)
 *
 * The same random demands with more and more nodes whose ask follows the clearing prices (`node.ask.follow` of an agent), instead of being
 * what a unit costs them. Allocation is the real one.
 */
import { type AsksResult, simulateAsks } from "./asks/simulation.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { machine, markdownTable, writeSection } from "./report.ts";

const flags = benchCommand(
  "simulate:asks",
  "What shading costs in a market that pays what was asked",
  "fewer nodes, rounds and seeds, seconds",
)
  .option("--seed <number>", "other random markets", wholeNumber(), 1)
  .parse()
  .opts<BenchFlags & { seed: number }>();
const size = flags.quick ? { nodes: 40, rounds: 60, warmUp: 20 } : { nodes: 100, rounds: 300, warmUp: 60 };
const seeds = Array.from({ length: flags.quick ? 5 : 10 }, (_, i) => flags.seed + i);
const SHARES = [0, 0.1, 0.5, 1];

const runs = [0.5, 0.9].flatMap((demand) =>
  SHARES.map((following) => ({
    demand,
    following,
    results: seeds.map((seed) => simulateAsks({ ...size, seed, demand, following })),
  })),
);

if (flags.json) process.stdout.write(`${JSON.stringify({ machine: machine(), ...size, seeds, runs })}\n`);
else process.stdout.write(`${report()}\n`);
if (flags.write) writeSection("simulate:asks", report());

function report(): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  return [
    `${size.nodes} nodes of 1 to 4 units in one class, ${size.rounds} rounds, means of seeds ${seeds.join(", ")}; in brackets the lowest and highest of them. A`,
    "unit costs its node 0.004 to 0.020 VER, and is worth 0.008 to 0.040 VER to a task, which offers that. *Demand*: units wanted, of those listed.",
    "*Follow*: nodes whose ask follows the clearing price, 2 % below it and never below their cost; the others ask for their cost. *Leased* and",
    "*gain* (what units are worth less what they cost, be it for one or the other) are shares of what they are where nobody follows. Prices are",
    "milli-VER for a unit; *profit* is for each unit that a node has, and round.",
    "",
    markdownTable(
      [
        "demand",
        "follow",
        "leased",
        "gain",
        "paid",
        "cost",
        "clearing",
        "profit, follow",
        "profit, cost",
        "changes",
      ].map(right),
      runs.map(({ demand, following, results }) => [
        `${(100 * demand).toFixed(0)} %`,
        `${(100 * following).toFixed(0)} %`,
        spread(results, ({ leased }) => 100 * leased, 1, " %"),
        spread(results, ({ gain }) => 100 * gain, 1, " %"),
        spread(results, ({ paid }) => paid / 1000, 2),
        spread(results, ({ cost }) => cost / 1000, 2),
        spread(results, ({ clearing }) => clearing / 1000, 2),
        spread(results, ({ followers }) => followers / 1000, 2),
        spread(results, ({ others }) => others / 1000, 2),
        spread(results, ({ changes }) => changes, 1),
      ]),
    ),
    "",
    "*Changes*: changes of its ask by a node that follows, in a hundred rounds.",
  ].join("\n");
}

function spread(results: readonly AsksResult[], of: (result: AsksResult) => number, digits: number, unit = ""): string {
  const values = results.map(of).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return "–";
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const range = high.toFixed(digits) === low.toFixed(digits) ? "" : ` (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  return `${mean.toFixed(digits)}${unit}${range}`;
}
