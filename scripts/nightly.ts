/**
 * Runs what takes too long for each change: `npm run test:nightly [-- <lanes…>] [--list]`.
 *
 *     --list           what there is, with minutes
 *     --day <number>   the seed, by default days since 1970: a failure is found again by the same number
 *
 * Every lane runs, also after one has failed; each one's output goes to `.data/nightly/<lane>.log`. Exits with 1 if one failed.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { EXIT, programOf, wholeNumber } from "@verai/process/program";
import { table } from "@verai/devnet/output";
import { ROOT } from "./check/files.ts";
import { commandOf, LANES, nameOf, type NightlyLane } from "./nightly/lanes.ts";

const DAY_MS = 86_400_000;
/** How much longer than on an idle machine a lane may take before it counts as hanging. */
const PATIENCE = 20;
/** Of a failed lane's log, in bytes. */
const SHOWN = 4000;

const NAMES = LANES.map(nameOf);
programOf("nightly", "Runs what takes too long for each change")
  .argument("[lanes...]", `which ones: ${NAMES.join(", ")}`)
  .option("--list", "say what there is, and run nothing", false)
  .option("--day <number>", "the seed, by default days since 1970", wholeNumber(), Math.floor(Date.now() / DAY_MS))
  .action((wanted: string[], { list, day }: { list: boolean; day: number }) => {
    const unknown = wanted.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) {
      process.stderr.write(`There is no lane "${unknown}": name some of ${NAMES.join(", ")}.\n`);
      process.exitCode = EXIT.usage;
      return;
    }
    const lanes = LANES.filter((lane) => wanted.length === 0 || wanted.includes(nameOf(lane)));
    if (list) {
      const rows = lanes.map((lane) => [nameOf(lane), String(lane.minutes), lane.needs ?? "", shown(lane, day)]);
      console.log(table(["lane", "minutes", "needs", "command"], rows));
      return;
    }
    const outcomes = lanes.map((lane) => ({ lane, ...run(lane, day) }));
    console.log(
      table(
        ["lane", "result", "minutes"],
        outcomes.map(({ lane, passed, minutes }) => [nameOf(lane), passed ? "passed" : "FAILED", minutes.toFixed(1)]),
      ),
    );
    process.exitCode = outcomes.every(({ passed }) => passed) ? EXIT.done : EXIT.failed;
  })
  .parse();

function shown(lane: NightlyLane, day: number): string {
  const { args, environment } = commandOf(lane, day);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [...variables, "npm", ...args].join(" ");
}

function run(lane: NightlyLane, day: number): { readonly passed: boolean; readonly minutes: number } {
  const name = nameOf(lane);
  const folder = join(ROOT, ".data", "nightly");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.log`);
  console.log(`begins ${name}: ${shown(lane, day)}`);
  const log = openSync(file, "w");
  const started = performance.now();
  const { args, environment } = commandOf(lane, day);
  const { status } = spawnSync("npm", args, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", log, log],
    timeout: PATIENCE * lane.minutes * 60_000,
  });
  closeSync(log);
  if (status !== 0) console.log(`${name} failed:\n${readFileSync(file, "utf8").slice(-SHOWN)}\n(all of it: ${file})`);
  return { passed: status === 0, minutes: (performance.now() - started) / 60_000 };
}
