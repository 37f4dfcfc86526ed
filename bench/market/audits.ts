import { createHash } from "node:crypto";

import type { Lease } from "@verai/client/entities";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { headAfter, linkHash, NO_HEAD, NO_LINK } from "@verai/protocol/audits/segments";
import { traceRoot } from "@verai/protocol/audits/trace";
import { advance, type AuditParts, collect, type Live } from "../audits/audit-play.ts";
import { type PostedUnit, traceOf } from "../audits/cheats.ts";
import type { Posted, Run } from "../audits/parties.ts";
import { dataOf, digestOf, initialState, PROGRAM, segmentFrom, type State } from "../audits/program.ts";
import type { GameHolder, GameNode, MarketContracts } from "./contracts.ts";
import { ECONOMY } from "./economy.ts";
import { EPISODE } from "./world.ts";

const DAG_PB = 0x70;
/** Work of a unit for which its program does a segment's steps, basis points. */
const SEGMENT = 10_000 / EPISODE.unitSteps;
/** Steps that an audit makes at once, where nobody is silent. */
const PHASES = 3;

/** How far a node says that its work is. */
export interface Claim {
  /** Of all units together, basis points of a unit; and how much of each was really computed. */
  readonly progress: number;
  readonly computed: readonly number[];
  /** Whether the node posts what it has computed; else it makes its states up. */
  readonly honest: boolean;
}

/** Who answers for audits. */
export interface Members {
  readonly nodes: ReadonlyMap<number, GameNode>;
  /** Whether a node and the producer belong together. */
  readonly together: (nodeId: number, producer: number) => boolean;
  /** Whether a node opens its trace when it is asked to. */
  readonly opens: (nodeId: number) => boolean;
  /** Notes what running a segment again costs a node's owner. */
  readonly computed: (owner: string, cost: number) => void;
}

/** Audits of an episode: what was posted, and what became of it. */
export class GameAudits {
  readonly #chain: MarketContracts;
  readonly #members: Members;
  readonly #runs = new Map<number, Run>();
  #undecided: Posted[] = [];
  #live: Live[] = [];
  #epochAt = 0;
  #seconds: number | undefined;

  constructor(chain: MarketContracts, members: Members) {
    this.#chain = chain;
    this.#members = members;
  }

  /** Posts a checkpoint with the trace of what was done since the last one. @returns Whether it was taken. */
  async checkpoint(lease: Lease, node: GameNode, claim: Claim, holders: readonly GameHolder[]): Promise<boolean> {
    const run = this.#runOf(lease, node, claim);
    const before = run.posted.at(-1)?.units.map(endOf) ?? firstOf(lease, run.posted.length === 0 ? claim : undefined);
    const units = before.map((state, i) => this.#unit(lease, i, state, claim));
    // Units of a lease go on together: where nothing was done on one, nothing is to be posted.
    if (units.some(({ states }) => states.length === 0)) return false;
    const traces = traceOf(lease.start, units);
    const ends = units.map(endOf);
    const link = {
      sequence: run.posted.length + 1,
      digest: `0x${createHash("sha256").update(ends.map(digestOf).join()).digest("hex")}`,
      traceRoot: traceRoot(traces),
      ...{ progress: claim.progress, codec: DAG_PB, size: 1 },
    };
    if (!(await this.#chain.checkpointTraced(lease, node, link, holders))) return false;
    const last = run.posted.at(-1);
    const end = { ...link, at: await this.#chain.now() };
    const posted: Posted = {
      ...{ run, before, units, withheld: false, place: run.posted.length },
      conduct: claim.honest ? "honest" : "old checkpoint",
      segment: { leaseId: lease.id, before: last?.segment.end ?? NO_LINK, end },
      head: last && last.place > 0 ? headAfter(last.head, [linkHash(last.segment.before)]) : NO_HEAD,
    };
    run.posted.push(posted);
    this.#undecided.push(posted);
    return true;
  }

  /** What keepers and verifiers do in a step: an epoch when it is time, and each audit as far as it goes. */
  async keep(keeper: string, oracle: string, word: (request: number) => bigint): Promise<void> {
    const { audits } = this.#chain;
    this.#seconds ??= (await audits.terms()).epoch;
    const leases = this.#undecided.map(({ segment }) => segment.leaseId);
    if (leases.length > 0 && (await this.#chain.now()) >= this.#epochAt && (await audits.openEpoch(keeper, leases))) {
      const epoch = await audits.seedEpoch(oracle, this.#chain.nextWord(word));
      this.#epochAt = epoch.to + this.#seconds;
      for (const posted of this.#undecided.splice(0)) await this.#open(posted, epoch, keeper);
    }
    for (let phase = 0; phase < PHASES && this.#live.length > 0; phase++) await this.#advance(keeper);
  }

  /** Ends what goes on, however long that takes. */
  async finish(keeper: string, oracle: string, word: (request: number) => bigint): Promise<void> {
    for (let i = 0; this.#undecided.length + this.#live.length > 0; i++) {
      if (i === 200) throw new Error("an audit that does not end");
      await this.keep(keeper, oracle, word);
      await this.#chain.passTo((await this.#chain.now()) + EPISODE.stepSeconds);
    }
  }

  async #open(posted: Posted, epoch: { id: number; seed: string }, keeper: string): Promise<void> {
    const { segment, head, run, place } = posted;
    const salt = auditSalt(epoch.seed, segment.leaseId, segment.end.sequence);
    segment.salt = salt;
    if (!isDrawn(salt, await this.#chain.audits.chanceOf(segment))) return;
    const later = run.posted.slice(place + 1).map((next) => next.segment.end);
    if (!(await this.#chain.audits.open(keeper, segment, head, later, epoch.id)))
      throw new Error("an audit is refused");
    this.#live.push({ posted, salt, openedAt: await this.#chain.now(), rounds: 0, lazy: false });
  }

  async #advance(keeper: string): Promise<void> {
    const left: Live[] = [];
    for (const live of this.#live) {
      const parts = this.#parts(keeper, live);
      const ended = await advance(live, parts);
      if (!ended) left.push(live);
      else if (live.rounds > 0) await collect(live, parts);
    }
    this.#live = left;
  }

  #parts(keeper: string, { posted }: Live): AuditParts {
    const { nodes, together, opens, computed } = this.#members;
    const producer = posted.run.producer.node.nodeId;
    return {
      audits: this.#chain.audits,
      keeper,
      tickSeconds: EPISODE.stepSeconds,
      lazy: false,
      now: () => this.#chain.now(),
      verifier: (nodeId) => {
        const node = nodes.get(nodeId);
        return node && { node, colludes: posted.conduct !== "honest" && together(nodeId, producer), downUntil: 0 };
      },
      ran: ({ owner }) => {
        computed(owner, ECONOMY.compute / EPISODE.unitSteps);
      },
      isDelivered: () => true,
      isUp: (party) => party !== posted.run.producer || opens(producer),
    };
  }

  #runOf({ id: leaseId, fence, taskId, start, count }: Lease, node: GameNode, { honest }: Claim): Run {
    const known = this.#runs.get(leaseId);
    if (known) return known;
    const conduct = honest ? "honest" : "old checkpoint";
    const producer = { node, conduct, downUntil: 0, longestDown: 0, drainedUntil: 0 } as const;
    const run = { leaseId, fence, taskId, start, count, producer, posted: [], over: false };
    this.#runs.set(leaseId, run);
    return run;
  }

  /** A unit's part: the states up to what was computed, or the state before under later numbers. */
  #unit({ taskId, start }: Lease, i: number, state: State, { honest, computed }: Claim): PostedUnit {
    const steps = honest ? stepsOf(computed[i] ?? 0) - state.step : PROGRAM.steps;
    const states = honest
      ? segmentFrom(state, dataOf(taskId, start + i), steps)
      : Array.from({ length: steps / PROGRAM.leafEvery }, (_, k) => ({
          ...state,
          step: state.step + (k + 1) * PROGRAM.leafEvery,
        }));
    return { states, computed: honest ? steps : 0 };
  }
}

/** States that the first checkpoint of a lease goes on from: those at which its work, or nobody's, was a step before. */
function firstOf({ taskId, start, count }: Lease, claim: Claim | undefined): State[] {
  return Array.from({ length: count }, (_, i) => {
    const done = Math.max(0, stepsOf(claim?.computed[i] ?? 0) - PROGRAM.steps);
    const first = initialState(start + i);
    return (claim?.honest ? segmentFrom(first, dataOf(taskId, start + i), done).at(-1) : undefined) ?? first;
  });
}

function endOf({ states }: PostedUnit): State {
  const end = states.at(-1);
  if (!end) throw new Error("a segment in which nothing was done");
  return end;
}

/** Steps of a unit's program at so much work. */
function stepsOf(progress: number): number {
  return Math.floor(progress / SEGMENT) * PROGRAM.steps;
}
