import { lineChart, type Series } from "../plot.ts";
import { machine, markdownTable } from "../report.ts";
import type { Limits, Outcome } from "./child.ts";
import { median } from "./cpu.ts";
import { describeMarket, type Market, SEEDS } from "./instances.ts";
import type { Measured, Seed } from "./measure.ts";
import { PLAN_GOAL, type PlanCase, type PlanFigures } from "./plan.ts";

/** What became of a solver on a market; undefined: it went beyond its limits on a smaller one. */
export interface SolverRow {
  readonly market: Market;
  readonly solver: string;
  readonly outcome: Outcome | undefined;
}

export interface PlanRow {
  readonly case: PlanCase;
  readonly figures: PlanFigures;
}

/** Everything that a run finds. */
export interface Found {
  readonly load: number;
  readonly limits: Limits;
  readonly missing: readonly string[];
  readonly plans: readonly PlanRow[];
  readonly rounds: readonly SolverRow[];
  readonly large: readonly SolverRow[];
  readonly flat: readonly SolverRow[];
  readonly wrong: readonly { readonly solver: string; readonly words: string }[];
  readonly goals: readonly Goal[];
}

/** A figure, what it is to be at most, and whether it is. */
export interface Goal {
  readonly figure: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
}

/** Milliseconds that the clock of processor time tells apart, at worst. */
const CLOCK = 1;

/** Milliseconds between two blocks of BASE: a round's solve and its proof are to fit. */
const BLOCK = 2000;

/** Memory of a solver's whole process, MB. */
const MEMORY = 512;

/** The solver of keepers, and those that it is held against. */
const OURS = "network-simplex";
const RIVALS = ["ortools-flow", "highs-native", "clp", "scipy"];

/** What is wrong with the solutions, in words. The same market flat must cost the same. */
export function disagreements(all: readonly SolverRow[]): { solver: string; words: string }[] {
  const costs = new Map<string, string>();
  return all.flatMap(({ market, solver, outcome }) => {
    const where = `${describeMarket(market)}: ${solver}`;
    if (outcome?.kind === "failed") return [{ solver, words: `${where} failed: ${outcome.why}.` }];
    const words = (outcome?.kind === "solved" ? outcome.measured.seeds : []).flatMap(({ cost, certified, warm }, i) => {
      const key = describeMarket({ ...market, ...(market.flat && { flat: undefined }) } as Market) + String(SEEDS[i]);
      const known = costs.get(key) ?? cost;
      costs.set(key, known);
      return [
        ...(certified ? [] : [`${where} finds a solution that is not optimal with seed ${SEEDS[i] ?? ""}.`]),
        ...(known === cost ? [] : [`${where} finds a cost of ${cost} where another solver finds ${known}.`]),
        ...(warm && !warm.agree ? [`${where} finds another cost from a warm start than from a cold one.`] : []),
      ];
    });
    return words.map((each) => ({ solver, words: each }));
  });
}

/** The goals and whether they are met. */
export function goalsOf(plans: readonly PlanRow[], rounds: readonly SolverRow[], large: readonly SolverRow[]): Goal[] {
  const ours = [...rounds, ...large].filter(({ solver }) => solver === OURS);
  return [
    ...plans.map(({ case: each, figures: { ratio } }) => ({
      figure: `whole plan of ${describeCase(each)}, relative to sorted greedy`,
      measured: `${ratio.toFixed(2)} ×`,
      goal: `≤ ${PLAN_GOAL} ×`,
      met: ratio <= PLAN_GOAL,
    })),
    ...ours.flatMap(({ market, outcome }) => {
      const all = market.tasks > 32 ? large : rounds;
      const where = describeMarket(market);
      if (outcome?.kind !== "solved") {
        return [{ figure: where, measured: "not solved", goal: "solved", met: false }];
      }
      const rival = fastestRival(all, market);
      const [cold, proof] = [medianOf(outcome.measured, coldOf), medianOf(outcome.measured, proofOf)];
      const whole = outcome.measured.first + proof;
      return [
        ...(rival === undefined
          ? []
          : [
              {
                figure: `${where}: cold`,
                measured: time(cold),
                goal: `≤ ${time(Math.max(rival.cold, CLOCK))}, as ${rival.solver} takes`,
                met: cold <= Math.max(rival.cold, CLOCK),
              },
            ]),
        {
          figure: `${where}: first solve and certificate`,
          measured: time(whole),
          goal: `≤ ${time(BLOCK)}, a block of BASE`,
          met: whole <= BLOCK,
        },
        {
          figure: `${where}: memory`,
          measured: megabytes(outcome.measured.peak),
          goal: `≤ ${MEMORY} MB`,
          met: outcome.measured.peak <= MEMORY,
        },
      ];
    }),
  ];
}

/** The fastest of the other solvers on a market, cold. */
function fastestRival(all: readonly SolverRow[], market: Market): { solver: string; cold: number } | undefined {
  return all
    .flatMap(({ market: its, solver, outcome }) =>
      its === market && RIVALS.includes(solver) && outcome?.kind === "solved"
        ? [{ solver, cold: medianOf(outcome.measured, coldOf) }]
        : [],
    )
    .sort((a, b) => a.cold - b.cold)[0];
}

const coldOf = ({ cold }: Seed): number => cold;
const proofOf = ({ certificate }: Seed): number => certificate;

function medianOf({ seeds }: Measured, of: (seed: Seed) => number | undefined): number {
  return median(seeds.flatMap((seed) => of(seed) ?? []));
}

/** The report as Markdown. */
export function reportText(found: Found): string {
  const { limits, wrong, missing } = found;
  const agreement =
    wrong.length === 0
      ? "All solutions of a market cost the same to the last 1024th of a micro-VER, warm or cold, and all are certified."
      : wrong.map(({ words }) => words).join("\n");
  return [
    `${machine()}; load average ${found.load.toFixed(1)} when it began. At most ${limits.seconds} s and ` +
      `${limits.megabytes} MB for each solver, market and seed; one that went beyond them is not asked about larger markets.`,
    "All times are processor time, user and system, of all threads of the solver's process and of those that it starts, so",
    `that other work on the machine matters little; the clock is no finer than ${CLOCK} ms everywhere.`,
    "",
    agreement,
    ...missing.map((line) => `${line}`),
    "",
    "#### The whole plan of a round",
    "",
    "`planRound` validates the listing, solves, proves the result optimal, packs the post and verifies the packed bytes. *Sorted",
    "greedy* only picks nodes: it collects the offers that the task can pay, sorts them by price and takes them until it has its",
    "units; once with *objects* and a comparing function, once with price and place as one number in a typed *array*. *Ratio*: to",
    "the faster of the two, which take turns with the plan in one process; medians over three seeds. *Order*: of the list, as",
    "nodes registered, or by price as keepers read it.",
    "",
    planTable(found.plans),
    "#### Sizes that rounds can have",
    "",
    "*First*: the first solve of a process, before anything is compiled. *Cold*: solves from nothing, the solver's own model",
    "built from arrays and its values read back each time; median over three seeds of the median of up to seven, and from the",
    "fastest to the slowest seed. *Warm*: median, and slowest, of 24 solves for each seed, each after one change: a node joins,",
    "leaves or asks another price, a task arrives, is done, wants or pays more or less, or there is another seed. *Proof*: proving",
    "a solution optimal. *Start*: from starting the solver's process until it can take a problem, stated apart; sorting nodes",
    "into the class form and reading files count nowhere here. *Memory*: the process's maximum, and *before* its first solve.",
    "`network-simplex` and `cheapest-first` are keepers' solvers. `ortools-flow` (min-cost flow) and `highs-native` are native",
    "code from PyPI, `clp` and `scipy` from Debian; `clp` is a program that also reads and writes files each time.",
    "",
    solverTable(found.rounds, limits),
    "#### Larger than any round",
    "",
    solverTable(found.large, limits),
    ...(found.flat.length > 0
      ? [
          "#### Flat form",
          "",
          "The same market with an unknown for each task and node, which is how the problem is usually written down; everything",
          "else here is the class form, in which nodes of a class and price are one step of supply. The optimum is the same.",
          "",
          solverTable(found.flat, limits),
        ]
      : []),
    "#### Goals",
    "",
    markdownTable(
      [
        { heading: "figure" },
        { heading: "measured", align: "right" },
        { heading: "goal", align: "right" },
        { heading: "" },
      ],
      found.goals.map(({ figure, measured, goal, met }) => [figure, measured, goal, met ? "met" : "**missed**"]),
    ),
  ].join("\n");
}

function describeCase({ nodes, classes, nodeUnits, order }: PlanCase): string {
  const [kinds, size] = [classes === 1 ? "1 class" : `${classes} classes`, nodeUnits === 1 ? "1" : `1–${nodeUnits}`];
  const sorted = order === "price" ? "by price" : "as registered";
  return `1 task, ${nodes.toLocaleString("en")} nodes of ${size} units in ${kinds}, ${sorted}`;
}

function planTable(plans: readonly PlanRow[]): string {
  return markdownTable(
    [
      { heading: "round" },
      ...["leases", "whole plan", "objects", "array", "ratio", "goal"].map(
        (heading) => ({ heading, align: "right" }) as const,
      ),
    ],
    plans.map(({ case: each, figures: { plan, objects, arrays, ratio, leases } }) => [
      describeCase(each),
      String(leases),
      time(plan),
      time(objects),
      time(arrays),
      `${ratio.toFixed(2)} ×`,
      `≤ ${PLAN_GOAL} ×`,
    ]),
  );
}

function solverTable(all: readonly SolverRow[], limits: Limits): string {
  const headings = ["first", "cold", "from – to", "goal", "warm", "slowest", "proof", "start", "memory", "before"];
  return markdownTable(
    [
      { heading: "market" },
      { heading: "solver" },
      ...headings.map((heading) => ({ heading, align: "right" }) as const),
    ],
    all.map(({ market, solver, outcome }, i) => {
      const rival = solver === OURS ? fastestRival(all, market) : undefined;
      const cells =
        outcome?.kind === "solved"
          ? solvedCells(outcome.measured, rival === undefined ? "" : `≤ ${time(Math.max(rival.cold, CLOCK))}`)
          : [missing(outcome, limits), ...headings.slice(1).map(() => "")];
      return [all[i - 1]?.market === market ? "" : describeMarket(market), solver, ...cells];
    }),
  );
}

function solvedCells(measured: Measured, goal: string): string[] {
  const { start, first, peak, before, seeds } = measured;
  const colds = seeds.map(coldOf);
  const warm = seeds.flatMap((seed) => seed.warm ?? []);
  const certified = seeds.every((seed) => seed.certified);
  return [
    time(first),
    time(median(colds)),
    `${time(Math.min(...colds))} – ${time(Math.max(...colds))}`,
    goal,
    warm.length > 0 ? time(median(warm.map((each) => each.median))) : "",
    warm.length > 0 ? time(Math.max(...warm.map((each) => each.slowest))) : "",
    certified ? time(medianOf(measured, proofOf)) : "refused",
    time(start),
    megabytes(peak),
    megabytes(before),
  ];
}

function missing(outcome: Exclude<Outcome, { kind: "solved" }> | undefined, limits: Limits): string {
  if (!outcome) return "not asked";
  if (outcome.kind === "failed") return "failed";
  return outcome.kind === "time" ? `> ${limits.seconds} s` : `> ${limits.megabytes} MB`;
}

function megabytes(amount: number): string {
  return `${amount.toFixed(0)} MB`;
}

function time(milliseconds: number): string {
  if (milliseconds < CLOCK) return `< ${CLOCK} ms`;
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(0)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Time against tasks, for the markets of many tasks whose tasks accept half of the classes. */
export function chart(all: readonly SolverRow[], names: readonly string[]): string {
  const points = (solver: string, of: (seed: Seed) => number | undefined) =>
    all.flatMap(({ market, solver: its, outcome }) => {
      const plain = market.tasks > 1 && market.density === 0.5 && market.demand === 0.9 && !market.flat;
      if (its !== solver || !plain || outcome?.kind !== "solved") return [];
      return [[market.tasks, Math.max(medianOf(outcome.measured, of), CLOCK)] as const];
    });
  const cold: Series[] = names
    .filter((name) => name !== "cheapest-first")
    .map((name) => ({ name, points: points(name, coldOf) }));
  const warm: Series = { name: `${OURS}, warm`, points: points(OURS, (it) => it.warm?.median), dashed: true };
  const proof: Series = { name: "proof", points: points(OURS, proofOf), dashed: true };
  return lineChart({
    title: "Time to the optimum",
    subtitle: `Processor time. Tasks that accept half of up to 96 classes, up to 100,000 nodes. ${machine()}`,
    x: { label: "tasks", log: true },
    y: { label: `milliseconds (${CLOCK}: or less)`, log: true },
    series: [...cold, warm, proof],
  });
}
