import { createHash } from "node:crypto";

import type { Lease } from "@verai/client/entities";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { headAfter, linkHash, NO_HEAD, NO_LINK } from "@verai/protocol/audits/segments";
import { traceRoot } from "@verai/protocol/audits/trace";
import { type Arena, wealthOf } from "./arena.ts";
import { advance, type AuditParts, collect, type Live } from "./audit-play.ts";
import { postedSegment, traceOf } from "./cheats.ts";
import type { Posted, Producer, Run, Verifier } from "./parties.ts";
import { digestOf, initialState, type State } from "./program.ts";
import { ARENA, type ArenaResult, type Counts, DISTURBANCES, type Scenario } from "./scenario.ts";

const DAG_PB = 0x70;
const UNIT = 10_000;
/** Of so many segments that were not drawn, the contract is asked about one. */
const ASKED = 8;
/** `EndReason.Draining`. */
const DRAINING = 2;
/** Dispute window of BASE, and a margin. */
const WINDOW = 86_400 + 60;
/** Seconds between the openings of two rounds: BASE's parameter, and a block. */
const ROUND_SECONDS = 32;
/** Ticks after the last checkpoint in which audits end at most: 24 rounds of a panel, each of a window and a step. */
const PATIENCE = 600;
/** Ticks in which a lease that was lost, moved or given back is somebody's again. */
const SETTLING = 4;
/** Ticks that a disturbed arena may take for what an undisturbed one does in one. */
const SLACK = 3;
const IDLE = { load: 5_000, latency: 20, watts: 200 };
const BUSY = { ...IDLE, load: 9_500 };
const WRONG: readonly string[] = ["fraud", "mismatch", "unavailable", "refused"];

/** A segment that was drawn. */
interface Drawn {
  readonly posted: Posted;
  readonly salt: string;
  readonly epochId: number;
}

/** What is counted while a scenario is played. */
interface Sums {
  segments: number;
  decided: number;
  expected: number;
  drawn: number;
  refusedOpenings: number;
  panels: number;
  panelRounds: number;
  stalled: number;
  unpaid: number;
  longestAudit: number;
  lazyAudits: number;
}

/** Plays a scenario in an arena: nodes post segments tick by tick, epochs draw, drawn segments are audited to the end. */
export class Play {
  readonly #arena: Arena;
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #producers: Producer[];
  readonly #verifiers: ReadonlyMap<number, Verifier>;
  readonly #runs = new Map<number, Run>();
  /** State of each unit of each task at the newest checkpoint, and segments that it has done. */
  readonly #states = new Map<string, { state: State; older: readonly State[]; done: number }>();
  readonly #undecided: Posted[] = [];
  #drawn: Drawn[] = [];
  #live: Live[] = [];
  readonly #delivered: number[] = [];
  readonly #decided = new Map<Posted, number>();
  readonly #ended = new Map<Posted, string>();
  readonly #audits: Record<string, number> = {};
  readonly #convicted = new Set<Run>();
  readonly #wronged = new Set<Producer>();
  readonly #counts: Counts = { kills: 0, outages: 0, drains: 0, moves: 0, reorganisations: 0, withheld: 0 };
  readonly #sums: Sums = {
    ...{ segments: 0, decided: 0, expected: 0, drawn: 0, refusedOpenings: 0, panels: 0, panelRounds: 0 },
    ...{ stalled: 0, unpaid: 0, longestAudit: 0, lazyAudits: 0 },
  };
  readonly #word: (i: number) => bigint;
  #words = 0;
  /** Tick until which keepers have something to do. */
  #unsettledUntil = 0;
  readonly #standings = new Map<Producer, { readonly provenAt: number }>();
  readonly #chances = new Map<string, number>();
  #tick = 0;
  #start = 0;
  #epochAt = 0;
  #reportedAt = 0;

  constructor(arena: Arena, scenario: Scenario, seed: number) {
    this.#arena = arena;
    this.#scenario = scenario;
    this.#random = randomNumbers(seed);
    this.#word = (i) =>
      BigInt(
        `0x${createHash("sha256")
          .update(`${String(seed)}/${String(i)}`)
          .digest("hex")}`,
      );
    const { conduct, colluding } = scenario;
    this.#producers = arena.producers.map((node) => ({ node, conduct, downUntil: 0, longestDown: 0, drainedUntil: 0 }));
    this.#verifiers = new Map(
      arena.verifiers.map((node, i) => [node.nodeId, { node, colludes: i % 3 < colluding, downUntil: 0 }]),
    );
  }

  async play(): Promise<ArenaResult> {
    const { chain } = this.#arena;
    const { segments, disturbed } = this.#scenario;
    const terms = await chain.audits.terms();
    const epoch = disturbed ? terms.epoch : ARENA.epochTicks * ARENA.tickSeconds;
    const transactions = chain.transactions;
    await this.#report();
    const producerFunds = await this.#wealth(this.#arena.producers);
    const bonds = await this.#bonds();
    await this.#submit();
    // A round takes as many tasks as a transaction has gas for.
    while (await this.#round()) await chain.passTo((await chain.now()) + ROUND_SECONDS);
    this.#start = await chain.now();
    const parts = this.#parts();
    const last = segments * (disturbed ? SLACK : 1);
    for (this.#tick = 1; this.#tick <= last + PATIENCE; this.#tick++) {
      await chain.passTo(this.#start + this.#tick * ARENA.tickSeconds);
      if ((await chain.now()) - this.#reportedAt >= ARENA.reportSeconds) await this.#report();
      if (disturbed) await this.#disturb();
      await this.#post();
      await this.#openEpoch(epoch);
      await this.#openAudits();
      await this.#advance(parts);
      if (disturbed && this.#tick < this.#unsettledUntil) await this.#keep();
      if (this.#isOver()) break;
    }
    await this.#windUp();
    const gains = await this.#wealth(this.#arena.producers);
    const away = this.#producers.filter(({ longestDown }) => longestDown * ARENA.tickSeconds >= terms.step);
    return {
      ...this.#sums,
      scenario: this.#scenario,
      caught: this.#caught(),
      audits: this.#audits,
      runs: this.#runResults(),
      gains: gains.map((wealth, i) => wealth - (producerFunds[i] ?? 0)),
      verifiersLost: bonds - (await this.#bonds()),
      wronged: [...this.#wronged].filter((producer) => !away.includes(producer)).length,
      wrongedByOutage: [...this.#wronged].filter((producer) => away.includes(producer)).length,
      away: away.length,
      transactions: chain.transactions - transactions,
      counts: this.#counts,
    };
  }

  #parts(): AuditParts {
    const { chain, keeper } = this.#arena;
    return {
      audits: chain.audits,
      keeper,
      tickSeconds: ARENA.tickSeconds,
      lazy: this.#scenario.lazy,
      isDelivered: ({ leaseId }) => this.#delivered.includes(leaseId),
      now: () => chain.now(),
      verifier: (nodeId) => this.#verifiers.get(nodeId),
      isUp: ({ downUntil }) => this.#tick >= downUntil,
    };
  }

  async #submit(): Promise<void> {
    const { chain, developer } = this.#arena;
    const { price } = this.#scenario;
    const deadline = (await chain.now()) + 30 * 86_400;
    const task = {
      units: ARENA.units,
      maxPrice: price,
      interval: ARENA.interval,
      deadline,
      replicas: 0,
      audited: true,
    };
    const tasks = ARENA.producers * (this.#scenario.disturbed ? ARENA.leases : 1);
    for (let i = 0; i < tasks; i++) {
      const taskId = await chain.submit(developer, task);
      if (taskId === undefined) throw new Error("a task was refused");
      for (let unit = 0; unit < ARENA.units; unit++) {
        this.#states.set(key(taskId, unit), { state: initialState(unit), older: [], done: 0 });
      }
    }
  }

  /** A round for whatever waits; leases that are new get a run. @returns Whether there was one. */
  async #round(): Promise<boolean> {
    const { chain, keeper, oracle } = this.#arena;
    if (!(await chain.openRound(keeper))) return false;
    await chain.answerOracle(oracle, true, () => this.#nextWord());
    await chain.settle(keeper);
    this.#begin(await chain.leases());
    return true;
  }

  #begin(leases: readonly Lease[]): void {
    for (const { id: leaseId, fence, taskId, start, count, status, nodeId } of leases) {
      const producer = this.#producers.find(({ node }) => node.nodeId === nodeId);
      if (!producer || status !== "active" || this.#runs.has(leaseId)) continue;
      this.#runs.set(leaseId, { leaseId, fence, taskId, start, count, producer, posted: [], over: false });
    }
  }

  /** Everybody with a lease posts its next segment; now and then in blocks that are undone. */
  async #post(): Promise<void> {
    const { chain } = this.#arena;
    const due = [...this.#runs.values()].filter((run) => this.#works(run));
    const disturbed = this.#scenario.disturbed && this.#random() < DISTURBANCES.reorganisation;
    if (disturbed) {
      const mark = await chain.mark();
      for (const run of due) await this.#postOne(run, false);
      await chain.back(mark);
      this.#counts.reorganisations++;
      due.reverse();
      await chain.passTo((await chain.now()) + 12);
    }
    for (const run of due) await this.#postOne(run, true);
  }

  #works({ over, producer, taskId, start }: Run): boolean {
    const unit = this.#states.get(key(taskId, start));
    return !over && this.#tick >= producer.downUntil && unit !== undefined && unit.done < this.#scenario.segments;
  }

  /** @param counts Whether it stays: else what is posted is undone soon. */
  async #postOne(run: Run, counts: boolean): Promise<void> {
    const { chain } = this.#arena;
    const { leaseId, fence, taskId, start, count, producer, posted } = run;
    const units = Array.from({ length: count }, (_, i) => key(taskId, start + i));
    const was = units.map((unit) => this.#states.get(unit) ?? { state: initialState(0), older: [], done: 0 });
    const before = was.map(({ state }) => state);
    const done = postedSegment(
      producer.conduct,
      taskId,
      start,
      before,
      was.map(({ older }) => older),
    );
    const ends = done.map(({ states }, i) => states.at(-1) ?? before[i] ?? initialState(0));
    const progress = was.reduce((all, unit) => all + Math.floor((UNIT * (unit.done + 1)) / this.#scenario.segments), 0);
    const link = {
      sequence: posted.length + 1,
      digest: `0x${createHash("sha256").update(ends.map(digestOf).join()).digest("hex")}`,
      traceRoot: traceRoot(traceOf(start, done)),
      ...{ progress, codec: DAG_PB, size: 1_000 },
    };
    const taken = await chain.audits.postTraced(producer.node.operator.address, { id: leaseId, fence }, link);
    if (!counts) return;
    if (!taken) {
      await this.#notTaken(run);
      return;
    }
    const end = { ...link, at: await chain.now() };
    const withheld = this.#scenario.disturbed && this.#random() < DISTURBANCES.withheld;
    if (withheld) this.#counts.withheld++;
    const last = posted.at(-1);
    const one: Posted = {
      ...{ run, before, units: done, withheld, place: posted.length, conduct: producer.conduct },
      segment: { leaseId, before: last?.segment.end ?? NO_LINK, end },
      head: last && last.place > 0 ? headAfter(last.head, [linkHash(last.segment.before)]) : NO_HEAD,
    };
    posted.push(one);
    this.#undecided.push(one);
    this.#sums.segments++;
    for (const [i, unit] of units.entries()) {
      const state = ends[i] ?? initialState(0);
      this.#states.set(unit, { state, older: done[i]?.states ?? [], done: (was[i]?.done ?? 0) + 1 });
    }
    if (was.every((unit) => unit.done + 1 === this.#scenario.segments)) {
      if (await chain.deliver({ id: leaseId, fence }, producer.node)) this.#delivered.push(leaseId);
      run.over = true;
    }
  }

  /** A lease that is no longer its node's is over; anything else has held it up. */
  async #notTaken(run: Run): Promise<void> {
    const lease = (await this.#arena.chain.leases()).find(({ id }) => id === run.leaseId);
    if (lease?.status === "active" || lease?.status === "moving") this.#sums.stalled++;
    else run.over = true;
    this.#unsettledUntil = Math.max(this.#unsettledUntil, this.#tick + SETTLING);
  }

  /** A new epoch when it is time, and an audit for each segment that its seed has drawn. */
  async #openEpoch(seconds: number): Promise<void> {
    const { chain, keeper, oracle } = this.#arena;
    if (this.#undecided.length === 0 || (await chain.now()) < this.#epochAt) return;
    const leases = this.#undecided.map(({ segment }) => segment.leaseId);
    if (!(await chain.audits.openEpoch(keeper, leases))) return;
    const epoch = await chain.audits.seedEpoch(oracle, this.#nextWord());
    this.#epochAt = epoch.to + seconds;
    for (const producer of this.#producers) {
      this.#standings.set(producer, await chain.audits.standingOf(producer.node.nodeId));
    }
    for (const posted of this.#undecided.splice(0)) await this.#decide(posted, epoch);
  }

  async #decide(posted: Posted, epoch: { id: number; from: number; to: number; seed: string }): Promise<void> {
    const { chain } = this.#arena;
    const { segment, head, run, place } = posted;
    const { leaseId, end } = segment;
    if (end.at <= epoch.from || end.at > epoch.to) throw new Error("a segment that belongs to no epoch");
    const chance = await this.#chanceOf(posted);
    const salt = auditSalt(epoch.seed, leaseId, end.sequence);
    segment.salt = salt;
    const later = run.posted.slice(place + 1).map((next) => next.segment.end);
    this.#sums.decided++;
    this.#sums.expected += chance / UNIT;
    this.#decided.set(posted, chance / UNIT);
    this.#ended.set(posted, "not drawn");
    if (!isDrawn(salt, chance)) {
      if (this.#sums.decided % ASKED !== 0) return;
      if (!(await chain.audits.isRefused(segment, head, later, epoch.id))) throw new Error("drawn after all");
      this.#sums.refusedOpenings++;
      return;
    }
    this.#sums.drawn++;
    this.#drawn.push({ posted, salt, epochId: epoch.id });
  }

  /**
   * Opens the audits of what was drawn. Those of a lease whose node cheats one after another: one that finds it wrong ends the
   * lease, and what the others are for is only asked of the contract.
   */
  async #openAudits(): Promise<void> {
    const { chain, keeper } = this.#arena;
    const busy = new Set(this.#live.map(({ posted }) => posted.run));
    const left: Drawn[] = [];
    for (const drawn of this.#drawn) {
      const { posted, salt, epochId } = drawn;
      const { run, segment, head, place } = posted;
      if (posted.conduct !== "honest" && busy.has(run)) {
        left.push(drawn);
        continue;
      }
      const later = run.posted.slice(place + 1).map((next) => next.segment.end);
      const moot = this.#convicted.has(run);
      const drawnToo = moot && !(await chain.audits.isRefused(segment, head, later, epochId));
      if (!moot && !(await chain.audits.open(keeper, segment, head, later, epochId))) {
        throw new Error(
          `segment ${String(segment.end.sequence)} of lease ${String(run.leaseId)} was drawn, and not opened`,
        );
      }
      const live = { posted, salt, openedAt: await chain.now(), rounds: 0, lazy: false };
      if (drawnToo) {
        this.#note(live, "moot", 0);
        continue;
      }
      if (moot) throw new Error("drawn, and not to be opened");
      busy.add(run);
      this.#live.push(live);
    }
    this.#drawn = left;
  }

  /** What the contract says; for what it goes by, it says the same again. */
  async #chanceOf({ run, segment, place }: Posted): Promise<number> {
    const { chain } = this.#arena;
    const { provenAt } = this.#standings.get(run.producer) ?? { provenAt: 0 };
    const isNew = provenAt === 0 || segment.end.at <= provenAt;
    const by = [run.leaseId, place === 0, segment.end.progress - segment.before.progress, isNew].join();
    const chance = this.#chances.get(by) ?? (await chain.audits.chanceOf(segment));
    this.#chances.set(by, chance);
    return chance;
  }

  async #advance(parts: AuditParts): Promise<void> {
    const left: Live[] = [];
    for (const live of this.#live) {
      const ended = await advance(live, parts);
      if (!ended) {
        left.push(live);
        continue;
      }
      if (live.rounds > 0) await collect(live, parts);
      this.#note(live, ended.status, ended.seconds);
    }
    this.#live = left;
  }

  #note(live: Live, status: string, seconds: number): void {
    const { posted } = live;
    const { run } = posted;
    this.#audits[status] = (this.#audits[status] ?? 0) + 1;
    this.#ended.set(posted, live.lazy && status === "passed" && live.rounds > 0 ? "lazy" : status);
    this.#sums.longestAudit = Math.max(this.#sums.longestAudit, seconds);
    this.#sums.panels += Number(live.rounds > 0);
    this.#sums.panelRounds += live.rounds;
    this.#sums.lazyAudits += Number(live.lazy);
    if (!WRONG.includes(status)) return;
    run.over = true;
    this.#convicted.add(run);
    if (run.producer.conduct === "honest") this.#wronged.add(run.producer);
  }

  /** Kills, outages, drains and moves, as chance has it. */
  async #disturb(): Promise<void> {
    const { chain } = this.#arena;
    const { kill, outage, outageTicks, drain, drainTicks, move } = DISTURBANCES;
    for (const party of [...this.#producers, ...this.#verifiers.values()]) {
      if (this.#tick < party.downUntil || this.#random() >= kill) continue;
      this.#counts.kills++;
      party.downUntil = this.#tick + 1 + Math.floor(2 * this.#random());
    }
    for (const producer of this.#producers) {
      if (producer.drainedUntil === this.#tick) await chain.resume(producer.node);
      if (this.#random() < outage) {
        this.#counts.outages++;
        this.#unsettledUntil = this.#tick + outageTicks + SETTLING;
        producer.downUntil = this.#tick + outageTicks;
        producer.longestDown = outageTicks;
      } else if (this.#tick >= producer.drainedUntil && this.#random() < drain) await this.#drain(producer, drainTicks);
    }
    if (this.#random() < move) await this.#move();
  }

  async #drain(producer: Producer, ticks: number): Promise<void> {
    const { chain } = this.#arena;
    if (this.#tick < producer.downUntil) return;
    this.#counts.drains++;
    this.#unsettledUntil = Math.max(this.#unsettledUntil, this.#tick + SETTLING);
    await chain.drain(producer.node);
    producer.drainedUntil = this.#tick + ticks;
    for (const run of this.#runs.values()) {
      if (run.producer !== producer || run.over || run.posted.length === 0) continue;
      if (await chain.release({ id: run.leaseId, fence: run.fence }, producer.node, DRAINING)) run.over = true;
    }
  }

  /** A node says that it is overloaded; whatever the balancer lets go of it leaves. */
  async #move(): Promise<void> {
    const { chain, keeper } = this.#arena;
    const working = [...this.#runs.values()].filter((run) => this.#works(run) && run.posted.length > 1);
    const run = working[Math.floor(this.#random() * working.length)];
    if (!run) return;
    await this.#report(run.producer);
    if (!(await chain.move(keeper, { id: run.leaseId }, 1))) return;
    this.#counts.moves++;
    this.#unsettledUntil = Math.max(this.#unsettledUntil, this.#tick + SETTLING);
    // What the node does at once: a last checkpoint has been posted, so it hands over.
    if (await chain.release({ id: run.leaseId, fence: run.fence }, run.producer.node)) run.over = true;
  }

  /** What keepers do: end what is overdue, draw for what was lost, and run a round for what waits. */
  async #keep(): Promise<void> {
    const { chain, keeper, oracle } = this.#arena;
    for (const run of this.#runs.values()) {
      if (run.over || this.#tick >= run.producer.downUntil || run.producer.longestDown === 0) continue;
      if (await chain.expire(keeper, { id: run.leaseId })) run.over = true;
    }
    if (await chain.openBatch(keeper)) {
      await chain.answerOracle(oracle, false, () => this.#nextWord());
      await chain.draw(keeper);
      this.#begin(await chain.leases());
    }
    await this.#round();
  }

  /** @param busy Who says that it is overloaded. */
  async #report(busy?: Producer): Promise<void> {
    const { chain, keeper, producers, verifiers } = this.#arena;
    const said = [...producers, ...verifiers].map((node) => ({ node, ...(node === busy?.node ? BUSY : IDLE) }));
    this.#reportedAt = await chain.now();
    for (let i = 0; i < said.length; i += ARENA.producers) {
      await chain.report(keeper, said.slice(i, i + ARENA.producers), 1);
    }
  }

  #isOver(): boolean {
    const working = [...this.#runs.values()].some(({ over }) => !over);
    return !working && this.#live.length === 0 && this.#drawn.length === 0 && this.#undecided.length === 0;
  }

  /** Whatever was delivered and found good is paid once the window is over. */
  async #windUp(): Promise<void> {
    const { chain, keeper } = this.#arena;
    if (!this.#isOver()) this.#sums.stalled += this.#live.length;
    await chain.passTo((await chain.now()) + WINDOW);
    for (const id of this.#delivered) await chain.accept(keeper, [{ id }]);
    const open = await chain.leases();
    this.#sums.unpaid += open.filter(({ id }) => this.#delivered.includes(id)).length;
  }

  #caught(): number {
    return [...this.#ended.values()].filter((status) => this.#isCaught(status)).length;
  }

  #isCaught(status: string | undefined): boolean {
    return status !== undefined && (this.#scenario.lazy ? status === "lazy" : WRONG.includes(status));
  }

  #runResults(): ArenaResult["runs"] {
    return [...this.#runs.values()].map(({ posted }) => {
      const chances = posted.flatMap((one) => this.#decided.get(one) ?? []);
      const first = posted.findIndex((one) => this.#isCaught(this.#ended.get(one)));
      return { chances, caughtAt: first < 0 ? undefined : first + 1 };
    });
  }

  #wealth(nodes: Arena["producers"]): Promise<number[]> {
    return Promise.all(nodes.map((node) => wealthOf(this.#arena, node)));
  }

  /** VER at stake under all verifiers. */
  async #bonds(): Promise<number> {
    const { chain, verifiers } = this.#arena;
    let sum = 0;
    for (const { nodeId } of verifiers) sum += Number(await chain.audits.stakeOf(nodeId)) / 1e18;
    return sum;
  }

  #nextWord(): bigint {
    return this.#word(this.#words++);
  }
}

function key(taskId: number, unit: number): string {
  return `${String(taskId)}/${String(unit)}`;
}
