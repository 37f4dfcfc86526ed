/**
 * Puts small faults into the contracts, one at a time, and sees whether a test finds each:
 * `npm run mutate -- [--quick] [--seed <n>] [--only <text>] [--list] [--json]`.
 *
 *     --quick    a sample of 24, spread over all contracts, in some ten minutes
 *     --seed     another sample (default 1); the same seed takes the same mutants
 *     --only     mutants whose key has this text, such as `Vault.credit` or `rounding`
 *     --list     print the mutants and run nothing
 *     --json     end with one line of JSON on standard output
 *
 * All mutants are built at once, each behind a switch. What was tried is kept in `.data/mutate` until contracts or tests change, so
 * that a run that was interrupted goes on. Tests that the switches alone break, by size or gas, do not count. Exits with 1 if a
 * mutant lives that `scripts/mutate/equivalent.json` does not argue away: in the vault, the certificate or a fence any, elsewhere
 * more than one in twenty.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { EXIT, interruptible, jsonOption, programOf, wholeNumber } from "@verai/process/program";
import { Output, table } from "@verai/devnet/output";
import { ROOT } from "@verai/devnet/processes";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { type Fate, isEnough, sampleOf, scores, testOrder } from "./mutate/hunt.ts";
import { compile, compiledSources, Runner, writeProject } from "./mutate/project.ts";
import { Findings } from "./mutate/findings.ts";
import type { Mutant } from "./mutate/mutants.ts";

/** Mutants of `--quick`. */
const SAMPLE = 24;
const flags = programOf(
  "mutate",
  "Puts small faults into the contracts, one at a time, and sees whether a test finds each",
)
  .option("--quick", `a sample of ${String(SAMPLE)}, spread over all contracts, in some ten minutes`, false)
  .option("--seed <number>", "another sample; the same seed takes the same mutants", wholeNumber(), 1)
  .option("--only <text>", "mutants whose key has this text, such as Vault.credit or rounding")
  .option("--list", "print the mutants and run nothing", false)
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ quick: boolean; seed: number; only?: string; list: boolean; json: boolean }>();

const output = new Output();
const interrupted = interruptible((text) => {
  output.say(text);
});
try {
  process.exit(await run());
} catch (error) {
  if (interrupted.aborted) process.exit();
  throw error;
}

async function run(): Promise<number> {
  if (!flags.list) output.say("compiling the contracts");
  await compile(interrupted);
  const project = writeProject(compiledSources());
  const matching = project.mutants.filter(({ key }) => key.includes(flags.only ?? ""));
  const mutants = flags.quick ? sampleOf(matching, SAMPLE, randomNumbers(flags.seed)) : matching;
  if (flags.list) {
    for (const { key, line } of mutants) console.log(`${String(line).padStart(4)}  ${key}`);
    return EXIT.done;
  }
  const fates = await hunt(project, mutants);
  const equivalent = JSON.parse(readFileSync(join(ROOT, "scripts", "mutate", "equivalent.json"), "utf8")) as Record<
    string,
    string
  >;
  const all = scores(fates, equivalent);
  const survivors = all.flatMap((score) => score.survivors);
  const stale = flags.quick || flags.only !== undefined ? [] : outdated(equivalent, fates);
  for (const key of stale)
    output.say(`NOT EQUIVALENT  ${key}: a test found it, or it is gone; take it out of equivalent.json`);
  if (flags.json) process.stdout.write(`${JSON.stringify({ mutants: fates.length, scores: all, stale })}\n`);
  else {
    const rows = all.map(({ part, mutants: count, killed, equivalent: same, survivors: lived }) => [
      part,
      ...[count, killed, same, lived.length].map(String),
    ]);
    console.log(table(["contracts", "mutants", "killed", "equivalent", "alive"], rows));
    for (const { file, line, where, before, after } of survivors)
      console.log(`ALIVE  ${file}:${String(line)}  ${where}: ${before} → ${after === "" ? "(left out)" : after}`);
  }
  return isEnough(all) && stale.length === 0 ? EXIT.done : EXIT.failed;
}

/** Tries each mutant that was not tried yet, as many at a time as there are cores. */
async function hunt({ folder, tests }: ReturnType<typeof writeProject>, mutants: readonly Mutant[]): Promise<Fate[]> {
  const findings = new Findings(folder);
  const runners = Array.from({ length: Math.max(1, availableParallelism()) }, () => new Runner(folder));
  try {
    const usual = findings.usual ?? (await baseline(runners[0] ?? new Runner(folder), tests));
    findings.usual = usual;
    const passes = new Set(usual.passed);
    const seconds = 600 + 10 * usual.seconds;
    const killers = new Map<string, string[]>();
    const waiting = mutants.filter(({ key }) => findings.fateOf(key) === undefined);
    let done = mutants.length - waiting.length;
    const next = async (runner: Runner): Promise<void> => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        let killedBy: string | undefined;
        for (const files of testOrder(mutant, tests, killers)) {
          const answer = await runner.run({ mutant: mutant.id, files }, seconds, interrupted);
          interrupted.throwIfAborted();
          killedBy = answer ? answer.failed.find((name) => passes.has(name)) : "did not end";
          if (killedBy !== undefined) break;
        }
        const file = killedBy?.split(": ")[0];
        if (file !== undefined) killers.set(file, [...(killers.get(file) ?? []), mutant.where]);
        findings.note(mutant.key, killedBy);
        done += 1;
        output.progress("mutants", done / mutants.length, killedBy ?? `ALIVE ${mutant.key}`);
      }
    };
    await Promise.all(runners.map(next));
  } finally {
    for (const runner of runners) runner.close();
    output.close();
  }
  return mutants.map((mutant) => ({ mutant, killedBy: findings.fateOf(mutant.key) ?? undefined }));
}

/** The tests with no mutant switched on: builds them, and shows which the switches alone break. */
async function baseline(runner: Runner, tests: readonly string[]) {
  output.say("building all mutants at once, and running the tests without one");
  const started = performance.now();
  const answer = await runner.run({ mutant: 0, files: tests }, 24 * 3600, interrupted);
  interrupted.throwIfAborted();
  if (!answer || answer.passed.length === 0) throw new Error("The tests of the mutated contracts did not run at all.");
  const seconds = (performance.now() - started) / 1000;
  output.say(
    `${String(answer.passed.length)} tests pass; ${String(answer.failed.length)} do not, by size or gas, and do not count`,
  );
  return { ...answer, seconds };
}

/** Mutants that were argued equivalent and are not, or no longer exist. */
function outdated(equivalent: Readonly<Record<string, string>>, fates: readonly Fate[]): string[] {
  const alive = new Set(fates.filter(({ killedBy }) => killedBy === undefined).map(({ mutant }) => mutant.key));
  return Object.keys(equivalent).filter((key) => !alive.has(key));
}
