/**
 * Runs Solidity tests of a mutated project with one mutant switched on, as often as it is told to. A process of its own: a test that
 * never ends is ended with it.
 *
 * Hardhat is started once: what it would hand to its simulator is kept, and each run goes to the simulator itself. So a run takes the
 * time of its tests and nothing more.
 */
import { type Artifact, type ArtifactId, EdrContext, type SolidityTestRunnerConfigArgs } from "@nomicfoundation/edr";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";

import base from "../../hardhat.config.ts";
import { RECORDING } from "./mutants.ts";

/** What is asked of a runner. */
export interface RunRequest {
  /** The mutant; 0 for none. */
  readonly mutant: number;
  /** Test files below the project. */
  readonly files: readonly string[];
  /** Runs of each fuzz test. */
  readonly fuzzRuns: number;
  /** Whether to say which mutants' places the tests come to; with no mutant only. */
  readonly recording?: boolean;
}

/** What came of it: tests that passed and that failed, as `file: name`. */
export interface RunAnswer {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Mutants whose place was executed; empty unless it was asked for. */
  readonly reached: readonly number[];
}

/** What Hardhat hands to its simulator for a run of all tests. */
interface Prepared {
  readonly context: EdrContext;
  readonly chainType: string;
  readonly artifacts: Artifact[];
  readonly suites: readonly ArtifactId[];
  readonly config: SolidityTestRunnerConfigArgs;
}

const [root = "", build = ""] = process.argv.slice(2);
process.chdir(root);
// What Hardhat prints of each test is of no use here.
process.stdout.write = () => true;

const prepared = prepare();
process.on("message", (request: RunRequest) => {
  void run(request).then((answer) => process.send?.(answer));
});

/** Has Hardhat compile what has changed, and takes what it would run. */
async function prepare(): Promise<Prepared> {
  // What it is called on is handed on with it.
  // oxlint-disable-next-line typescript/unbound-method
  const original = EdrContext.prototype.runSolidityTests;
  const kept: { prepared?: Prepared } = {};
  EdrContext.prototype.runSolidityTests = function keep(this: EdrContext, chainType, artifacts, suites, config) {
    kept.prepared = { context: this, chainType, artifacts, suites, config };
    return Promise.reject(new Error("kept for later"));
  };
  const environment = await createHardhatRuntimeEnvironment({ ...base, tasks: [] }, {}, root);
  await environment.tasks
    .getTask(["test", "solidity"])
    .run({ testFiles: [], chainType: "op", noCompile: build !== "build" });
  EdrContext.prototype.runSolidityTests = original;
  if (!kept.prepared) throw new Error("Hardhat has handed no tests to its simulator.");
  return kept.prepared;
}

async function run({ mutant, files, fuzzRuns, recording = false }: RunRequest): Promise<RunAnswer> {
  const { context, chainType, artifacts, suites, config } = await prepared;
  const coinbase = recording ? RECORDING : BigInt(mutant);
  const wanted = suites.filter(({ source }) => files.includes(fileOf(source)));
  const [passed, failed, reached]: [string[], string[], Set<number>] = [[], [], new Set()];
  if (wanted.length === 0) return { passed, failed, reached: [] };
  let open = wanted.length;
  const finished = Promise.withResolvers<undefined>();
  await context.runSolidityTests(
    chainType,
    artifacts,
    wanted,
    {
      ...config,
      blockCoinbase: Buffer.from(coinbase.toString(16).padStart(40, "0"), "hex"),
      fuzz: { ...config.fuzz, runs: fuzzRuns },
      ...(recording && {
        observability: {
          codeCoverage: {
            onCollectedCoverageCallback: (hits) => {
              for (const hit of hits) reached.add(Number(BigInt(`0x${Buffer.from(hit).toString("hex")}`)));
              return Promise.resolve();
            },
          },
        },
      }),
    },
    // Traces of failures take longer than the tests, and nobody reads them here.
    { buildInfos: [], ignoreContracts: true },
    ({ id, testResults }) => {
      for (const { name, status } of testResults) {
        if (String(status) === "Success") passed.push(`${fileOf(id.source)}: ${name}`);
        if (String(status) === "Failure") failed.push(`${fileOf(id.source)}: ${name}`);
      }
      open -= 1;
      if (open === 0) finished.resolve(undefined);
    },
  );
  await finished.promise;
  return { passed, failed, reached: [...reached] };
}

/** A source as it is called below the project. */
function fileOf(source: string): string {
  return source.replace(/^project\//, "");
}
