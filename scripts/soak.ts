/**
 * A month in an hour: `npm run soak -- [--quick] [--seed N] [--days N] [--no-upgrade] [--dry-run] [--json]`.
 *
 *     --quick       45 hours of 20 nodes with every fault once, five minutes
 *     --seed        decides who comes and goes, what is asked for and what fails when; a random one by default, printed
 *     --days        so many days instead of 30, some two minutes each
 *     --no-upgrade  restart agents in place of upgrading them from the version before, as in a clone without history
 *     --dry-run     print what the seed decides, and run nothing
 *     --json        end with one line of JSON on standard output
 *
 * A simulated chain's clock is moved on by five minutes a step. Oracle, keepers of every kind, agents, developers' clients and an indexer are
 * real processes; two hundred nodes and those who have work for them are actors in this one. Exits with 1 if a goal is missed.
 */
import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { orAborted } from "@verai/checkpoint-store/signals";
import { Output, table } from "@verai/devnet/output";
import { ROOT } from "@verai/devnet/processes";
import { EXIT, interruptible, jsonOption, messageOf, programOf, wholeNumber } from "@verai/process/program";
import { linesOf, planSoak, QUICK, sizeOf } from "./soak/plan.ts";
import { type Outcome, Soak } from "./soak/run.ts";
import { judgeOutcome } from "./soak/verdict.ts";

const flags = programOf("soak", "A month of a network in an hour, with every fault, and what came of it")
  .option("--quick", "45 hours of 20 nodes with every fault once, five minutes", false)
  .option("--seed <number>", "decides everything; a random one by default, printed", wholeNumber(0, 2 ** 32 - 1))
  .option("--days <number>", "so many days, some two minutes each (default: 30)", wholeNumber(2, 90))
  .option("--no-upgrade", "restart agents in place of upgrading them from the version before")
  .option("--dry-run", "print what the seed decides, and run nothing", false)
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ quick: boolean; seed?: number; days?: number; upgrade: boolean; dryRun: boolean; json: boolean }>();
const seed = flags.seed ?? randomInt(2 ** 32);
const plan = planSoak(seed, flags.quick ? QUICK : sizeOf(flags.days ?? 30));
if (flags.dryRun) {
  process.stdout.write(
    linesOf(plan)
      .map((line) => `${line}\n`)
      .join(""),
  );
  process.exit();
}
const replay = `npm run soak -- --seed ${String(seed)}${flags.quick ? " --quick" : flags.days === undefined ? "" : ` --days ${String(flags.days)}`}${flags.upgrade ? "" : " --no-upgrade"}`;
const directory = join(ROOT, ".data", "soak");
await rm(directory, { recursive: true, force: true });
const output = new Output();
for (const line of linesOf(plan).slice(0, 3)) output.say(line);
const interrupted = interruptible((text) => {
  output.say(text);
});
let running: { stop: () => Promise<void> } | undefined;
try {
  const played = Soak.play(plan, flags.upgrade, directory, output, interrupted, (soak) => {
    running = soak;
  });
  report(await orAborted(played, interrupted));
} catch (error) {
  output.close();
  await running?.stop().catch(() => undefined);
  if (!interrupted.aborted) {
    process.stderr.write(
      `\n${error instanceof Error ? (error.stack ?? messageOf(error)) : String(error)}\nLogs: ${join(directory, "logs")}\nAgain: ${replay}\n`,
    );
    process.exitCode = EXIT.failed;
  }
}
// Without this, sockets of the chain's last answers keep the process alive for a while.
process.exit();

function report(outcome: Outcome): void {
  output.close();
  const findings = judgeOutcome(plan, outcome);
  const { actors, done, seconds, days, rounds, batches, expired, transactions, reorganised, agentTasks } = outcome;
  const counts = {
    seconds: Math.round(seconds),
    days,
    rounds,
    batches,
    expired,
    transactions,
    reorganised,
    agentTasks,
    actors,
    done,
  };
  process.exitCode = findings.every(({ met }) => met) ? EXIT.done : EXIT.failed;
  if (flags.json) {
    const alerts = outcome.alerts.map(({ name, instance, from, until }) => ({ name, instance, from, until }));
    process.stdout.write(`${JSON.stringify({ seed, size: plan.size, replay, ...counts, alerts, findings })}\n`);
    return;
  }
  const rows = findings.map(({ goal, found, met }) => [met ? "met" : "MISSED", goal, found]);
  process.stdout.write(`${table(["", "goal", "found"], rows)}\n`);
  process.stdout.write(
    `${days.toFixed(1)} days in ${String(Math.round(seconds / 60))} minutes: ${String(rounds)} rounds, ${String(batches)} batches, ${String(expired)} leases expired, ` +
      `${String(transactions)} transactions of actors, of blocks taken back ${String(reorganised.transactions)}; ` +
      `${Object.entries(done)
        .map(([kind, count]) => `${kind} ×${String(count)}`)
        .join(", ")}\n`,
  );
  if (process.exitCode !== EXIT.done) process.stderr.write(`Logs: ${join(directory, "logs")}\nAgain: ${replay}\n`);
}
