/**
 * Solvers of the allocation problem side by side: `npm run bench:lp -- [--quick] [--json] [--write]`.
 *
 *     --quick    fewer markets and less time for each, under a minute
 *     --json     print JSON instead of a table
 *     --write    put the table into docs/reference/benchmarks.md and the plot into docs/images/solvers.svg
 *
 * Each solver solves each market in a process of its own. One that runs out of time or memory is not asked about
 * larger ones. Clp and SciPy join in if they are installed. Exits with 1 if two solvers find different costs, or if a
 * solution is not optimal; solvers that calculate with tolerances (Clp, SciPy) are only reported.
 */

import type { MarketSize } from "@verai/protocol/allocation/testing/market";
import { type Limits, measure, type Outcome } from "./child.ts";
import { FOREIGN, installed } from "./foreign.ts";
import { answers, describeMarket, MARKETS, QUICK, SOLVERS } from "./instances.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { lineChart, type Series } from "./plot.ts";
import { load, machine, markdownTable, writePicture, writeSection } from "./report.ts";

/** Milliseconds that the clock of processor time tells apart, at worst. */
const CLOCK = 1;

interface Row {
  readonly market: MarketSize;
  readonly solver: string;
  /** Left out if the solver went beyond its limits on a smaller market. */
  readonly outcome: Outcome | undefined;
}

const flags = benchCommand(
  "bench:lp",
  "Solvers of the allocation problem side by side",
  "fewer markets and less time for each, under a minute",
)
  .parse()
  .opts<BenchFlags>();
const limits: Limits = { seconds: flags.quick ? 4 : 30, megabytes: 2048 };
const names = [...Object.keys(SOLVERS), ...installed()];
const busy = load();
const rows = await measureAll(flags.quick ? QUICK : MARKETS);
const wrong = disagreements(rows);
process.stdout.write(
  flags.json ? `${JSON.stringify({ machine: machine(), load: busy, limits, rows, wrong })}\n` : report(rows),
);
if (flags.write) {
  const picture = writePicture("solvers.svg", chart(rows), "Time of each solver against the number of tasks");
  writeSection("bench:lp", `${report(rows)}\n${picture}`);
}
const fatal = wrong.filter(({ solver }) => !FOREIGN[solver]);
for (const { words } of wrong) process.stderr.write(`${words}\n`);
process.exitCode = fatal.length === 0 ? 0 : 1;

async function measureAll(markets: readonly MarketSize[]): Promise<Row[]> {
  const beaten = new Set<string>();
  const measured: Row[] = [];
  for (const market of markets) {
    for (const solver of names.filter((name) => answers(name, market))) {
      if (!flags.json) process.stderr.write(`${describeMarket(market)}: ${solver}\n`);
      const outcome = beaten.has(solver) ? undefined : await measure(solver, market, limits);
      if (outcome?.kind === "time" || outcome?.kind === "memory") beaten.add(solver);
      measured.push({ market, solver, outcome });
    }
  }
  return measured;
}

/** What is wrong with the solutions, in words. */
function disagreements(all: readonly Row[]): { solver: string; words: string }[] {
  const costs = new Map<MarketSize, string>();
  return all.flatMap(({ market, solver, outcome }) => {
    const where = `${describeMarket(market)}: ${solver}`;
    if (outcome?.kind === "failed") return [{ solver, words: `${where} failed: ${outcome.why}.` }];
    if (outcome?.kind !== "solved") return [];
    const { cost, certified, warm } = outcome.measured;
    const known = costs.get(market) ?? cost;
    costs.set(market, known);
    const found: string[] = [];
    if (!certified) found.push(`${where} finds a solution that is not optimal.`);
    if (known !== cost) found.push(`${where} finds a cost of ${cost} where another solver finds ${known}.`);
    if (warm && !warm.agree) found.push(`${where} finds another cost from a warm start than from a cold one.`);
    return found.map((words) => ({ solver, words }));
  });
}

function report(all: readonly Row[]): string {
  const lines = all.map(({ market, solver, outcome }, i) => {
    const first = all[i - 1]?.market !== market;
    const cells =
      outcome?.kind === "solved" ? solvedCells(outcome.measured) : [missing(outcome), "", "", "", "", "", ""];
    const form = outcome?.kind === "solved" && first ? time(outcome.measured.form) : "";
    return [first ? describeMarket(market) : "", form, solver, ...cells];
  });
  const agreement =
    wrong.length === 0
      ? "All solutions of a market cost the same to the last 1024th of a micro-VER, warm or cold, and all are certified."
      : wrong.map(({ words }) => words).join("\n");
  return [
    `${machine()}; load average ${busy.toFixed(1)} when it began. At most ${limits.seconds} s and ` +
      `${limits.megabytes} MB for each solver and market; one that went beyond them is not asked about larger markets.`,
    "",
    "*Sorted*: nodes to class form, which all start from. *First*: the first solve of a process, before anything is compiled.",
    "*Cold*: median of up to seven solves from nothing. *Warm*: median, and slowest, of 24 solves, each after one change: a node",
    "joins, leaves or asks another price, a task arrives, is done, wants or pays more or less, or there is another seed.",
    "*Certificate*: proving a solution optimal. *Memory*: the process's maximum, and its memory *before* its first solve.",
    "Clp and SciPy: without reading the problem, and memory of their own process. All times are processor time, so that other",
    `work on the machine matters little; its clock is no finer than ${CLOCK} ms everywhere.`,
    "",
    agreement,
    "",
    markdownTable(
      [
        { heading: "market" },
        { heading: "sorted", align: "right" },
        { heading: "solver" },
        ...["first", "cold", "warm", "slowest", "certificate", "memory", "before"].map(
          (heading) => ({ heading, align: "right" }) as const,
        ),
      ],
      lines,
    ),
  ].join("\n");
}

function solvedCells(measured: Extract<Outcome, { kind: "solved" }>["measured"]): string[] {
  const { first, median, warm, certificate, certified, peak, before } = measured;
  return [
    time(first),
    time(median),
    warm ? time(warm.median) : "",
    warm ? time(warm.slowest) : "",
    certified ? time(certificate) : "refused",
    peak === 0 ? "" : `${peak.toFixed(0)} MB`,
    before === 0 ? "" : `${before.toFixed(0)} MB`,
  ];
}

function missing(outcome: Exclude<Outcome, { kind: "solved" }> | undefined): string {
  if (!outcome) return "not asked";
  if (outcome.kind === "failed") return "failed";
  return outcome.kind === "time" ? `> ${limits.seconds} s` : `> ${limits.megabytes} MB`;
}

function time(milliseconds: number): string {
  if (milliseconds < CLOCK) return `< ${CLOCK} ms`;
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(0)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Time against tasks, for the markets of many tasks. */
function chart(all: readonly Row[]): string {
  const points = (
    solver: string,
    of: (measured: Extract<Outcome, { kind: "solved" }>["measured"]) => number | undefined,
  ) =>
    all.flatMap(({ market, solver: its, outcome }) => {
      const value = its === solver && market.tasks > 1 && outcome?.kind === "solved" ? of(outcome.measured) : undefined;
      return value === undefined ? [] : [[market.tasks, Math.max(value, CLOCK)] as const];
    });
  const cold: Series[] = names
    .filter((name) => name !== "cheapest-first")
    .map((name) => ({ name, points: points(name, ({ median }) => median) }));
  const warm: Series = {
    name: "network-simplex, warm",
    points: points("network-simplex", (it) => it.warm?.median),
    dashed: true,
  };
  const proof: Series = {
    name: "certificate",
    points: points("network-simplex", (it) => it.certificate),
    dashed: true,
  };
  return lineChart({
    title: "Time to the optimum",
    subtitle: `Processor time. Tasks that accept half of up to 96 classes, up to 100,000 nodes. ${machine()}`,
    x: { label: "tasks", log: true },
    y: { label: `milliseconds (${CLOCK}: or less)`, log: true },
    series: [...cold, warm, proof],
  });
}
