/**
 * Proves small parts of the contracts for all values: `npm run prove -- [--only <text>] [--json]`.
 *
 * The proofs are the `check_` functions of `test/symbolic`; Halmos runs them with symbols in place of arguments, and a solver looks for
 * values with which an assertion fails. Exits with 1 if one is refuted, or undecided: out of time, or with paths that were not followed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import hre from "hardhat";

import { Output, table } from "@verai/devnet/output";
import { ROOT } from "@verai/devnet/processes";
import { EXIT, interruptible, jsonOption, programOf } from "@verai/process/program";
import { buildProofs } from "./prove/build.ts";
import { type Proof, proofsOf } from "./prove/results.ts";
import { findPython, PYTHON_WANTED, pythonEnvironment } from "./python/environment.ts";

/** Iterations of a loop that are followed: more than any proof has. */
const LOOPS = "10000";
/** Time of the solver for one assertion; a few seconds are usual. */
const SOLVER = "300s";
/** Time of the solver for one branch, in which it sees that most cannot be taken: with less time each is followed to its end. */
const BRANCH = "500ms";
/** Longest run, milliseconds; two minutes are usual. */
const LONGEST_MS = 3_600_000;

const { only, json } = programOf("prove", "Proves small parts of the contracts for all values")
  .option("--only <text>", "proofs whose name has this text, such as Fee or Consume")
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ only?: string; json: boolean }>();
const output = new Output();
const interrupted = interruptible((text) => {
  output.say(text);
});
const folder = mkdtempSync(join(tmpdir(), "drmp-prove-"));
try {
  process.exitCode = await run();
} catch (error) {
  if (!interrupted.aborted) throw error;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function run(): Promise<number> {
  const python = findPython();
  if (python === undefined) {
    output.say(`SKIPPED  Halmos needs ${PYTHON_WANTED}`);
    return EXIT.done;
  }
  output.say("installing Halmos, unless it was");
  const environment = pythonEnvironment(python, "prove", join(ROOT, "scripts", "prove", "requirements.txt"));
  output.say("compiling test/symbolic");
  const [compiler] = hre.config.solidity.profiles["default"]?.compilers ?? [];
  buildProofs(folder, compiler?.settings as object);
  const proofs = await prove(environment);
  const failed = proofs.filter(({ fate }) => fate !== "proved");
  if (json) process.stdout.write(`${JSON.stringify({ proofs })}\n`);
  else {
    const rows = proofs.map(({ contract, name, fate, seconds }) => [contract, name, fate, seconds.toFixed(1)]);
    console.log(table(["contract", "proof", "", "seconds"], rows));
  }
  if (proofs.length === 0) output.say(`no proof has "${only ?? ""}" in its name`);
  return failed.length === 0 && proofs.length > 0 ? EXIT.done : EXIT.failed;
}

async function prove(environment: string): Promise<Proof[]> {
  // Halmos calls `forge build` before it reads what that left; here it was left already.
  writeFileSync(join(folder, "forge"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  const programs = join(environment, "bin");
  const report = join(folder, "report.json");
  const bounds = ["--loop", LOOPS, "--solver-timeout-assertion", SOLVER, "--solver-timeout-branching", BRANCH];
  const options = ["--root", folder, ...bounds, "--json-output", report];
  if (only !== undefined) options.push("--match-test", `.*${only}`);
  const child = spawn(join(programs, "halmos"), options, {
    cwd: folder,
    env: { ...process.env, PATH: [folder, programs, process.env["PATH"]].join(delimiter), NO_COLOR: "1" },
    // What it says, counterexamples among it, is for people; results go to the file.
    stdio: ["ignore", 2, 2],
    signal: AbortSignal.any([interrupted, AbortSignal.timeout(LONGEST_MS)]),
    // It goes on after SIGTERM.
    killSignal: "SIGKILL",
  });
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return proofsOf(JSON.parse(readFileSync(report, "utf8")) as Parameters<typeof proofsOf>[0]);
}
