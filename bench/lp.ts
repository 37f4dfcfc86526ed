/**
 * Solvers of the allocation problem side by side: `npm run bench:lp -- [--quick] [--json] [--write]`.
 *
 *     --quick    fewer markets, under a minute
 *     --json     print JSON instead of a table
 *     --write    put the table into docs/benchmarks.md
 *
 * Each solver solves each market in a process of its own. One that runs out of time or memory is not asked about
 * larger ones. Exits with 1 if two solvers find different costs, or if a solution is not optimal.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";

import { type MarketSize } from "../protocol/allocation/testing/market.ts";
import { type Limits, measure, type Outcome } from "./child.ts";
import { describeMarket, MARKETS, QUICK, SOLVERS } from "./instances.ts";

interface Row {
  readonly market: MarketSize;
  readonly solver: string;
  /** Left out if the solver went beyond its limits on a smaller market. */
  readonly outcome: Outcome | undefined;
}

const DOCUMENT = new URL("../docs/benchmarks.md", import.meta.url);
const [START, END] = ["<!-- bench:lp -->", "<!-- /bench:lp -->"];

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const limits: Limits = { seconds: flags.quick ? 5 : 60, megabytes: 2048 };
const rows = await measureAll(flags.quick ? QUICK : MARKETS);
const wrong = disagreements(rows);
process.stdout.write(flags.json ? `${JSON.stringify({ machine: machine(), limits, rows, wrong })}\n` : report(rows));
if (flags.write) writeReport(report(rows));
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

async function measureAll(markets: readonly MarketSize[]): Promise<Row[]> {
  const beaten = new Set<string>();
  const measured: Row[] = [];
  for (const market of markets) {
    for (const solver of Object.keys(SOLVERS)) {
      if (!flags.json) process.stderr.write(`${describeMarket(market)}: ${solver}\n`);
      const outcome = beaten.has(solver) ? undefined : await measure(solver, market, limits);
      if (outcome && outcome.kind !== "solved") beaten.add(solver);
      measured.push({ market, solver, outcome });
    }
  }
  return measured;
}

/** What is wrong with the solutions, in words. */
function disagreements(all: readonly Row[]): string[] {
  const costs = new Map<MarketSize, string>();
  return all.flatMap(({ market, solver, outcome }) => {
    if (outcome?.kind !== "solved") return [];
    const { cost, certified } = outcome.measured;
    const known = costs.get(market) ?? cost;
    costs.set(market, known);
    const where = `${describeMarket(market)}: ${solver}`;
    if (!certified) return [`${where} finds a solution that is not optimal.`];
    return known === cost ? [] : [`${where} finds a cost of ${cost} where another solver finds ${known}.`];
  });
}

function report(all: readonly Row[]): string {
  const lines = all.map(({ market, solver, outcome }, i) => {
    const cells = outcome?.kind === "solved" ? solvedCells(outcome.measured) : [missing(outcome), "", "", "", ""];
    const first = all[i - 1]?.market !== market;
    return `| ${[first ? describeMarket(market) : "", solver, ...cells].join(" | ")} |`;
  });
  const agreement =
    wrong.length === 0
      ? "All solutions of a market cost the same to the last 1024th of a micro-VER, and all are certified."
      : wrong.join("\n");
  return [
    `${machine()}. At most ${limits.seconds} s and ${limits.megabytes} MB each; a solver that went beyond them is not`,
    "asked about larger markets. *First* is the first solve of a process, *median* that of up to seven, *memory* the most",
    "that the process had, and what it had before the first solve; *certificate* is what proving the solution optimal took.",
    "",
    agreement,
    "",
    "| market | solver | first | median | memory | before | certificate |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...lines,
    "",
  ].join("\n");
}

function solvedCells({ first, median, peak, before, certificate }: Extract<Outcome, { kind: "solved" }>["measured"]) {
  return [time(first), time(median), `${peak.toFixed(0)} MB`, `${before.toFixed(0)} MB`, time(certificate)];
}

function missing(outcome: Exclude<Outcome, { kind: "solved" }> | undefined): string {
  if (!outcome) return "not asked";
  if (outcome.kind === "failed") return outcome.why;
  return outcome.kind === "time" ? `> ${limits.seconds} s` : `> ${limits.megabytes} MB`;
}

function time(milliseconds: number): string {
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(0)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

function machine(): string {
  const [cpu, ...others] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${others.length + 1} × ${cpu?.model ?? "unknown"}, ${memory} GB, ${process.platform}, Node ${process.version}`;
}

/** Replaces the table in the document and leaves the rest of it alone. */
function writeReport(text: string): void {
  const old = existsSync(DOCUMENT)
    ? readFileSync(DOCUMENT, "utf8")
    : `# Benchmarks\n\n## Solvers\n\n${START}\n${END}\n`;
  const [before, rest] = old.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/benchmarks.md has no ${START} … ${END}.`);
  writeFileSync(DOCUMENT, `${before}${START}\n\n${text}\n${END}${after}`);
}
