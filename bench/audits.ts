/**
 * Audits on the real contracts: `npm run simulate:audits -- [--quick] [--json] [--write] [--seed <n>] [--keep <file>]`.
 *
 *     --quick    an arena of each kind, under three minutes
 *     --json     print JSON instead of tables
 *     --write    put the tables into docs/reference/benchmarks.md
 *     --seed     other draws (default 1)
 *     --keep     a file for what was played: a run that was broken off goes on from it
 *
 * Nodes train a small program and post its states; five ways of posting what was not computed, and lazy verifiers, meet the
 * deployed contracts; so does honest work that is disturbed, with a third of the verifiers colluding against it. Exits with 1 if
 * a goal is missed.
 */

import { Output } from "@verai/devnet/output";
import { interruptible } from "@verai/process/program";
import { jobsOf, partsOf, QUICK, WHOLE } from "./audits/campaign.ts";
import { bestGain } from "./audits/gain.ts";
import { KeptResults } from "./audits/kept.ts";
import { cellsOf, goalsOf } from "./audits/judge.ts";
import { playAll } from "./audits/processes.ts";
import { auditReport } from "./audits/report.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { writeSection } from "./report.ts";

/** BASE's parameters: smallest loss and usual chance, basis points; stake of a unit, micro-VER. */
const TERMS = { loss: 5_000, floor: 100 } as const;
const STAKE_PER_UNIT = 100_000_000;

const flags = benchCommand(
  "simulate:audits",
  "Audits on the real contracts: cheats, lazy and colluding verifiers, and honest work that is disturbed",
  "an arena of each kind, under three minutes",
)
  .option("--seed <number>", "other draws", wholeNumber(), 1)
  .option("--keep <file>", "keep what was played in this file, and go on from what it has")
  .parse()
  .opts<BenchFlags & { seed: number; keep?: string }>();
const screen = new Output();
const interrupted = interruptible((text) => {
  screen.say(text);
});

const kept = new KeptResults(flags.keep);
const jobs = jobsOf(partsOf(flags.quick ? QUICK : WHOLE), flags.seed);
const results = await playAll(
  jobs,
  (job) => kept.of(job),
  (finished, job, result) => {
    kept.add(job, result);
    const { scenario } = job;
    if (!flags.json)
      screen.progress("arenas", finished / jobs.length, `${String(finished)}/${String(jobs.length)} ${scenario.name}`);
  },
  interrupted,
).catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
screen.close();
const cells = cellsOf(results);
const best = bestGain(TERMS, STAKE_PER_UNIT);
const goals = goalsOf(cells, best, !flags.quick);
const text = auditReport(cells, goals, best, flags.seed);
if (flags.json) process.stdout.write(`${JSON.stringify({ seed: flags.seed, cells, best, goals })}\n`);
else process.stdout.write(text);
if (flags.write) writeSection("simulate:audits", text);
process.exit(goals.every(({ met }) => met) ? 0 : 1);
