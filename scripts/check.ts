/**
 * Runs the checks and sums up. Those that mostly wait, for blocks or for time-outs, run beside those that compute, as far as
 * the cores carry it.
 *
 *     node scripts/check.ts           everything: `npm test`
 *     node scripts/check.ts --fast    what needs no network of processes: `npm run test:fast`
 */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { Option } from "commander";

import { EXIT, programOf } from "@verai/process/program";
import { failureIn } from "./check/failures.ts";
import { ROOT } from "./check/files.ts";
import { ALL, FAST } from "./check/steps.ts";
import { laneOf, notRun, type Step, toStart } from "./check/schedule.ts";

/** Lines that say at the end why a step failed. */
const FAILURE_LINES = 30;

interface Outcome {
  readonly step: Step;
  readonly passed: boolean;
  readonly printed: string;
  /** Seconds by the clock, and of CPU in all processes of the step. */
  readonly seconds: number;
  readonly cpu: number;
}

const { fast } = programOf("check", "Runs the checks and sums up")
  .addOption(new Option("--fast", "only what needs no network of processes").default(false))
  .parse()
  .opts<{ fast: boolean }>();
const steps = fast ? FAST : ALL;
const cores = Math.max(2, availableParallelism());

// Programs are compiled once for all the processes of the tests.
const compileCache = join(ROOT, ".data", "compile-cache");
await mkdir(compileCache, { recursive: true });
const environment = {
  NODE_COMPILE_CACHE: compileCache,
  ...process.env,
  PATH: [join(ROOT, "node_modules", ".bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
};

const running = new Map<
  string,
  { readonly step: Step; readonly stop: () => void; readonly outcome: Promise<Outcome> }
>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const { stop } of running.values()) stop();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

const started = performance.now();
const outcomes: Outcome[] = [];
const ended = new Map<string, boolean>();
for (;;) {
  for (const step of toStart(steps, { running: new Set(running.keys()), ended }, cores)) {
    console.log(`${clock()} begins  ${step.name}`);
    running.set(step.name, { step, ...start(step) });
  }
  if (running.size === 0) break;
  const outcome = await Promise.race([...running.values()].map((each) => each.outcome));
  const { step, passed } = outcome;
  running.delete(step.name);
  ended.set(step.name, passed);
  outcomes.push(outcome);
  console.log(`${clock()} ${passed ? "passed " : "FAILED "} ${step.name}`);
}

console.log("\n━━ summary");
for (const { step, passed, seconds, cpu } of steps.flatMap((each) => outcomes.filter((one) => one.step === each))) {
  const lane = laneOf(step);
  console.log(`${passed ? "ok    " : "FAILED"} ${step.name.padEnd(22)} ${lane} ${times(seconds, cpu)}`);
}
const left = notRun(steps, ended);
if (left.length > 0) console.log(`not run: ${left.map(({ name }) => name).join(", ")}`);
for (const lane of ["computing", "waiting"] as const) {
  const own = outcomes.filter(({ step }) => laneOf(step) === lane);
  const sum = (of: "seconds" | "cpu") => own.reduce((all, each) => all + each[of], 0);
  console.log(`${`lane: ${lane}`.padEnd(29)} ${" ".repeat(lane.length)} ${times(sum("seconds"), sum("cpu"))}`);
}
for (const { step, printed } of outcomes.filter(({ passed }) => !passed)) {
  console.log(`\n━━ failed: ${step.name}\n${failureIn(printed, FAILURE_LINES)}\n`);
}
console.log(`in all ${((performance.now() - started) / 1000).toFixed(1)} s on ${String(cores)} cores`);
process.exitCode = left.length === 0 && outcomes.every(({ passed }) => passed) ? EXIT.done : EXIT.failed;

/** Starts a step; what it prints is shown when it has ended, so that steps do not mix. */
function start(step: Step): { readonly stop: () => void; readonly outcome: Promise<Outcome> } {
  const begun = performance.now();
  // The shell adds up what all processes below it have computed.
  const child = spawn("sh", ["-c", '"$@"; code=$?; times >&3; exit $code', "sh", ...step.command], {
    cwd: ROOT,
    env: environment,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A group of its own, which ends as a whole.
    detached: true,
  });
  const chunks: Buffer[] = [];
  let used = "";
  for (const pipe of [child.stdout, child.stderr]) pipe?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdio[3]?.on("data", (chunk: Buffer) => (used += chunk.toString()));
  const outcome = new Promise<Outcome>((resolve) => {
    const end = (passed: boolean) => {
      const printed = Buffer.concat(chunks).toString();
      console.log(`\n━━ ${step.name}\n${printed}`);
      resolve({ step, passed, printed, seconds: (performance.now() - begun) / 1000, cpu: secondsIn(used) });
    };
    child.once("error", (error) => {
      console.error(error.message);
      end(false);
    });
    child.once("close", (code) => {
      end(code === 0);
    });
  });
  const stop = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  return { stop, outcome };
}

/** Sum of all times such as `1m2.5s` that the shell printed. */
function secondsIn(printed: string): number {
  return [...printed.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
}

function times(seconds: number, cpu: number): string {
  return `${seconds.toFixed(1).padStart(7)} s, of CPU ${cpu.toFixed(1).padStart(7)} s`;
}

function clock(): string {
  const seconds = Math.floor((performance.now() - started) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}`;
}
