/**
 * Load balancing in a simulated network: `npm run simulate:balance -- [--quick] [--json] [--write] [--seed <n>]`.
 *
 *     --quick    fewer nodes and periods, a minute
 *     --json     print JSON instead of a table
 *     --write    put table and chart into docs/
 *     --seed     other random networks: this seed and the two after it (default 1)
 *
 * The same random arrivals four times: nothing moves; every node is brought into the band; only what pays moves, which is
 * what the balancing keeper does; and the same as if the keeper knew all and chose who takes. Exits with 1 if moving what pays costs more in all than doing nothing, if it moves more than
 * {@link MOST_MOVED} of what is leased, or if more than one migration of a hundred brings a lease back to a node that it had
 * left.
 */

import { keeperConfig } from "../keepers/config.ts";
import { worthOf } from "../keepers/balancing/balancing-keeper.ts";
import { simulate, type SimulationOptions, type SimulationResult } from "./balance/simulation.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { lineChart } from "./plot.ts";
import { machine, markdownTable, writePicture, writeSection } from "./report.ts";

/** Share of the leased units that may move, and what the deviation may be in times of that with all nodes in the band. */
const MOST_MOVED = 0.3;
const MOST_DEVIATION = 2;

const flags = benchCommand(
  "simulate:balance",
  "Load balancing in a simulated network",
  "fewer nodes and periods, a minute",
)
  .option("--seed <number>", "other random networks", wholeNumber(), 1)
  .parse()
  .opts<BenchFlags & { seed: number }>();
const config = keeperConfig.shape.balancing.parse(undefined);
const size = flags.quick ? { nodes: 600, periods: 240, warmUp: 120 } : { nodes: 2000, periods: 480, warmUp: 120 };
const common = {
  ...size,
  threshold: 1000,
  hysteresis: config.hysteresis * 100,
  cooldown: 10,
  noise: 50,
  worth: worthOf(config),
  movedShare: config.mostMoved / 100,
  unitPrice: 1,
  hours: 1 / 60,
};
const seeds = [flags.seed, flags.seed + 1, flags.seed + 2];
const LINES = ["nothing", "band", "worth", "chosen"] as const;
type Line = SimulationOptions["policy"];

const runs = [1, 8].flatMap((prices) =>
  [0.1, 0.3, 0.5, 0.7, 0.9].map((load) => {
    const results = (policy: Line): SimulationResult[] =>
      seeds.map((seed) => {
        if (!flags.json) process.stderr.write(`load ${load}, ${prices} prices, seed ${seed}: ${policy}\n`);
        return simulate({ ...common, seed, load, prices, policy });
      });
    return {
      load,
      prices,
      nothing: results("nothing"),
      band: results("band"),
      worth: results("worth"),
      chosen: results("chosen"),
    };
  }),
);
type Run = (typeof runs)[number];

const mean = (results: readonly SimulationResult[], of: (result: SimulationResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;
const deviation = ({ meanDeviation }: SimulationResult): number => meanDeviation;
const moved = ({ movedShare }: SimulationResult): number => movedShare;
const together = ({ spreadCost, moveCost }: SimulationResult): number => spreadCost + moveCost;
const migrations = (result: SimulationResult): number => result.migrations;
const returns = (result: SimulationResult): number => result.returns;

const wrong = runs.flatMap((run) => {
  const where = `load ${run.load}, ${run.prices} prices`;
  const [nothing, worth] = [mean(run.nothing, together), mean(run.worth, together)];
  return [
    ...(worth <= nothing ? [] : [`${where}: moving what pays costs more in all than doing nothing`]),
    ...(mean(run.worth, moved) <= MOST_MOVED
      ? []
      : [`${where}: more than ${100 * MOST_MOVED} % of the leased units move`]),
    ...(mean(run.worth, returns) <= mean(run.worth, migrations) / 100 ? [] : [`${where}: leases come back`]),
  ];
});
const ratio = (run: Run, line: Line): string =>
  (mean(run[line], deviation) / mean(run.band, deviation)).toFixed(2);
/** Where the deviation is more than twice what it is with all nodes in the band. */
const wide = runs.filter((run) => mean(run.worth, deviation) > MOST_DEVIATION * mean(run.band, deviation));
if (flags.json) process.stdout.write(`${JSON.stringify({ machine: machine(), ...common, seeds, runs, wrong })}\n`);
else process.stdout.write(report(""));
if (flags.write) writeSection("simulate:balance", report(writePicture("balance.svg", chart(), "Spread of loads")));
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function report(picture: string): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  return [
    `${size.nodes.toLocaleString("en")} nodes of 4 to 16 units, ${size.periods} report periods of a minute of which the first`,
    `${size.warmUp} do not count, means of seeds ${seeds.join(", ")}. τ is 10 percentage points, the hysteresis ${config.hysteresis}, reported loads`,
    "are off by up to 0.5. Tasks arrive at random, last an hour on average and go to the cheapest nodes that are eligible for new",
    "work; owners use their machines now and then. *Prices*: how many different ones the nodes ask; no work moves to a node",
    "that asks more than the market does. *Leased*: share of all units. *Deviation* and *span* (5th to 95th percentile) of the",
    "loads in percentage points; *outside*: nodes farther than τ from the average. *Moved*: units moved for each unit leased,",
    "and the most with any seed.",
    "",
    "*Cost*, in VER for each node and day, is that of the *spread* (a node at distance d from the average costs",
    `${config.pointValue} × d² ÷ 2τ an hour, a point next to the band's edge hence ${config.pointValue} VER), that of *moving* (transactions at`,
    `${config.gasPrice} gwei and ${config.verPerEth} VER an ETH, and ${config.pause} s without work for units of ${common.unitPrice} VER an hour), and both *together*. These are the`,
    "defaults of `balancing` in a keeper's [configuration](config.md). *Nothing*: no keeper. *Band*: every node is brought into the band,",
    "whatever it costs. *Pays*: what the balancing keeper does. *Chosen*: a bound, not a policy that could be had: true loads, no delay, no",
    "cooldown, and the node that the plan names takes the work, where the protocol draws one by lot so that nobody can steer it.",
    "",
    wrong.length === 0
      ? `Moving what pays costs less in all than doing nothing at every load, and moves at most ${100 * MOST_MOVED} % of what is leased.`
      : wrong.join("\n"),
    wide.length === 0
      ? `Its deviation is at most ${MOST_DEVIATION} times that with all nodes in the band.`
      : `Its deviation is more than ${MOST_DEVIATION} times that with all nodes in the band at ${wide
          .map(
            (run) =>
              `${(100 * run.load).toFixed(0)} % with ${run.prices === 1 ? "one price" : `${run.prices} prices`} (${ratio(run, "worth")} times; *chosen* ${ratio(run, "chosen")})`,
          )
          .join(", ")}.`,
    "",
    ...(picture === "" ? [] : [picture, ""]),
    markdownTable(
      [
        right("prices"),
        right("leased"),
        { heading: "moves" },
        ...["load", "deviation", "span", "outside", "migrations", "moved", "most", "spread", "moving", "together"].map(
          right,
        ),
      ],
      runs.flatMap((run) =>
        LINES.map((line, i) => [
          ...(i === 0 ? [String(run.prices), `${(run.load * 100).toFixed(0)} %`] : ["", ""]),
          line === "worth" ? "**pays**" : line === "chosen" ? "*chosen*" : line,
          ...cells(run[line]),
        ]),
      ),
    ),
  ].join("\n");
}

function cells(results: Run[Line]): string[] {
  return [
    `${mean(results, ({ meanLoad }) => meanLoad).toFixed(1)} %`,
    mean(results, deviation).toFixed(1),
    mean(results, ({ meanSpan }) => meanSpan).toFixed(1),
    `${(100 * mean(results, ({ outside }) => outside)).toFixed(1)} %`,
    Math.round(mean(results, migrations)).toLocaleString("en"),
    `${(100 * mean(results, moved)).toFixed(1)} %`,
    `${(100 * Math.max(...results.map(moved))).toFixed(1)} %`,
    mean(results, ({ spreadCost }) => spreadCost).toFixed(2),
    mean(results, ({ moveCost }) => moveCost).toFixed(2),
    mean(results, together).toFixed(2),
  ];
}

function chart(): string {
  // A point for each 20 periods is enough to see.
  const points = (result: SimulationResult | undefined) =>
    (result?.deviation ?? []).flatMap((value, i): [number, number][] =>
      i % 20 === 0 ? [[size.warmUp + i, value]] : [],
    );
  return lineChart({
    title: "Spread of loads with and without balancing",
    subtitle: `${size.nodes} nodes that ask the same, seed ${flags.seed}; dashed: without`,
    x: { label: "report period" },
    y: { label: "standard deviation of the loads, percentage points", include: [0] },
    series: runs
      .filter(({ prices, load }) => prices === 1 && [0.3, 0.5, 0.7].includes(load))
      .flatMap((run) => [
        { name: `${run.load * 100} % leased, what pays`, points: points(run.worth[0]) },
        { name: `${run.load * 100} % leased, without`, points: points(run.nothing[0]), dashed: true },
      ]),
  });
}
