/**
 * Puts small faults into the contracts, one at a time, and sees whether a test finds each:
 * `npm run mutate -- [--quick] [--seed <n>] [--only <text>] [--tests <text>] [--list] [--json]`.
 *
 *     --quick    a sample of 24, spread over all contracts, in some ten minutes
 *     --seed     another sample (default 1); the same seed takes the same mutants
 *     --only     mutants whose key has this text, such as `Vault.credit` or `rounding`
 *     --tests    test files whose path has this text alone, such as `invariants/`: what they would find by themselves
 *     --list     print the mutants and run nothing
 *     --json     end with one line of JSON on standard output
 *
 * All mutants are built at once, each behind a switch. For each only the test files are run that come to its place; those in the vault, the
 * certificate and the fences come first. What was tried is kept in `.data/mutate`: a run that was interrupted goes on, and after a change of
 * tests only what depends on the files that changed is tried again. Tests that the switches alone break, by size or gas, do not count. Exits
 * with 1 if a mutant lives that `scripts/mutate/equivalent.json` does not argue away: in the vault, the certificate or a fence any, elsewhere
 * more than one in twenty.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { EXIT, interruptible, jsonOption, programOf, wholeNumber } from "@verai/process/program";
import { Output, table } from "@verai/devnet/output";
import { ROOT } from "@verai/devnet/processes";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import {
  type Fate,
  FUZZ_RUNS,
  isEnough,
  passesOf,
  sampleOf,
  scores,
  type TestFile,
  vitalFirst,
} from "./mutate/hunt.ts";
import { compile, compiledSources, type MutatedProject, Runner, writeProject } from "./mutate/project.ts";
import { ENDLESS, fileOf, Findings, type Usual } from "./mutate/findings.ts";
import type { Mutant, SourceFile } from "./mutate/mutants.ts";

/** What each pass of {@link passesOf} is made of. */
const PASSES = ["the quick tests", "the slow ones", "all runs of the fuzz tests"];
/** Mutants of `--quick`. */
const SAMPLE = 24;
const flags = programOf(
  "mutate",
  "Puts small faults into the contracts, one at a time, and sees whether a test finds each",
)
  .option("--quick", `a sample of ${String(SAMPLE)}, spread over all contracts, in some ten minutes`, false)
  .option("--seed <number>", "another sample; the same seed takes the same mutants", wholeNumber(), 1)
  .option("--only <text>", "mutants whose key has this text, such as Vault.credit or rounding")
  .option("--tests <text>", "test files whose path has this text alone, such as invariants/")
  .option("--list", "print the mutants and run nothing", false)
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ quick: boolean; seed: number; only?: string; tests?: string; list: boolean; json: boolean }>();

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
  const project = writeProject(compiledSources() ?? (await compiled()));
  const matching = project.mutants.filter(({ key }) => key.includes(flags.only ?? ""));
  const mutants = flags.quick ? sampleOf(matching, SAMPLE, randomNumbers(flags.seed)) : matching;
  if (flags.list) {
    for (const { key, line } of mutants) console.log(`${String(line).padStart(4)}  ${key}`);
    return EXIT.done;
  }
  const equivalent = JSON.parse(readFileSync(join(ROOT, "scripts", "mutate", "equivalent.json"), "utf8")) as Record<
    string,
    string
  >;
  const fates = await hunt(chosenTests(project), mutants, (key) => equivalent[key] !== undefined);
  const all = scores(fates, equivalent);
  const survivors = all.flatMap((score) => score.survivors);
  const stale = flags.quick || (flags.only ?? flags.tests) !== undefined ? [] : outdated(equivalent, fates);
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

/** The project with the test files that were asked for. */
function chosenTests({ tests, ...project }: MutatedProject): MutatedProject {
  return { ...project, tests: new Map([...tests].filter(([file]) => file.includes(flags.tests ?? ""))) };
}

/** The contracts' trees, where no build that is kept has them. */
async function compiled(): Promise<SourceFile[]> {
  if (!flags.list) output.say("compiling the contracts");
  await compile(interrupted);
  const sources = compiledSources();
  if (!sources) throw new Error("No build has all contracts as they are: they changed while they were compiled.");
  return sources;
}

/** Tries each mutant that was not tried yet, as many at a time as there are cores. What is argued equivalent meets the quick tests alone. */
async function hunt(
  { folder, tests: files }: MutatedProject,
  mutants: readonly Mutant[],
  isArgued: (key: string) => boolean,
): Promise<Fate[]> {
  const findings = new Findings(folder, files);
  const first = new Runner(folder, true);
  const more = Array.from({ length: Math.max(1, availableParallelism()) - 1 }, () => new Runner(folder));
  const runners = [first, ...more];
  try {
    const usual = await baseline(runners, findings, [...files.keys()]);
    const passing = new Map([...usual].map(([file, { passed }]) => [file, passed]));
    const tests = [...usual].map(([file, { reached, seconds }]): TestFile => {
      const fuzzed = /function (test|invariant)\w*\([^)]/.test(readFileSync(join(folder, file), "utf8"));
      return { file, reached: new Set(reached), seconds, fuzzed };
    });
    const killers = new Map<string, string[]>();
    // Where only some files are asked, what others found does not count.
    const killer = (key: string): string | undefined => {
      const known = findings.killerOf(key);
      return known === ENDLESS || (known !== undefined && files.has(fileOf(known))) ? known : undefined;
    };

    /** The test among those of some files that finds a mutant. */
    const killerOf = async (runner: Runner, { id, key }: Mutant, run: readonly TestFile[], fuzzRuns: number) => {
      const of = run.filter(({ file }) => !findings.hasLived(key, file, fuzzRuns));
      if (of.length === 0) return undefined;
      const seconds = 120 + 20 * of.reduce((sum, each) => sum + each.seconds, 0);
      const request = { mutant: id, files: of.map(({ file }) => file), fuzzRuns };
      const answer = await runner.run(request, seconds, interrupted);
      interrupted.throwIfAborted();
      // One that was not run at all, because what is set up before it failed, has found the mutant as well.
      const passed = new Set(answer?.passed);
      const killer = answer
        ? of.flatMap(({ file }) => passing.get(file) ?? []).find((name) => !passed.has(name))
        : ENDLESS;
      if (killer === undefined) findings.noteLived(key, request.files, fuzzRuns);
      else findings.noteKilled(key, killer);
      return killer;
    };
    for (const [pass, name] of PASSES.entries()) {
      const left = mutants.filter(({ key }) => killer(key) === undefined && (pass === 0 || !isArgued(key)));
      const waiting = vitalFirst(left);
      output.say(`${String(left.length)} of ${String(mutants.length)} mutants are left for ${name}`);
      const next = async (runner: Runner): Promise<void> => {
        for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
          const { runs = [], fuzzRuns = 0 } = passesOf(mutant, tests, killers)[pass] ?? {};
          let killedBy: string | undefined;
          for (const run of runs) killedBy ??= await killerOf(runner, mutant, run, fuzzRuns);
          if (killedBy !== undefined) {
            const file = fileOf(killedBy);
            killers.set(file, [...(killers.get(file) ?? []), mutant.where]);
          }
          output.progress("mutants", 1 - waiting.length / left.length, killedBy ?? `alive: ${mutant.key}`);
        }
      };
      await Promise.all(runners.map(next));
    }
    return mutants.map((mutant) => ({ mutant, killedBy: killer(mutant.key) }));
  } finally {
    for (const runner of runners) runner.close();
    output.close();
  }
}

/** The tests with no mutant switched on: builds them, and shows which the switches alone break and which places each file comes to. */
async function baseline(
  runners: readonly Runner[],
  findings: Findings,
  files: readonly string[],
): Promise<Map<string, Usual>> {
  output.say("building all mutants at once, and running the tests without one");
  // Builds; the others find it built.
  await runners[0]?.run({ mutant: 0, files: [], fuzzRuns: 1 }, 4 * 3600, interrupted);
  interrupted.throwIfAborted();
  const waiting = files.filter((file) => findings.usualOf(file) === undefined);
  let done = files.length - waiting.length;
  const next = async (runner: Runner): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const request = { mutant: 0, files: [file], fuzzRuns: FUZZ_RUNS.first };
      const recorded = await runner.run({ ...request, recording: true }, 3600, interrupted);
      const started = performance.now();
      const answer = await runner.run(request, 3600, interrupted);
      interrupted.throwIfAborted();
      if (!answer || !recorded) throw new Error(`The tests of ${file} do not end without a mutant.`);
      const seconds = (performance.now() - started) / 1000;
      findings.noteUsual(file, { passed: answer.passed, reached: recorded.reached, seconds });
      for (const name of answer.failed) output.say(`does not count, the switches alone break it: ${name}`);
      done += 1;
      output.progress("tests", done / files.length, file);
    }
  };
  await Promise.all(runners.map(next));
  const usual = new Map(files.map((file) => [file, findings.usualOf(file) ?? never(file)] as const));
  const passing = [...usual.values()].reduce((sum, { passed }) => sum + passed.length, 0);
  if (passing === 0) throw new Error("The tests of the mutated contracts did not run at all.");
  output.say(`${String(passing)} tests pass without a mutant`);
  return usual;
}

function never(file: string): never {
  throw new Error(`The tests of ${file} were not run.`);
}

/** Mutants that were argued equivalent and are not, or no longer exist. */
function outdated(equivalent: Readonly<Record<string, string>>, fates: readonly Fate[]): string[] {
  const alive = new Set(fates.filter(({ killedBy }) => killedBy === undefined).map(({ mutant }) => mutant.key));
  return Object.keys(equivalent).filter((key) => !alive.has(key));
}
