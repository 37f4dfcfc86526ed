import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ENUMS } from "@verai/client/generated/enums";
import type { Output } from "@verai/devnet/output";
import { violations } from "../chaos/invariants.ts";
import { readState } from "../chaos/read-state.ts";
import { type ActorCounts, Actors } from "./actors.ts";
import { type Alert, AlertWatch, type DoneFault, readRules } from "./alerts.ts";
import { type Deployment, SoakChain } from "./chain.ts";
import { drain } from "./drain.ts";
import { ENOUGH_SAMPLES, type LedgerTotals, type Upgrade, type Watched, type Work } from "./judge.ts";
import { DAY, type FaultKind, hasAgentTask, KEEPERS, type SoakFault, type SoakPlan, STEP_SECONDS } from "./plan.ts";
import { checkOut, type Previous, previousVersion } from "./previous.ts";
import { SoakWorld, SPEED } from "./world.ts";

/** Real milliseconds of a step at least, and of the wait for a keeper that looks at the chain within it at most. */
const PACE_MS = 400;
const LOOK_MS = 5_000;
/** Steps between two scrapes, and between two samples. */
const SCRAPE_STEPS = 2;
const SAMPLE_STEPS = 5;
const DISK_STEPS = 10;
/** Steps between two checks of all ledgers, and of the vault's totals alone. */
const LEDGER_STEPS = 4 * DAY;
const TOTALS_STEPS = 12;
/** What nobody can be told of unless work is lost meanwhile; and steps for which its nodes stay away afterwards. */
const SILENCES: ReadonlySet<FaultKind> = new Set(["silence oracle", "silence confirmation"]);
const AWAY_STEPS = 24;
/** Steps after the last in which what is open comes to its end, at most. */
const WIND_DOWN = 600;
/** What governance changes: the fee, and the grace of a lease. */
const CHANGES = [
  ["feeBps", 250n],
  ["leaseGrace", 120n],
] as const;
/** Seconds after which every stake can be withdrawn, and every dispute is over. */
const UNBONDING = 15 * 86_400;
const WINDOW = 86_400 + STEP_SECONDS;

/** What a run has brought about. */
export interface Outcome {
  readonly seconds: number;
  readonly days: number;
  readonly actors: ActorCounts;
  readonly agentTasks: { readonly submitted: number; readonly ended: number };
  readonly nodes: number;
  readonly transactions: number;
  readonly done: Readonly<Record<string, number>>;
  readonly reorganised: { readonly blocks: number; readonly transactions: number };
  readonly totals: readonly LedgerTotals[];
  readonly work: readonly (Work & { readonly name: string })[];
  readonly watched: readonly Watched[];
  readonly alerts: readonly Alert[];
  readonly faults: readonly DoneFault[];
  /** Mistakes in programs; programs that ended by themselves. */
  readonly wrongs: readonly string[];
  /** Changes of governance that took effect. */
  readonly governed: number;
  /** Agents that work at the second deployment, of all. */
  readonly moved: number;
  readonly upgrade: Upgrade;
  readonly rounds: number;
  readonly batches: number;
  readonly expired: number;
}

/** A soak under way. */
export class Soak {
  readonly #plan: SoakPlan;
  readonly #chain: SoakChain;
  readonly #world: SoakWorld;
  readonly #output: Output;
  readonly #directory: string;
  readonly #delay: number;
  readonly #stop: AbortSignal;
  readonly #began = performance.now();
  readonly #alerts = new AlertWatch(readRules(), SPEED);
  readonly #deployments: Deployment[] = [];
  /** Those of the first deployment, then also those of the second. */
  readonly #actors: Actors[] = [];
  readonly #done: Record<string, number> = {};
  readonly #faults: (DoneFault & { until: number })[] = [];
  /** Silences that have something to be silent about: work whose node is lost. */
  readonly #stranded = new Set<SoakFault>();
  readonly #lasting = new Map<SoakFault, { readonly end: number; readonly record: DoneFault & { until: number } }>();
  readonly #violations = new Map<string, string[]>();
  readonly #reorganised = { blocks: 0, transactions: 0 };
  /** Step after which blocks are taken back. */
  #reorganiseAfter: number | undefined;
  /** The step under way, and how many times as long as planned steps have lately taken. */
  #now = 0;
  #slowness = 1;
  #isPaused = false;
  #governs = false;
  #governed = 0;
  readonly #previous: Previous | undefined;
  /** Agents are being ended and started again. */
  #upgrades = false;
  #migratesSince: number | undefined;
  readonly #moved = new Set<number>();
  #accounts: string[] = [];

  private constructor(
    plan: SoakPlan,
    parts: {
      readonly chain: SoakChain;
      readonly world: SoakWorld;
      readonly first: Deployment;
      readonly output: Output;
      readonly directory: string;
      readonly delay: number;
      readonly previous: Previous | undefined;
      readonly stop: AbortSignal;
    },
  ) {
    this.#plan = plan;
    this.#chain = parts.chain;
    this.#world = parts.world;
    this.#output = parts.output;
    this.#directory = parts.directory;
    this.#delay = parts.delay;
    this.#previous = parts.previous;
    this.#stop = parts.stop;
    this.#deployments.push(parts.first);
    this.#actors.push(new Actors(parts.chain, parts.first, plan.nodes, plan.tasks));
  }

  /** Plays a plan to its end. @param upgrades Whether agents begin as of the version before this one. */
  static async play(
    plan: SoakPlan,
    upgrades: boolean,
    directory: string,
    output: Output,
    stop: AbortSignal,
    keep: (soak: { stop: () => Promise<void> }) => void,
  ): Promise<Outcome> {
    // BASE's two days, or what fits into a shorter run.
    const delayOf = plan.size.steps >= 8 * DAY ? 172_800 : 21_600;
    const began = performance.now();
    output.say("deploying on a chain in this process");
    const { chain, first } = await SoakChain.open(directory, delayOf);
    const now = (): number => (performance.now() - began) / 1000;
    output.say("starting oracle, keepers, agents and an indexer");
    const previous = upgrades ? await previousVersion() : undefined;
    const folder = previous && "commit" in previous ? join(directory, "previous") : undefined;
    if (folder !== undefined && previous && "commit" in previous) await checkOut(previous.commit, folder);
    output.say(
      previous && "commit" in previous
        ? `agents begin as of commit ${previous.commit}`
        : `agents are restarted, not upgraded: ${previous?.reason ?? "--no-upgrade"}`,
    );
    const world = await SoakWorld.start(directory, chain, first, plan.size.agents, now, folder);
    keep({ stop: () => world.stop() });
    const soak = new Soak(plan, { chain, world, first, output, directory, delay: delayOf, previous, stop });
    try {
      return await soak.#run();
    } finally {
      await world.stop();
      await chain.close();
    }
  }

  async #run(): Promise<Outcome> {
    const { size } = this.#plan;
    this.#accounts = await this.#everybody();
    for (let step = 0; step < size.steps; step++) {
      await this.#step(step);
      this.#output.progress("soak", step / size.steps, `day ${(step / DAY).toFixed(1)}, ${this.#summary()}`);
    }
    await this.#windDown(size.steps);
    this.#world.sample(true);
    const watched = this.#world.watched();
    const wrongs = await this.#world.wrongs();
    const { agentTasks } = this.#world;
    await this.#world.stop();
    return this.#tell(watched, wrongs, { ...agentTasks });
  }

  #summary(): string {
    const { submitted, delivered, accepted, checkpoints, unheld } = this.#counts();
    return (
      `${String(submitted)} tasks, ${String(delivered)} results, ${String(accepted)} accepted, ${String(checkpoints)} checkpoints ` +
      `(${String(unheld)} without holders), agents' tasks ${String(this.#world.agentTasks.ended)} of ${String(this.#world.agentTasks.submitted)}`
    );
  }

  async #step(step: number, faults = true): Promise<void> {
    if (this.#stop.aborted) throw new Error("told to stop");
    const began = performance.now();
    this.#now = step;
    this.#world.forgetLooks();
    await this.#chain.begin(step);
    await this.#heal(step);
    if (faults)
      for (const fault of this.#plan.faults.filter((each) => each.step === step)) await this.#apply(fault, step);
    await this.#maintain(step);
    for (const actors of this.#actors) await actors.step(step);
    if (faults && hasAgentTask(this.#plan.size, step) && !this.#isPaused) await this.#submit();
    if (step % SAMPLE_STEPS === 0) this.#world.sample(step % DISK_STEPS === 0);
    if (step % TOTALS_STEPS === 0) await this.#checkTotals();
    if (step % LEDGER_STEPS === LEDGER_STEPS - 1) await this.#checkLedgers();
    await delay(Math.max(0, PACE_MS - (performance.now() - began)));
    // However slow this machine is, no keeper misses what more than a few steps bring.
    for (const end = performance.now() + LOOK_MS; !this.#world.hasLooked() && performance.now() < end;) await delay(20);
    if (step % SCRAPE_STEPS === 0)
      this.#alerts.observe(this.#clock(), await this.#world.scrape(this.#slowness), this.#slowness);
    if (this.#reorganiseAfter === step) await this.#reorganise();
    this.#slowness += ((performance.now() - began) / PACE_MS - this.#slowness) / 8;
  }

  async #submit(): Promise<void> {
    const [first, second] = this.#deployments;
    if (second || !first) return;
    if (!(await this.#world.submit(first)))
      this.#output.say("no task for agents: every developer waits for the one before");
  }

  /** Time by which alerts are judged: that of a machine on which every step takes as long as it is planned to. */
  #clock(): number {
    return (this.#now * PACE_MS) / 1000;
  }

  // Faults.

  async #apply(fault: SoakFault, step: number): Promise<void> {
    const { kind, target, lasts } = fault;
    const name =
      target === undefined
        ? undefined
        : this.#world.nameOf(kind.includes("keeper") || kind === "low funds" ? "keeper" : "agent", target);
    const record = { kind, instance: name, from: this.#clock(), until: this.#clock() };
    if (!(await this.#begin(fault, name ?? "", step))) return;
    this.#done[kind] = (this.#done[kind] ?? 0) + 1;
    this.#faults.push(record);
    if (lasts > 0) this.#lasting.set(fault, { end: step + lasts, record });
    const whom = name === undefined ? "" : ` ${name}`;
    this.#output.say(`day ${(step / DAY).toFixed(1)}: ${kind}${whom}${lasts > 0 ? ` for ${String(lasts)} steps` : ""}`);
    if (kind === "govern")
      this.#output.say(
        `governance schedules ${CHANGES.map(([each]) => each).join(" and ")}, ${String(this.#delay)} s ahead`,
      );
  }

  async #begin({ kind, amount, target = 0 }: SoakFault, name: string, step: number): Promise<boolean> {
    const world = this.#world;
    switch (kind) {
      case "kill agent":
      case "kill keeper":
        await world.kill(name);
        return true;
      case "stall agent":
        return world.freeze(name, true);
      case "cut agent off":
      case "cut keeper off":
        await world.cut(name, true);
        return true;
      case "lose answers":
        world.loseAnswers(name, true);
        return true;
      case "damage block":
        return world.damage(name, amount);
      case "silence oracle":
        return world.freeze("oracle", true);
      case "silence confirmation":
        await world.cutConfirmation(true);
        return true;
      case "low funds":
        await world.setFunds(target, true);
        return true;
      case "gas times 100":
        this.#chain.setGas(100);
        return true;
      case "reorganise":
        for (const actors of this.#actors) actors.mark();
        await this.#chain.mark();
        this.#reorganiseAfter = step + 1 + (amount % 2);
        return true;
      case "pause intake":
        this.#isPaused = true;
        return true;
      case "govern":
        this.#governs = true;
        return true;
      case "upgrade agents":
        world.upgrade();
        this.#upgrades = true;
        return true;
      case "migrate":
        await this.#migrate(step);
        return true;
    }
  }

  async #heal(step: number): Promise<void> {
    for (const [fault, { end, record }] of this.#lasting) {
      if (end > step) continue;
      this.#lasting.delete(fault);
      const { kind, target = 0 } = fault;
      const name = record.instance ?? "";
      const world = this.#world;
      if (kind === "kill agent" || kind === "kill keeper") world.revive(name);
      if (kind === "stall agent") world.freeze(name, false);
      if (kind === "cut agent off" || kind === "cut keeper off") await world.cut(name, false);
      if (kind === "lose answers") world.loseAnswers(name, false);
      if (kind === "silence oracle") world.freeze("oracle", false);
      if (kind === "silence confirmation") await world.cutConfirmation(false);
      if (kind === "low funds") await world.setFunds(target, false);
      if (kind === "gas times 100") this.#chain.setGas(1);
      if (kind === "pause intake") this.#isPaused = false;
      record.until = this.#clock();
    }
  }

  /** What lasts is held up, whatever a reorganisation took back; what waits for its time is done. */
  async #maintain(step: number): Promise<void> {
    for (const [fault, { end }] of this.#lasting) {
      const { kind, target = 0 } = fault;
      if (kind === "low funds") await this.#world.setFunds(target, true);
      if (SILENCES.has(kind) && !this.#stranded.has(fault)) {
        const lost = (await this.#actors.at(-1)?.strand(step, end - step + AWAY_STEPS)) ?? 0;
        if (lost > 0) this.#stranded.add(fault);
      }
    }
    for (const { record } of this.#lasting.values()) record.until = this.#clock();
    const [first] = this.#deployments;
    if (!first) return;
    const { parameters } = first.contracts;
    // Once the agents have moved, nothing more begins at the first deployment.
    const paused = this.#isPaused || this.#moved.size === this.#world.agents;
    if ((await parameters.intakePaused()) !== paused) {
      await this.#chain.send(first.accounts.guardian.address, parameters.setIntakePaused.populateTransaction(paused));
    }
    if (this.#governs && step % 6 === 0) await this.#govern(first);
    if (this.#upgrades && step % 12 === 0) await this.#upgradeNext();
    if (this.#migratesSince !== undefined && step % 4 === 0) await this.#moveAgents();
    const migration = this.#faults.find(({ kind, instance }) => kind === "migrate" && instance === undefined);
    if (migration && this.#moved.size < this.#world.agents) migration.until = this.#clock();
  }

  /** One agent that runs the version before is ended and started again, once nothing else is out of order with it. */
  async #upgradeNext(): Promise<void> {
    const faulty = new Set([...this.#lasting.values()].map(({ record }) => record.instance));
    const name = this.#world.outdated().find((each) => !faulty.has(each));
    if (name === undefined) return;
    this.#touch("upgrade agents", name);
    await this.#world.end(name);
    this.#world.revive(name);
    this.#output.say(`${name} is upgraded`);
  }

  /** A fault of the whole network comes to one process now. */
  #touch(kind: SoakFault["kind"], instance: string): void {
    this.#faults.push({ kind, instance, from: this.#clock(), until: this.#clock() });
  }

  /** What governance wants: scheduled where it is not, executed as soon as its delay is over. */
  async #govern({ contracts, accounts, reader }: Deployment): Promise<void> {
    const { manager, parameters } = contracts;
    const now = await reader.parameters(await reader.block());
    let governed = 0;
    for (const [name, value] of CHANGES) {
      if (BigInt(now[name]) === value) {
        governed += 1;
        continue;
      }
      const param = ENUMS.Param.indexOf(name);
      const data = parameters.interface.encodeFunctionData("set", [param, value]);
      const from = accounts.governance.address;
      const isDone = await this.#chain.send(from, parameters.set.populateTransaction(param, value));
      if (!isDone) await this.#chain.send(from, manager.schedule.populateTransaction(parameters, data, 0));
    }
    if (governed > this.#governed) this.#output.say(`${String(governed)} changes of governance have taken effect`);
    this.#governed = governed;
  }

  async #reorganise(): Promise<void> {
    this.#reorganiseAfter = undefined;
    const { blocks, transactions } = await this.#chain.reorganise();
    for (const actors of this.#actors) actors.forget();
    this.#reorganised.blocks += blocks;
    this.#reorganised.transactions += transactions;
    this.#output.say(`${String(blocks)} blocks with ${String(transactions)} transactions are taken back`);
  }

  // The move to another deployment.

  async #migrate(step: number): Promise<void> {
    this.#output.say("deploying the second deployment; the first takes nothing new");
    const second = await this.#chain.deployAgain("second", this.#directory, this.#delay);
    this.#deployments.push(second);
    this.#migratesSince = step;
    const [old] = this.#actors;
    const rest = this.#plan.tasks.slice(this.#plan.tasks.length - (old?.waiting ?? 0));
    old?.close();
    // They come one after the other, and stay.
    const nodes = this.#plan.nodes.map((node, i) => ({ ...node, comes: step + 2 + (i % 24), absences: [] }));
    this.#actors.push(new Actors(this.#chain, second, nodes, rest));
    this.#world.startOracle(second, "oracle-2");
    await this.#world.fund();
    this.#touch("migrate", this.#world.nameOf("keeper", KEEPERS));
    await this.#world.startKeeper(KEEPERS, second);
    for (const owner of await this.#world.owners()) await this.#chain.admit(owner, 100n * 10n ** 18n);
  }

  /** Agents whose work at the first deployment is done leave it, and start at the second. */
  async #moveAgents(): Promise<void> {
    const [first, second] = this.#deployments;
    // What their developers still wait for there is done first.
    if (!first || !second || this.#world.busy(first.name) > 0) return;
    const nodes = await first.reader.nodes(await first.reader.block());
    for (const [i, owner] of (await this.#world.owners()).entries()) {
      if (this.#moved.has(i)) continue;
      const record = nodes.find((node) => node.owner === owner && node.status !== "withdrawn");
      if (record?.status === "active") {
        await this.#chain.send(owner, first.contracts.nodes.drain.populateTransaction(record.id));
      }
      if (!record || (record.leased === 0 && record.status !== "active")) {
        this.#moved.add(i);
        this.#touch("migrate", this.#world.nameOf("agent", i));
        await this.#world.end(this.#world.nameOf("agent", i));
        await this.#world.startAgent(i, second);
        this.#output.say(`${this.#world.nameOf("agent", i)} works at the second deployment`);
      }
    }
  }

  // The end.

  /** What is open comes to its end: real work by its own pace, actors' at once. */
  async #windDown(from: number): Promise<void> {
    this.#output.say("no more faults, no more tasks: what is open comes to its end");
    for (const fault of this.#lasting.keys()) await this.#heal(fault.step + fault.lasts);
    this.#isPaused = false;
    for (const actors of this.#actors) actors.hurry();
    let [open, submitted] = [0, false];
    for (let step = from; step < from + WIND_DOWN; step++) {
      await this.#step(step, false);
      if (step % 4 !== 0) continue;
      open = 0;
      for (const actors of this.#actors) open += await actors.cancelAll();
      const busy = this.#world.busy() > 0;
      const [, second] = this.#deployments;
      // What agents can do at the first deployment they can do at the second.
      if (second && !busy && !submitted && this.#moved.size === this.#world.agents) {
        submitted = true;
        await this.#world.submit(second);
        continue;
      }
      if (open === 0 && !busy && submitted && this.#world.isSampled(ENOUGH_SAMPLES)) break;
      // What only waits for the end of a dispute's time.
      if (!busy && open > 0 && (await this.#isDelivered()))
        await this.#chain.passTo((await this.#chain.now()) + WINDOW);
    }
    this.#output.say(`${String(open)} tasks of actors and ${String(this.#world.busy())} developers are not done`);
  }

  async #isDelivered(): Promise<boolean> {
    for (const actors of this.#actors) {
      if ((await actors.leases()).some(({ status }) => status !== "delivered")) return false;
    }
    return true;
  }

  /** Everybody takes what is theirs, and what is left is told. */
  async #tell(
    watched: readonly Watched[],
    wrongs: readonly string[],
    agentTasks: Outcome["agentTasks"],
  ): Promise<Outcome> {
    this.#output.say("everybody leaves, withdraws and claims");
    const seconds = this.#seconds();
    const days = ((await this.#chain.now()) - this.#chain.timeOf(0)) / 86_400;
    await this.#checkLedgers();
    for (const deployment of this.#deployments) await this.#leave(deployment);
    await this.#chain.passTo((await this.#chain.now()) + UNBONDING);
    const totals: LedgerTotals[] = [];
    const work: (Work & { name: string })[] = [];
    let [rounds, batches, expired, nodes] = [0, 0, 0, 0];
    for (const deployment of this.#deployments) {
      const { contracts, reader } = deployment;
      await this.#withdrawAndClaim(deployment);
      totals.push(await this.#totalsOf(deployment));
      work.push(await this.#workOf(deployment));
      rounds += Number((await contracts.rounds.current()).id);
      batches += (await reader.batch(await reader.block())).id;
      nodes += Number(await contracts.nodes.nodeCount());
      expired += (await reader.leases(await reader.block())).filter(({ status }) => status === "expired").length;
    }
    return {
      ...{ seconds, days, nodes, watched, wrongs, agentTasks, totals, work, rounds, batches, expired },
      actors: this.#counts(),
      transactions: this.#chain.transactions,
      done: this.#done,
      reorganised: this.#reorganised,
      alerts: this.#alerts.fired,
      faults: this.#faults,
      governed: this.#governed,
      moved: this.#moved.size,
      upgrade: {
        from: this.#previous ?? { reason: "--no-upgrade" },
        isWanted: this.#previous !== undefined,
        upgraded: this.#world.upgraded,
        agents: this.#world.agents,
      },
    };
  }

  /** Owners drain and exit, real agents' among them. */
  async #leave({ contracts, reader }: Deployment): Promise<void> {
    for (const node of await reader.nodes(await reader.block())) {
      await this.#chain.admit(node.owner);
      if (node.status === "active")
        await this.#chain.send(node.owner, contracts.nodes.drain.populateTransaction(node.id));
      await this.#chain.send(node.owner, contracts.nodes.exit.populateTransaction(node.id));
    }
  }

  async #withdrawAndClaim({ contracts, reader, accounts }: Deployment): Promise<void> {
    const by = accounts.deployer.address;
    for (const task of await reader.tasks(await reader.block())) {
      if (task.status === "open") await this.#chain.send(by, contracts.tasks.close.populateTransaction(task.id));
    }
    await drain(
      async () => reader.tasksWithFees(await reader.block(), 0, 1_000),
      (taskId) => this.#chain.send(by, contracts.releaseFees.distribute.populateTransaction(taskId)),
    );
    for (const node of await reader.nodes(await reader.block())) {
      await this.#chain.send(node.owner, contracts.nodes.withdraw.populateTransaction(node.id));
    }
    for (const account of this.#accounts) {
      if ((await contracts.vault.claimable(account)) === 0n) continue;
      await this.#chain.admit(account);
      await this.#chain.send(account, contracts.vault.claim.populateTransaction(account));
    }
  }

  async #totalsOf({ name, contracts }: Deployment): Promise<LedgerTotals> {
    const { vault, token, telemetry } = contracts;
    const { escrow, stake, claimable, bountyPool } = await vault.totals();
    return {
      ...{ name, escrow, stake, claimable, pool: bountyPool },
      balance: await token.balanceOf(vault),
      prepaid: await vault.claimable(telemetry),
    };
  }

  async #workOf(deployment: Deployment): Promise<Work & { name: string }> {
    const { name, reader, typed } = deployment;
    const state = await readState({ reader, contracts: typed }, await this.#claimants(deployment));
    const sum = (of: (task: (typeof state.tasks)[number]) => number): number =>
      state.tasks.reduce((all, task) => all + of(task), 0);
    const [units, paid, refunded] = [
      sum((each) => each.units),
      sum((each) => each.paidUnits),
      sum((each) => each.refundedUnits),
    ];
    const open = state.tasks.filter(({ status }) => status === "open").map(({ id }) => `task ${String(id)} is open`);
    return {
      ...{ name, tasks: state.tasks.length, units, paid, refunded, lost: units - paid - refunded },
      violations: [...(this.#violations.get(name) ?? []), ...violations(state, undefined), ...open],
    };
  }

  // Ledgers.

  async #everybody(): Promise<string[]> {
    const accounts = this.#deployments.flatMap(({ accounts: all }) => [
      ...[all.deployer, all.governance, all.guardian, all.arbiter].map(({ address }) => address),
      ...all.others.map(({ address }) => address),
    ]);
    return [...new Set([...accounts, ...(await this.#world.accounts()), ...(this.#actors[0]?.accounts ?? [])])];
  }

  /** Accounts with claims: everybody's, and what contracts hold for others. */
  async #claimants({ contracts }: Deployment): Promise<string[]> {
    return [...this.#accounts, await contracts.telemetry.getAddress()];
  }

  /** The vault's balance against its totals: cheap, and often. */
  async #checkTotals(): Promise<void> {
    for (const deployment of this.#deployments) {
      const { name, balance, escrow, stake, claimable, pool } = await this.#totalsOf(deployment);
      if (balance !== escrow + stake + claimable + pool) {
        this.#note(name, [
          `the vault holds ${String(balance)} wei, and owes ${String(escrow + stake + claimable + pool)}`,
        ]);
      }
    }
  }

  /** Everything that must never contradict itself. O(tasks + leases + nodes). */
  async #checkLedgers(): Promise<void> {
    for (const deployment of this.#deployments) {
      const { name, reader, typed } = deployment;
      const state = await readState({ reader, contracts: typed }, await this.#claimants(deployment));
      this.#note(name, violations(state, undefined));
    }
  }

  #note(name: string, found: readonly string[]): void {
    const known = this.#violations.get(name) ?? [];
    for (const each of found) {
      this.#output.say(`✗ ${each}`);
      if (known.length < 100) known.push(each);
    }
    this.#violations.set(name, known);
  }

  #counts(): ActorCounts {
    const all = this.#actors.map(({ counts }) => counts);
    const names = Object.keys(all[0] ?? {}) as (keyof ActorCounts)[];
    return Object.fromEntries(
      names.map((name) => [name, all.reduce((sum, each) => sum + each[name], 0)]),
    ) as unknown as ActorCounts;
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}
