/*
 * Measures one solver on one market, in a process of its own so that its memory is its own. Prints one line of JSON.
 *
 *     node bench/measure.ts <solver> <market as JSON> <seconds>
 */
import { findPrices } from "@verai/protocol/allocation/certificate";
import { objective, type Primal, type Problem, supplySteps } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { WarmNetworkSimplex } from "@verai/protocol/allocation/network-simplex/warm";
import { CHANGES } from "@verai/protocol/allocation/testing/market-changes";
import {
  MARKET_TICK,
  marketNodes,
  marketProblem,
  type MarketSize,
  randomNumbers,
} from "@verai/protocol/allocation/testing/market";
import { FOREIGN, solveForeign } from "./foreign.ts";
import { SOLVERS } from "./instances.ts";

/** What a measuring process prints. Times are processor time in milliseconds, memory in MB. */
export interface Measured {
  /** Sorting the market's nodes into the class form, which all solvers start from. */
  readonly form: number;
  /** The first solve, before anything is compiled, and the median of all. */
  readonly first: number;
  readonly median: number;
  readonly runs: number;
  /** Of a solver that remembers where it ended: solves after small changes. */
  readonly warm?: Warm;
  /** Maximum memory that the process ever had, and what it had before the first solve. */
  readonly peak: number;
  readonly before: number;
  /** Cost of the solution in micro-VER × 1024. */
  readonly cost: string;
  readonly certified: boolean;
  /** What proving the solution optimal takes, the median of five. */
  readonly certificate: number;
}

/** Solves after a change: median and slowest, how many there were, and whether each was certified and cost what a cold one did. */
export interface Warm {
  readonly median: number;
  readonly slowest: number;
  readonly runs: number;
  readonly agree: boolean;
}

/** Solves at most so many times, and goes on only while this share of the time is left. */
const RUNS = 7;
const SHARE = 0.3;

/** How often each kind of change is made. */
const ROUNDS = 3;

const [name = "", marketText = "", seconds = ""] = process.argv.slice(2);
const market = JSON.parse(marketText) as MarketSize;
const problem = marketProblem(market);
const form = formTime(market);
const measured = FOREIGN[name] ? await measureForeign() : await measureOwn();
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function measureOwn(): Promise<Measured> {
  const createSolver = SOLVERS[name];
  if (!createSolver) throw new Error(`There is no solver ${name}, only ${Object.keys(SOLVERS).join(", ")}.`);
  const solver = await createSolver();
  const before = process.memoryUsage.rss();
  const times: number[] = [];
  let primal = timed(times, () => solver.solve(problem));
  while (times.length < RUNS && sum(times) < Number(seconds) * 1000 * SHARE) {
    primal = timed(times, () => solver.solve(problem));
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  const warm = solver === networkSimplex ? { warm: measureWarm() } : {};
  return { ...warm, ...summary(times, primal), peak, before: before / 2 ** 20 };
}

async function measureForeign(): Promise<Measured> {
  const times: number[] = [];
  let peak = 0;
  let primal: Primal;
  do {
    const solution = await solveForeign(name, problem);
    times.push(solution.milliseconds);
    peak = Math.max(peak, solution.megabytes);
    ({ primal } = solution);
  } while (times.length < 3 && sum(times) < Number(seconds) * 1000 * SHARE);
  return { ...summary(times, primal), peak, before: 0 };
}

/** One small change after the other, each solved from where the last solve ended, certified, and compared with a cold one. */
function measureWarm(): Warm {
  const solver = new WarmNetworkSimplex();
  const random = randomNumbers(market.seed);
  let now: Problem = problem;
  solver.solve(now);
  const times: number[] = [];
  let agree = true;
  for (let round = 0; round < ROUNDS; round++) {
    for (const change of Object.values(CHANGES)) {
      now = change(now, (below) => Math.floor(random() * below));
      const primal = timed(times, () => solver.solve(now));
      agree &&= findPrices(now, primal).optimal && objective(now, primal) === objective(now, networkSimplex.solve(now));
    }
  }
  return { median: median(times), slowest: Math.max(...times), runs: times.length, agree };
}

function summary(times: readonly number[], primal: Primal) {
  const proofs: number[] = [];
  let finding = timed(proofs, () => findPrices(problem, primal));
  for (let i = 0; i < 4; i++) finding = timed(proofs, () => findPrices(problem, primal));
  return {
    form,
    first: times[0] ?? 0,
    median: median(times),
    runs: times.length,
    cost: String(objective(problem, primal)),
    certified: finding.optimal,
    certificate: median(proofs),
  };
}

function formTime(size: MarketSize): number {
  const supply = marketNodes(size);
  const times: number[] = [];
  for (let i = 0; i < 3; i++) timed(times, () => supply.map((nodes) => supplySteps(nodes, MARKET_TICK)));
  return median(times);
}

/** Runs something and notes the processor time of this thread, which other processes on the machine do not add to. */
function timed<T>(list: number[], run: () => T): T {
  const start = process.threadCpuUsage();
  const result = run();
  const { user, system } = process.threadCpuUsage(start);
  list.push((user + system) / 1000);
  return result;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
