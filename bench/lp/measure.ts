/*
 * Measures one solver on one market, in a process of its own so that its memory is its own. Prints one line of JSON.
 * Only `child.ts` starts it: what it loads beside the solver also counts as the solver's start and memory.
 *
 *     node bench/lp/measure.ts <solver> <market as JSON> <seconds> [command of a program that is no library of ours]
 */
import { findPrices } from "@verai/protocol/allocation/certificate";
import { objective, type Primal, type Problem, supplySteps } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { WarmNetworkSimplex } from "@verai/protocol/allocation/network-simplex/warm";
import { CHANGES } from "@verai/protocol/allocation/testing/market-changes";
import { MARKET_TICK, marketNodes, randomNumbers } from "@verai/protocol/allocation/testing/market";
import { cpuMs, median, timed } from "./cpu.ts";
import { allocateForeign, isForeign } from "./foreign.ts";
import { type Market, problemOf, SEEDS, SOLVERS } from "./instances.ts";

/** What a measuring process prints. Times are processor time in milliseconds, memory in MB. */
export interface Measured {
  /** From the start of the solver's process until it can take a problem. */
  readonly start: number;
  /** The first solve of that process, before anything is compiled. */
  readonly first: number;
  /** Maximum memory that the process ever had, and what it had before the first solve. */
  readonly peak: number;
  readonly before: number;
  /** One for each seed. */
  readonly seeds: readonly Seed[];
}

/** What was measured with one seed. */
export interface Seed {
  /** Sorting the market's nodes into the class form, which all solvers start from. */
  readonly form: number;
  /** Median of the solves from nothing. */
  readonly cold: number;
  /** Of a solver that remembers where it ended: solves after small changes. */
  readonly warm?: Warm;
  /** Cost of the solution in micro-VER × 1024. */
  readonly cost: string;
  readonly certified: boolean;
  /** What proving the solution optimal takes, the median of five. */
  readonly certificate: number;
}

/** Solves after a change: median and slowest, and whether each was certified and cost what a cold one did. */
export interface Warm {
  readonly median: number;
  readonly slowest: number;
  readonly agree: boolean;
}

/** Solves at most so many times, and goes on only while this share of the time is left. */
const RUNS = 7;
const SHARE = 0.3;

/** How often each kind of change is made. */
const ROUNDS = 3;

const [name = "", marketText = "", secondsText = "", command = ""] = process.argv.slice(2);
const market = JSON.parse(marketText) as Market;
const seconds = Number(secondsText);
const measured = isForeign(name) ? await measureForeign() : await measureOwn();
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function measureOwn(): Promise<Measured> {
  const createSolver = SOLVERS[name];
  if (!createSolver) throw new Error(`There is no solver ${name}, only ${Object.keys(SOLVERS).join(", ")}.`);
  const solver = await createSolver();
  const start = cpuMs();
  const problems = SEEDS.map((seed) => problemOf(market, seed));
  const before = process.memoryUsage.rss() / 2 ** 20;
  const solved = problems.map((problem) => {
    const times: number[] = [];
    let primal: Primal;
    do primal = timed(times, () => solver.solve(problem));
    while (times.length < RUNS && sum(times) < seconds * 1000 * SHARE);
    return { primal, times };
  });
  const peak = process.resourceUsage().maxRSS / 1024;
  const seeds = solved.map(({ primal, times }, i): Seed => {
    const [problem, seed] = [problems[i] ?? problemOf(market, SEEDS[0]), SEEDS[i] ?? SEEDS[0]];
    const warm = solver === networkSimplex && !market.flat ? { warm: measureWarm(problem, seed) } : {};
    return { ...warm, ...summary(problem, seed, primal), cold: median(times) };
  });
  return { start, first: solved[0]?.times[0] ?? 0, peak, before, seeds };
}

async function measureForeign(): Promise<Measured> {
  if (!isForeign(name)) throw new Error(`${name} is a library.`);
  const runs: { start: number; first: number; peak: number; before: number; seed: Seed }[] = [];
  for (const seed of SEEDS) {
    const problem = problemOf(market, seed);
    const { primal, times, ...rest } = await allocateForeign(name, command, problem, RUNS, seconds * SHARE);
    runs.push({
      ...rest,
      first: times[0] ?? 0,
      seed: { ...summary(problem, seed, primal), cold: median(times) },
    });
  }
  return {
    start: median(runs.map(({ start }) => start)),
    first: runs[0]?.first ?? 0,
    peak: Math.max(...runs.map(({ peak }) => peak)),
    before: Math.max(...runs.map(({ before }) => before)),
    seeds: runs.map(({ seed }) => seed),
  };
}

/** One small change after the other, each solved from where the last solve ended, certified, and compared with a cold one. */
function measureWarm(problem: Problem, seed: number): Warm {
  const solver = new WarmNetworkSimplex();
  const random = randomNumbers(seed);
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
  return { median: median(times), slowest: Math.max(...times), agree };
}

function summary(problem: Problem, seed: number, primal: Primal) {
  const proofs: number[] = [];
  let finding = timed(proofs, () => findPrices(problem, primal));
  for (let i = 0; i < 4; i++) finding = timed(proofs, () => findPrices(problem, primal));
  const supply = marketNodes({ ...market, seed });
  const forms: number[] = [];
  for (let i = 0; i < 3; i++) timed(forms, () => supply.map((nodes) => supplySteps(nodes, MARKET_TICK)));
  return {
    form: median(forms),
    cost: String(objective(problem, primal)),
    certified: finding.optimal,
    certificate: median(proofs),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
