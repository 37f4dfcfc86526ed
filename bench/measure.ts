/*
 * Measures one solver on one market, in a process of its own so that its memory is its own. Prints one line of JSON.
 *
 *     node bench/measure.ts <solver> <market as JSON> <seconds>
 */
import { findPrices } from "../protocol/allocation/certificate.ts";
import { objective } from "../protocol/allocation/model.ts";
import { marketProblem, type MarketSize } from "../protocol/allocation/testing/market.ts";
import { SOLVERS } from "./instances.ts";

/** What a measuring process prints. Times in milliseconds, memory in MB. */
export interface Measured {
  /** The first solve, before anything is compiled, and the median of all. */
  readonly first: number;
  readonly median: number;
  readonly runs: number;
  /** Most memory that the process ever had, and what it had before the first solve. */
  readonly peak: number;
  readonly before: number;
  /** Cost of the solution in micro-VER × 1024. */
  readonly cost: string;
  readonly certified: boolean;
  /** What proving the solution optimal takes, the median of three. */
  readonly certificate: number;
}

/** Solves at most so many times, and goes on only while this share of the time is left. */
const RUNS = 7;
const SHARE = 0.3;

const [name = "", market = "", seconds = ""] = process.argv.slice(2);
const createSolver = SOLVERS[name];
if (!createSolver) throw new Error(`There is no solver ${name}, only ${Object.keys(SOLVERS).join(", ")}.`);
const solver = await createSolver();
const problem = marketProblem(JSON.parse(market) as MarketSize);
const before = process.memoryUsage.rss();

const times: number[] = [];
let primal = timed(times, () => solver.solve(problem));
while (times.length < RUNS && sum(times) < Number(seconds) * 1000 * SHARE) {
  primal = timed(times, () => solver.solve(problem));
}
const peak = process.resourceUsage().maxRSS * 1024;
const proofs: number[] = [];
let finding = timed(proofs, () => findPrices(problem, primal));
for (let i = 0; i < 2; i++) finding = timed(proofs, () => findPrices(problem, primal));

const measured: Measured = {
  first: times[0] ?? 0,
  median: median(times),
  runs: times.length,
  peak: peak / 2 ** 20,
  before: before / 2 ** 20,
  cost: String(objective(problem, primal)),
  certified: finding.optimal,
  certificate: median(proofs),
};
process.stdout.write(`${JSON.stringify(measured)}\n`);

function timed<T>(list: number[], run: () => T): T {
  const start = performance.now();
  const result = run();
  list.push(performance.now() - start);
  return result;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
