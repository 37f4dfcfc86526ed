/**
 * A network of real processes that is disturbed at random, the same for the same seed, while invariants are checked at
 * every step: `npm run chaos -- [--seed N] [--steps N] [--quick] [--base] [--parameters base] [--plan] [--json]`.
 *
 *     --seed     decides what fails when, and what the meters show; a random one by default, printed for a repetition
 *     --steps    how long it goes on; a step is some three seconds with at most one new fault. Default 40
 *     --quick    6 steps, under a minute and a half
 *     --base     with the grace of a lease that BASE has, which no fault here outlasts: any lease that expires is an error
 *     --parameters base
 *                with BASE's grace and interval, whose minutes pass because the chain's clock is moved forward in each step, once
 *                every agent in order has looked at the chain since; that one of these loses a lease is an error
 *     --plan     print all that the seed decides, a line a step, and run nothing
 *     --json     end with one line of JSON on standard output
 *
 * What repeats: the faults, and the load, latency and power of every agent, step by step, and with them the decisions, which
 * agents are relieved and which get work. `--plan` prints these lines; a run with the same seed begins with them. The
 * keepers' code decides by nothing but the chain's state, so the same state gets the same decision, and every move and every
 * report is held against the lines. When a process gets its turn depends on the machine, so that leases may have other
 * numbers, and a move that finds no work to move does not happen. Exits with 1 if an invariant does not hold, if a report
 * or a move does not follow from the seed, if work is lost, or if a result differs from that of an undisturbed training.
 */
import { randomInt } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Option } from "commander";

import { orAborted } from "@verai/checkpoint-store/signals";
import { specBytes } from "@verai/executor/spec";
import { planConditions, recordOf } from "./chaos/conditions.ts";
import { Decisions } from "./chaos/decisions.ts";
import { type ChainState, expired, expiredInOrder, violations } from "./chaos/invariants.ts";
import { Outages } from "./chaos/outages.ts";
import { readState, unheld } from "./chaos/read-state.ts";
import { type PlannedFault, planFaults } from "./chaos/schedule.ts";
import { CHANGES, chaosSpec, UNITS, World, type WorldOptions } from "./chaos/world.ts";
import { EXIT, interruptible, jsonOption, programOf, wholeNumber } from "@verai/process/program";
import { ROOT } from "@verai/devnet/processes";
import { referenceWeights } from "@verai/devnet/reference-run";

const AGENTS = 5;
const DEVELOPERS = 2;
const STEP_MS = 2_500;
/** What the meters show before the first step and when the faults are over, so that every agent may take work. */
const CALM = Array.from({ length: AGENTS }, () => ({ load: 0.05, latency: 0, watts: 40 }));
/** Share beyond the average from which on work moves: the band of a local chain, and the keepers' hysteresis. */
const MARGIN = 0.12;
/** Chain time that each step adds with BASE's parameters, seconds: grace and interval together are nine steps. */
const LEAP = 15;
/** Looks at the chain that agents in order have between two leaps, fewer than on BASE in that time; and the longest wait for them. */
const [LOOKS, LOOKS_MS] = [3, 60_000];
/** Milliseconds between two steps of a unit where the clock is moved: its work lasts for several intervals. */
const SLOW_PACE = 200;
/** Governed times that a run takes from BASE where its clock is moved. */
const TIMES = ["LeaseGrace", "MinCheckpointInterval", "MoveGrace", "MoveCooldown"] as const;
/** Time for everything to come to its end when the faults are over, milliseconds. */
const TIMEOUT_MS = 240_000;

const { json, ...flags } = programOf(
  "chaos",
  "A network of real processes that is disturbed at random, with its invariants checked at every step",
)
  .option("--seed <number>", "decides what fails when; a random one by default, printed", wholeNumber(0, 2 ** 32 - 1))
  .option("--steps <number>", "how long it goes on, some three seconds each (default: 40)", wholeNumber(0, 10_000))
  .option("--quick", "6 steps, under a minute and a half", false)
  .option("--base", "BASE's grace of a lease, which no fault outlasts: no lease may expire", false)
  .addOption(
    new Option(
      "--parameters <network>",
      "BASE's grace and interval, with the chain's clock moved forward: no node in order may lose a lease",
    )
      .choices(["base"])
      .conflicts("base"),
  )
  .option("--plan", "print all that the seed decides, a line a step, and run nothing", false)
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{
    seed?: number;
    steps?: number;
    quick: boolean;
    base: boolean;
    parameters?: "base";
    plan: boolean;
    json: boolean;
  }>();
const seed = flags.seed ?? randomInt(2 ** 32);
const steps = flags.steps ?? (flags.quick ? 6 : 40);
const plan = planFaults(seed, steps, AGENTS);
const conditions = planConditions(seed, steps, AGENTS);
const record = recordOf(plan, conditions, MARGIN);
if (flags.plan) {
  process.stdout.write(record.map((line) => `${line}\n`).join(""));
  process.exit();
}
const isMoved = flags.parameters === "base";
const replay =
  `npm run chaos -- --seed ${String(seed)} --steps ${String(steps)}` +
  (flags.base ? " --base" : "") +
  (isMoved ? " --parameters base" : "");
const times = await timesOfBase();
const options: WorldOptions = isMoved
  ? {
      changes: { ...CHANGES, ...times, SeedTimeout: { value: 4 * LEAP } },
      interval: times.MinCheckpointInterval.value,
      pace: SLOW_PACE,
    }
  : { changes: flags.base ? { ...CHANGES, LeaseGrace: times.LeaseGrace } : CHANGES };
const started = performance.now();
const say = (text: string): void => {
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
};

const directory = join(ROOT, ".data", "chaos");
await rm(directory, { recursive: true, force: true });
say(`seed ${String(seed)}, ${String(steps)} steps: ${replay}`);
for (const line of record) say(line);
const interrupted = interruptible(say);
const world = await orAborted(World.start(directory, AGENTS, CALM, options), interrupted).catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
const survived: Record<string, number> = {};
const decisions = new Decisions(world, CALM, conditions, MARGIN);
const outages = new Outages();
let before: ChainState | undefined;
let accounts: string[] = [];
const wrong = await orAborted(run(), interrupted).catch((error: unknown) => [
  error instanceof Error ? (error.stack ?? error.message) : String(error),
]);
await world.stop();
if (interrupted.aborted) process.exit();
const faults = Object.values(survived).reduce((sum, count) => sum + count, 0);
if (json) {
  const { tasks = [], leases = [] } = before ?? {};
  const outcome = { seed, steps, replay, faults, survived, record, decisions: decisions.made };
  const counts = {
    reports: decisions.reports,
    tasks: tasks.length,
    leases: leases.length,
    expired: leases.filter(({ status }) => status === "expired").length,
  };
  process.stdout.write(`${JSON.stringify({ ...outcome, ...counts, wrong })}\n`);
} else {
  const kinds = Object.entries(survived).map(([kind, count]) => `${kind} ×${String(count)}`);
  const lost = before?.leases.filter(({ status }) => status === "expired").length ?? 0;
  const grace = String(options.changes?.["LeaseGrace"]?.["value"] ?? 0);
  const interval = isMoved ? ` and an interval of ${String(options.interval)} s` : "";
  say(`${String(lost)} of ${String(before?.leases.length ?? 0)} leases expired, with a grace of ${grace} s${interval}`);
  process.stdout.write(`${String(faults)} faults ${wrong.length === 0 ? "survived" : "done"}: ${kinds.join(", ")}\n`);
}
for (const each of wrong) process.stderr.write(`✗ ${each}\n`);
if (wrong.length > 0) process.stderr.write(`Logs: ${join(directory, "logs")}\nAgain: ${replay}\n`);
process.exit(wrong.length === 0 ? EXIT.done : EXIT.failed);

async function run(): Promise<string[]> {
  accounts = await Promise.all(
    Array.from({ length: 32 }, (_, i) => i).map(
      async (testAccount) => (await world.session.queue({ testAccount })).signer.address,
    ),
  );
  say(`${String(AGENTS)} agents are starting`);
  await until("all nodes are listed", async () => {
    const { nodes } = await readState(world.session, accounts);
    return nodes.filter(({ listing }) => listing).length === AGENTS;
  });
  await world.submit(DEVELOPERS);
  await until("work is under way", async () => (await readState(world.session, accounts)).checkpoints.size > 0);
  const lasting = new Map<PlannedFault, number>();
  for (let step = 0; step < steps; step++) {
    world.setConditions(conditions[step] ?? []);
    await decisions.begin(step);
    for (const [fault, end] of lasting) {
      if (end > step) continue;
      await heal(fault);
      lasting.delete(fault);
    }
    for (const fault of plan.filter((each) => each.step === step)) {
      // Before: what happens meanwhile is the fault's doing.
      const held = fault.lasts > 0 ? fault.agent : undefined;
      if (held !== undefined) outages.begin(held, await chainTime());
      const isDone = await world.apply(fault);
      if (held !== undefined && !isDone) outages.end(held, await chainTime());
      if (!isDone) continue;
      survived[fault.kind] = (survived[fault.kind] ?? 0) + 1;
      if (fault.lasts > 0) lasting.set(fault, step + fault.lasts);
      const hit = fault.agent ?? fault.keeper;
      const whom = hit === undefined ? "" : ` ${String(hit)}`;
      say(`step ${String(step)}: ${fault.kind}${whom}${fault.lasts > 0 ? ` for ${String(fault.lasts)} steps` : ""}`);
    }
    if (step < steps - 2) await world.submit(DEVELOPERS);
    await delay(STEP_MS);
    if (isMoved) await moveOn();
    const found = [...(await check()), ...(await decisions.look(say))];
    if (found.length > 0) return found.map((each) => `step ${String(step)}: ${each}`);
  }
  for (const fault of lasting.keys()) await heal(fault);
  world.setConditions(CALM);
  say("the faults are over: everything is to come to its end");
  await until("every developer has all that was paid for", async () => {
    const found = await check();
    if (found.length > 0) throw new Error(found.join("\n"));
    return world.waiting === 0;
  });
  return [...(await check()), ...(await lost())];
}

async function heal(fault: PlannedFault): Promise<void> {
  await world.heal(fault);
  if (fault.agent !== undefined) outages.end(fault.agent, await chainTime());
}

async function chainTime(): Promise<number> {
  return (await world.session.reader.block()).timestamp;
}

/** Moves the chain's clock forward, and gives every agent that is in order its looks at what that brings. */
async function moveOn(): Promise<void> {
  await world.leap(LEAP);
  const agents = Array.from({ length: AGENTS }, (_, i) => i).filter((agent) => outages.isInOrder(agent));
  const looked = new Map(agents.map((agent) => [agent, world.looksOf(agent)]));
  for (const end = performance.now() + LOOKS_MS; ; await delay(100)) {
    const waiting = agents.filter((agent) => world.looksOf(agent) < (looked.get(agent) ?? 0) + LOOKS);
    if (waiting.length === 0) return;
    if (performance.now() > end) throw new Error(`agents ${waiting.join(", ")} no longer look at the chain`);
  }
}

/** Looks at the chain and at the processes. */
async function check(): Promise<string[]> {
  const state = await readState(world.session, accounts);
  const found = [...violations(state, before), ...(await unheld(world, state)), ...(await world.violations())];
  if (isMoved) found.push(...(await expiredWithoutCause(state)));
  before = state;
  return flags.base ? [...found, ...expired(state)] : found;
}

/** Leases that expired though nothing hit their nodes for an interval and a grace. */
async function expiredWithoutCause(state: ChainState): Promise<string[]> {
  const agents = new Map<number, number>();
  for (const { id, operator } of state.nodes) {
    const agent = await world.agentOf(operator);
    if (agent !== undefined) agents.set(id, agent);
  }
  const since = (await chainTime()) - (options.interval ?? 0) - times.LeaseGrace.value;
  return expiredInOrder(state, before, (nodeId) => {
    const agent = agents.get(nodeId);
    return agent !== undefined && outages.wasInOrderSince(agent, since);
  });
}

/** Times that BASE has, seconds. */
async function timesOfBase(): Promise<Readonly<Record<(typeof TIMES)[number], { readonly value: number }>>> {
  const file = join(ROOT, "ignition", "parameters", "base.json");
  type Values = Readonly<Record<(typeof TIMES)[number], { readonly value: number }>>;
  const { Drmp } = JSON.parse(await readFile(file, "utf8")) as { Drmp: Values };
  return Object.fromEntries(TIMES.map((name) => [name, { value: Drmp[name].value }])) as Values;
}

/** Units that were not paid, and results that are not those of an undisturbed training. */
async function lost(): Promise<string[]> {
  const wrongs: string[] = [];
  for (const { id, status, paidUnits, units, escrow } of before?.tasks ?? []) {
    if (status === "ended" && paidUnits === units && escrow === 0n) continue;
    wrongs.push(`task ${String(id)} is ${status} with ${String(paidUnits)} of ${String(units)} units paid`);
  }
  const all = Array.from({ length: UNITS }, (_, i) => i);
  const reference = await referenceWeights(specBytes(chaosSpec()), UNITS, all);
  let compared = 0;
  for (let developer = 0; developer < DEVELOPERS; developer++) {
    const root = world.results(developer);
    const files = await readdir(root, { recursive: true }).catch(() => []);
    for (const file of files.filter((each) => each.endsWith("metrics.json"))) {
      const { weightsSha256 } = JSON.parse(await readFile(join(root, file), "utf8")) as { weightsSha256: string };
      const unit = Number(/unit-(\d+)/.exec(file)?.[1]);
      compared += 1;
      if (reference[unit] !== weightsSha256) wrongs.push(`${file} differs from an undisturbed training`);
    }
  }
  const due = UNITS * (before?.tasks.length ?? 0);
  if (compared < due) wrongs.push(`${String(compared)} of ${String(due)} results have arrived`);
  say(`${String(compared)} results equal those of an undisturbed training, bit for bit`);
  return wrongs;
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await delay(500)) if (await look()) return;
  throw new Error(`not within ${String(TIMEOUT_MS / 1000)} s: ${what}`);
}
