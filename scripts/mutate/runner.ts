/**
 * Runs Solidity tests of a built project with one mutant switched on, as often as it is told to. A process of its own: a test that
 * never ends is ended with it.
 */
import { createHardhatRuntimeEnvironment } from "hardhat/hre";

import base from "../../hardhat.config.ts";

/** What is asked of a runner. */
export interface RunRequest {
  /** The mutant; 0 for none. */
  readonly mutant: number;
  /** Test files below the project. */
  readonly files: readonly string[];
}

/** What came of it: tests that passed and that failed, as `file: name`. */
export interface RunAnswer {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** The part of Hardhat's result that is looked at. */
interface SuiteResult {
  readonly id: { readonly source: string };
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

const [root = ""] = process.argv.slice(2);
process.chdir(root);
// What Hardhat prints of each test is of no use here.
process.stdout.write = () => true;

process.on("message", (request: RunRequest) => {
  void run(request).then((answer) => process.send?.(answer));
});

async function run({ mutant, files }: RunRequest): Promise<RunAnswer> {
  const coinbase = `0x${mutant.toString(16).padStart(40, "0")}`;
  const test = { ...base.test, solidity: { ...base.test?.solidity, coinbase } };
  const environment = await createHardhatRuntimeEnvironment({ ...base, tasks: [], test }, {}, root);
  const task = environment.tasks.getTask(["test", "solidity"]);
  const result = (await task.run({ testFiles: [...files], chainType: "op", noCompile: mutant > 0 })) as {
    readonly value?: { readonly suiteResults: readonly SuiteResult[] };
    readonly error?: { readonly suiteResults: readonly SuiteResult[] };
  };
  const { suiteResults } = result.value ?? result.error ?? { suiteResults: [] };
  const of = (isOne: (status: string) => boolean): string[] =>
    suiteResults.flatMap(({ id, testResults }) =>
      testResults.filter(({ status }) => isOne(status)).map(({ name }) => `${id.source}: ${name}`),
    );
  return { passed: of((status) => status === "Success"), failed: of((status) => status === "Failure") };
}
