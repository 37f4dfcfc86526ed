import type { Mutant } from "./mutants.ts";

/** What became of a mutant. */
export interface Fate {
  readonly mutant: Mutant;
  /** The first test that failed, or "did not end"; undefined if all passed. */
  readonly killedBy: string | undefined;
}

/** What is known of a test file. */
export interface TestFile {
  readonly file: string;
  /** Mutants whose place its tests come to. */
  readonly reached: ReadonlySet<number>;
  readonly seconds: number;
  /** Whether some of its tests take random input: with more runs they may find what they missed. */
  readonly fuzzed: boolean;
}

/** Seconds of tests in the first run; each next one is twice as long. Most mutants die in the first. */
const FIRST_SECONDS = 4;

/**
 * Which test files are run for a mutant, and in what order: only those that come to its place; first files that killed its
 * neighbours, then those named like its contract or its folder, then the quick ones. In runs, each about twice as long as the one
 * before it. Pure. O(n · log n) in files.
 *
 * @param killers Test file → places (contract and function) of the mutants it killed.
 */
export function testOrder(
  mutant: Mutant,
  tests: readonly TestFile[],
  killers: ReadonlyMap<string, readonly string[]>,
): TestFile[][] {
  const [contract = ""] = mutant.where.split(".");
  const folder = mutant.file.split("/").slice(1, 3).join("/");
  const score = ({ file, seconds }: TestFile): number => {
    const places = killers.get(file) ?? [];
    const here = places.filter((place) => place === mutant.where).length;
    const near = places.filter((place) => place.split(".")[0] === contract).length;
    const named = file.endsWith(`/${contract}.t.sol`) ? 40 : 0;
    return (1 + here * 100 + near + named + (file.includes(`/${folder}/`) ? 10 : 0)) / (1 + seconds);
  };
  const sorted = tests
    .filter(({ reached }) => reached.has(mutant.id))
    .toSorted((a, b) => score(b) - score(a) || (a.file < b.file ? -1 : 1));
  const runs: TestFile[][] = [];
  let [limit, sum] = [FIRST_SECONDS, 0];
  for (const test of sorted) {
    const last = runs.at(-1);
    if (last && sum + test.seconds <= limit) last.push(test);
    else {
      if (last) limit *= 2;
      sum = 0;
      runs.push([test]);
    }
    sum += test.seconds;
  }
  return runs;
}

/** Test files that take longer than so many seconds are left for what lived through the others. */
const QUICK_SECONDS = 8;
/** Runs of a fuzz test at first, and for what lived through that. */
export const FUZZ_RUNS = { first: 24, all: 256 };

/** Test runs that a mutant goes through before all mutants go through the next ones. */
export interface Pass {
  readonly runs: readonly TestFile[][];
  readonly fuzzRuns: number;
}

/**
 * A mutant's test runs in three passes: quick files and those named like its contract, then the slow ones, then the fuzz tests with all
 * their runs. Few mutants come to the second. Pure.
 */
export function passesOf(
  mutant: Mutant,
  tests: readonly TestFile[],
  killers: ReadonlyMap<string, readonly string[]>,
): readonly [Pass, Pass, Pass] {
  const [contract = ""] = mutant.where.split(".");
  const isQuick = ({ file, seconds }: TestFile) => seconds <= QUICK_SECONDS || file.endsWith(`/${contract}.t.sol`);
  const runsOf = (of: readonly TestFile[]) => testOrder(mutant, of, killers);
  return [
    { runs: runsOf(tests.filter(isQuick)), fuzzRuns: FUZZ_RUNS.first },
    { runs: runsOf(tests.filter((test) => !isQuick(test))), fuzzRuns: FUZZ_RUNS.first },
    { runs: runsOf(tests.filter(({ fuzzed }) => fuzzed)), fuzzRuns: FUZZ_RUNS.all },
  ];
}

/** Mutants in the order in which they are tried: where none may live first. Pure. */
export function vitalFirst(mutants: readonly Mutant[]): Mutant[] {
  return mutants.toSorted((a, b) => Number(isVital(b)) - Number(isVital(a)));
}

/** Mutants of a sample, the same for the same seed, spread over all kinds and files. Pure. */
export function sampleOf(mutants: readonly Mutant[], size: number, random: () => number): Mutant[] {
  const left = [...mutants];
  const chosen: Mutant[] = [];
  while (chosen.length < size && left.length > 0) {
    const counts = new Map<string, number>();
    for (const { file } of chosen) counts.set(file, (counts.get(file) ?? 0) + 1);
    const least = Math.min(...left.map(({ file }) => counts.get(file) ?? 0));
    const rare = left.filter(({ file }) => (counts.get(file) ?? 0) === least);
    const one = rare[Math.floor(random() * rare.length)];
    if (!one) break;
    chosen.push(one);
    left.splice(left.indexOf(one), 1);
  }
  return chosen;
}

/** A part of the contracts, with how many of its mutants died. */
export interface Score {
  readonly part: string;
  readonly mutants: number;
  readonly killed: number;
  readonly equivalent: number;
  readonly survivors: readonly Mutant[];
}

/** Where every mutant has to die: money and the certificate; and fences, wherever they are looked at. */
const VITAL =
  /core\/(vault\/|rounds\/(Certificate|Layout|RoundPost)|nodes\/(Listings|TickTree))|types\/(Fill|ClassSet)/;

/** Whether nothing is allowed to go unnoticed here. Pure. */
function isVital({ file, before }: Mutant): boolean {
  return VITAL.test(file) || /fence/i.test(before);
}

/** Scores by folder. @param equivalent Keys of mutants that no test can tell from the code, with the argument. Pure. */
export function scores(fates: readonly Fate[], equivalent: Readonly<Record<string, string>>): Score[] {
  const parts = Map.groupBy(fates, ({ mutant }) => mutant.file.split("/").slice(1, -1).join("/"));
  return [...parts]
    .map(([part, all]): Score => {
      const lived = all.filter(({ killedBy }) => killedBy === undefined).map(({ mutant }) => mutant);
      const survivors = lived.filter(({ key }) => equivalent[key] === undefined);
      return {
        part,
        mutants: all.length,
        killed: all.length - lived.length,
        equivalent: lived.length - survivors.length,
        survivors,
      };
    })
    .toSorted((a, b) => (a.part < b.part ? -1 : 1));
}

/** Whether enough died: all where money and the certificate are, else 95 % of those that are not argued equivalent. Pure. */
export function isEnough(all: readonly Score[]): boolean {
  const survivors = all.flatMap((score) => score.survivors);
  const counted = all.reduce((sum, { mutants, equivalent }) => sum + mutants - equivalent, 0);
  const killed = all.reduce((sum, score) => sum + score.killed, 0);
  return killed >= 0.95 * counted && survivors.every((mutant) => !isVital(mutant));
}
