/**
 * Solvers of the allocation problem side by side: `npm run bench:lp -- [--quick] [--json] [--write] [--no-python]`.
 *
 *     --quick        fewer markets and less time for each, under three minutes
 *     --json         print JSON instead of tables
 *     --write        put the tables into docs/reference/benchmarks.md and the plot into docs/images/solvers.svg
 *     --no-python    leave out the solvers that Python runs
 *
 * Each solver solves each market in a process of its own, with three seeds. One that runs out of time or memory is not
 * asked about larger markets. OR-Tools and HiGHS come from PyPI, into an environment that is made once below `.data/`; Clp
 * and SciPy join in if they are installed. Exits with 1 if two solvers find different costs, if a solution is not optimal,
 * or if a goal is missed; of solvers that calculate with tolerances (Clp, SciPy) a wrong result is only reported.
 */

import { type Limits, measure, type Outcome } from "./lp/child.ts";
import { available, isForeign } from "./lp/foreign.ts";
import { answers, FLAT, LARGE, type Market, QUICK, ROUNDS, SOLVERS } from "./lp/instances.ts";
import { measurePlan, PLAN_CASES } from "./lp/plan.ts";
import { chart, disagreements, goalsOf, type PlanRow, reportText, type SolverRow } from "./lp/report.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { load, machine, writePicture, writeSection } from "./report.ts";

const flags = benchCommand(
  "bench:lp",
  "Solvers of the allocation problem side by side",
  "fewer markets and less time for each, under three minutes",
)
  .option("--no-python", "leave out the solvers that Python runs: OR-Tools, HiGHS, SciPy and Clp")
  .parse()
  .opts<BenchFlags & { python: boolean }>();
const limits: Limits = { seconds: flags.quick ? 3 : 10, megabytes: 2048 };
const busy = load();
const { commands, missing } = flags.python ? available({ install: true }) : { commands: {}, missing: [] };
for (const line of missing) process.stderr.write(`${line} (--no-python leaves out all of them.)\n`);
const names = [...Object.keys(SOLVERS), ...Object.keys(commands)];

const plans: PlanRow[] = [];
for (const each of flags.quick ? PLAN_CASES.slice(0, 2) : PLAN_CASES) {
  progress(`whole plan: ${JSON.stringify(each)}`);
  plans.push({ case: each, figures: measurePlan(each, flags.quick ? 4 : 10) });
}
const rounds = await measureAll(flags.quick ? QUICK.slice(0, 2) : ROUNDS);
const large = await measureAll(flags.quick ? QUICK.slice(2) : LARGE);
const flat = flags.quick ? [] : await measureAll(FLAT);

const rows = [...rounds, ...large, ...flat];
const wrong = disagreements(rows);
const goals = goalsOf(plans, rounds, large);
const found = { machine: machine(), load: busy, limits, missing, plans, rounds, large, flat, wrong, goals };
process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : reportText(found));
if (flags.write) {
  const picture = writePicture("solvers.svg", chart(rows, names), "Time of each solver against the number of tasks");
  writeSection("bench:lp", `${reportText(found)}\n${picture}`);
}
for (const { words } of wrong) process.stderr.write(`${words}\n`);
const failed = wrong.some(({ solver }) => solver !== "clp" && solver !== "scipy") || goals.some(({ met }) => !met);
process.exitCode = failed ? 1 : 0;

async function measureAll(markets: readonly Market[]): Promise<SolverRow[]> {
  const beaten = new Set<string>();
  const measured: SolverRow[] = [];
  for (const market of markets) {
    for (const solver of names.filter((name) => answers(name, market))) {
      progress(`${JSON.stringify(market)}: ${solver}`);
      const command = isForeign(solver) ? commands[solver] : undefined;
      const outcome: Outcome | undefined = beaten.has(solver)
        ? undefined
        : await measure(solver, market, limits, command);
      if (outcome?.kind === "time" || outcome?.kind === "memory") beaten.add(solver);
      measured.push({ market, solver, outcome });
    }
  }
  return measured;
}

function progress(words: string): void {
  if (!flags.json) process.stderr.write(`${words}\n`);
}
