import { encodeBytes32String } from "ethers";

import { AUDIT_STATUSES } from "@verai/client/enums";
import { packFields } from "@verai/client/report";
import { encode, type RawLog } from "./encode.ts";

/** How large a made-up history is. Blocks are two seconds apart, as BASE's. */
export interface YearSize {
  readonly nodes: number;
  /** Rounds, each granting the same number of leases. */
  readonly rounds: number;
  readonly tasksInRound: number;
  readonly leasesInTask: number;
  /** Blocks from one round to the next. */
  readonly roundBlocks: number;
  /** Checkpoints of a lease. */
  readonly checkpoints: number;
  /** Blocks from one checkpoint to the next. */
  readonly checkpointBlocks: number;
  /** One lease in so many fails, and is drawn for. */
  readonly failsOneIn: number;
  /** Blocks between two reports of a node. */
  readonly reportBlocks: number;
}

/** Chain time of block 0. */
const GENESIS = 1_800_000_000;

/** Time of a block, seconds. */
export function timeOf(block: number): number {
  return GENESIS + 2 * block;
}

const FIRST_ROUND = 100;
/** Rounds whose logs are kept: a range of 10,000 blocks, twice. */
const KEPT_ROUNDS = 128;
const CLASSES = ["cpu/eu", "cpu/us", "gpu-24g/eu", "gpu-80g/us"];
/** One lease in so many has an audit. */
const AUDITED_ONE_IN = 10;
const NOTHING = `0x${"00".repeat(32)}`;
const WEI = 10n ** 18n;

function address(kind: number, id: number): string {
  return `0x${((BigInt(kind) << 152n) | BigInt(id)).toString(16).padStart(40, "0")}`;
}

/** A digest that looks like any other and is the same for the same numbers. */
function digest(kind: number, id: number, more = 0): string {
  let text = "";
  let state = (Math.imul(kind + 1, 0x9e3779b1) ^ Math.imul(id + 1, 0x85ebca6b) ^ Math.imul(more + 1, 0xc2b2ae35)) >>> 0;
  for (let i = 0; i < 8; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
    state = (state ^ (state >>> 12)) + 0x9e3779b9;
    text += (state >>> 0).toString(16).padStart(8, "0");
  }
  return `0x${text}`;
}

/**
 * A made-up history of the contracts' events, the same for the same size: nodes register and report, developers submit tasks,
 * rounds grant them, leases write checkpoints and deliver, some fail and are drawn for, all are paid. Any range of blocks can
 * be made by itself.
 */
export class Year {
  readonly size: YearSize;
  /** Leases that a round brings, those drawn for failed ones included. */
  readonly #leasesOfRound: number;
  readonly #failuresOfRound: number;
  readonly #rounds = new Map<number, readonly RawLog[]>();

  constructor(size: YearSize) {
    this.size = size;
    const granted = size.tasksInRound * size.leasesInTask;
    this.#failuresOfRound = Math.floor(granted / size.failsOneIn);
    this.#leasesOfRound = granted + this.#failuresOfRound;
  }

  get leases(): number {
    return this.size.rounds * this.#leasesOfRound;
  }

  get tasks(): number {
    return this.size.rounds * this.size.tasksInRound;
  }

  /** Last block with an event. */
  get lastBlock(): number {
    return FIRST_ROUND + this.size.rounds * this.size.roundBlocks + this.#span;
  }

  /** Blocks from a round's opening to the end of all that follows from it. */
  get #span(): number {
    return 100 + 2 * this.size.checkpointBlocks * (this.size.checkpoints + 2);
  }

  /** Logs of blocks `from` … `to`, in order of blocks; within a block in their order. */
  logs(from: number, to: number): RawLog[] {
    const { rounds, roundBlocks } = this.size;
    const found: RawLog[] = [];
    const add = (logs: Iterable<RawLog>) => {
      for (const log of logs) if (log.block >= from && log.block <= to) found.push(log);
    };
    if (from < FIRST_ROUND) add(this.#beginning());
    this.#reports(from, to, found);
    const first = Math.max(0, Math.floor((from - FIRST_ROUND - this.#span) / roundBlocks));
    const last = Math.min(rounds - 1, Math.floor((to - FIRST_ROUND) / roundBlocks));
    for (let round = first; round <= last; round++) add(this.#made(round));
    return found.sort((a, b) => a.block - b.block);
  }

  /** A round's logs, kept for the ranges that follow: what a round brings is spread over many blocks. */
  #made(round: number): readonly RawLog[] {
    const known = this.#rounds.get(round);
    if (known) return known;
    const made = [...this.#round(round)];
    this.#rounds.set(round, made);
    if (this.#rounds.size > KEPT_ROUNDS) {
      const [oldest] = this.#rounds.keys();
      if (oldest !== undefined) this.#rounds.delete(oldest);
    }
    return made;
  }

  #beginning(): RawLog[] {
    const logs = CLASSES.map((name, classId) =>
      encode(1, "ClassAdded", { classId, name: encodeBytes32String(name), tickSize: 1000 }),
    );
    for (let nodeId = 1; nodeId <= this.size.nodes; nodeId++) {
      const block = 2 + (nodeId % (FIRST_ROUND - 10));
      const terms = { classId: nodeId % CLASSES.length, capacity: 64, ask: (WEI * BigInt(10 + (nodeId % 50))) / 1000n };
      logs.push(
        encode(block, "NodeRegistered", {
          nodeId,
          owner: address(1, nodeId >> 2),
          operator: address(2, nodeId),
          terms,
        }),
        encode(block, "StakeLocked", { nodeId, from: address(1, nodeId >> 2), amount: 640n * WEI }),
        encode(block, "ProfileSet", {
          nodeId,
          profile: {
            energySource: 1 + (nodeId % 5),
            powerThreshold: 500,
            powerMax: 700,
            endpoint: `/dns4/n${String(nodeId)}.example/tcp/4001`,
          },
        }),
      );
    }
    return logs;
  }

  #reports(from: number, to: number, found: RawLog[]): void {
    const { nodes, reportBlocks } = this.size;
    const start = Math.max(from, FIRST_ROUND);
    for (let nodeId = 1; nodeId <= nodes; nodeId++) {
      // Spread over the interval.
      const offset = Math.floor((nodeId * reportBlocks) / nodes);
      const first = Math.ceil((start - offset) / reportBlocks);
      for (let n = Math.max(1, first); n * reportBlocks + offset <= Math.min(to, this.lastBlock); n++) {
        const joules = 100_000 + ((nodeId * 37 + n * 11) % 50_000);
        const block = n * reportBlocks + offset;
        const load = (nodeId * 7 + n) % 10_000;
        const watts = Math.ceil(joules / (2 * reportBlocks));
        const report = { nodeId, sequence: n, load, latency: 20 + (nodeId % 60), watts, renewable: nodeId % 3 === 0 };
        found.push(
          encode(block, "Reported", { poster: address(4, n % 7), fees: 0n, reports: packFields(report) }),
          encode(block, "EnergyReported", {
            nodeId,
            coveredUntil: timeOf(block),
            period: 2 * reportBlocks,
            joules,
            renewableJoules: nodeId % 3 === 0 ? joules : 0,
            method: 1 + (nodeId % 3),
            version: 258,
            idleUnitSeconds: nodeId % 5 === 0 ? 600 : 0,
          }),
        );
      }
    }
  }

  /** All that follows from a round. Ids follow from its number alone. */
  *#round(round: number): Generator<RawLog> {
    const { nodes, tasksInRound, leasesInTask, roundBlocks } = this.size;
    const [roundId, opened] = [round + 1, FIRST_ROUND + round * roundBlocks];
    const keeper = address(4, round % 7);
    const granted = opened + 12;
    const demands: { taskId: number; units: number }[] = [];
    for (let t = 0; t < tasksInRound; t++) {
      const taskId = round * tasksInRound + t + 1;
      const owner = address(3, taskId % 500);
      const [units, maxPrice] = [leasesInTask * 4, WEI / 10n];
      const escrow = (maxPrice * BigInt(units) * 103n) / 100n;
      demands.push({ taskId, units });
      yield encode(opened, "EscrowLocked", { taskId, from: owner, amount: escrow });
      yield encode(opened, "TaskSubmitted", { taskId, owner, specDigest: digest(1, taskId), units, maxPrice, escrow });
      yield encode(opened, "TaskQueued", { taskId, openUnits: units });
    }
    yield encode(opened + 5, "RoundOpened", {
      roundId,
      opener: keeper,
      requestId: digest(2, round),
      demands,
      classes: 15n,
    });
    yield encode(opened + 8, "SeedStored", { requestId: digest(2, round), seed: digest(3, round) });
    const total = tasksInRound * leasesInTask;
    yield encode(granted, "RoundSettled", { roundId, keeper, leases: total, units: total * 4, unitsOpen: 0 });
    const failing: { leaseId: number; taskId: number; start: number; nodeId: number }[] = [];
    for (let t = 0; t < tasksInRound; t++) {
      const taskId = round * tasksInRound + t + 1;
      yield encode(granted, "UnitsLeased", { taskId, units: leasesInTask * 4 });
      for (let l = 0; l < leasesInTask; l++) {
        const place = t * leasesInTask + l;
        const leaseId = round * this.#leasesOfRound + place + 1;
        const nodeId = 1 + ((round * 13 + place * 101) % nodes);
        const lease = { leaseId, taskId, nodeId, start: l * 4 };
        yield encode(granted, "LeaseGranted", {
          ...lease,
          count: 4,
          priceMicroVer: 20_000 + (nodeId % 50) * 100,
          fence: 1,
          parent: 0,
        });
        if (failing.length < this.#failuresOfRound && place % this.size.failsOneIn === 0) failing.push(lease);
        else yield* this.#life(lease, granted + (place % 40));
      }
    }
    for (const classId of [0, 1]) {
      yield encode(granted, "ClassCleared", {
        roundId,
        classId,
        clearing: (20_000 + (round % 5_000)) * 1024,
        units: tasksInRound * leasesInTask * 2,
      });
    }
    yield encode(granted, "BountyPaid", { to: keeper, amount: WEI / 50n });
    yield* this.#failures(round, granted, failing);
  }

  *#failures(
    round: number,
    granted: number,
    failing: readonly { leaseId: number; taskId: number; start: number; nodeId: number }[],
  ): Generator<RawLog> {
    if (failing.length === 0) return;
    const keeper = address(4, round % 7);
    const at = granted + this.size.checkpointBlocks;
    const batchId = round + 1;
    for (const { leaseId, taskId, nodeId } of failing) {
      yield encode(at, "LeaseExpired", { leaseId, taskId, nodeId, by: keeper, reason: 10 });
      yield encode(at, "StakeSlashed", { nodeId, amount: WEI / 10n });
      yield encode(at, "RangeOrphaned", { leaseId, moved: false });
    }
    const leaseIds = failing.map(({ leaseId }) => leaseId);
    yield encode(at + 3, "BatchOpened", { batchId, opener: keeper, requestId: digest(4, round), leaseIds });
    yield encode(at + 6, "SeedStored", { requestId: digest(4, round), seed: digest(5, round) });
    for (const [i, { leaseId: parent, taskId, start, nodeId: failed }] of failing.entries()) {
      const leaseId = round * this.#leasesOfRound + this.size.tasksInRound * this.size.leasesInTask + i + 1;
      const nodeId = 1 + (failed % this.size.nodes);
      const lease = { leaseId, taskId, nodeId, start };
      yield encode(at + 9, "LeaseGranted", { ...lease, count: 4, priceMicroVer: 25_000, fence: 2, parent });
      yield encode(at + 9, "RangeDrawn", { batchId, orphanId: parent, leaseId, nodeId, start, count: 4 });
      yield* this.#life(lease, at + 9);
    }
    yield encode(at + 9, "BatchDrawn", { batchId });
  }

  /** The audit of a lease's first segment, a step a block. */
  *#audit(leaseId: number, nodeId: number, posted: number): Generator<RawLog> {
    const none = [0, NOTHING, NOTHING, 0, 0, 0, 0];
    const end = [1, digest(6, leaseId, 1), digest(8, leaseId), 10_000, timeOf(posted), 0x70, 5_000_000];
    const of = { leaseId, sequence: 1 };
    const verifier = 1 + (nodeId % this.size.nodes);
    yield encode(posted + 1, "AuditOpened", {
      ...of,
      epochId: 1,
      segment: [leaseId, digest(9, leaseId), none, end],
    });
    yield encode(posted + 1, "VerifierDrawn", { ...of, nodeId: verifier, question: 0, due: timeOf(posted + 9) });
    yield encode(posted + 2, "AnswerCommitted", { ...of, nodeId: verifier, due: timeOf(posted + 9) });
    yield encode(posted + 3, "TraceOpened", { ...of, answer: digest(10, leaseId), due: timeOf(posted + 9) });
    yield encode(posted + 4, "AuditEnded", { ...of, nodeId, status: AUDIT_STATUSES.indexOf("passed") });
  }

  /** Checkpoints, delivery and payment of a lease. */
  *#life(
    { leaseId, taskId, nodeId }: { leaseId: number; taskId: number; nodeId: number },
    from: number,
  ): Generator<RawLog> {
    const { checkpoints, checkpointBlocks, leasesInTask } = this.size;
    for (let sequence = 1; sequence <= checkpoints; sequence++) {
      const block = from + sequence * checkpointBlocks;
      const progress = Math.floor((40_000 * sequence) / (checkpoints + 1));
      yield encode(block, "CheckpointPosted", {
        leaseId,
        digest: digest(6, leaseId, sequence),
        codec: 0x70,
        progress,
        size: 5_000_000,
        sequence,
      });
      yield encode(block, "CheckpointReplicated", { leaseId, sequence, nodeIds: [1 + (nodeId % this.size.nodes)] });
      yield encode(block, "LeaseRenewed", { leaseId, due: timeOf(block + checkpointBlocks) });
    }
    if (leaseId % AUDITED_ONE_IN === 0) yield* this.#audit(leaseId, nodeId, from + checkpointBlocks);
    const delivered = from + (checkpoints + 1) * checkpointBlocks;
    yield encode(delivered, "ResultDelivered", {
      leaseId,
      taskId,
      nodeId,
      digest: digest(7, leaseId),
      codec: 0x70,
      size: 9_000_000,
    });
    const paid = delivered + 50;
    const amount = 4n * BigInt(20_000 + (nodeId % 50) * 100) * 10n ** 12n;
    yield encode(paid, "LeasePaid", { leaseId, taskId, nodeId, amount, fee: amount / 100n });
    yield encode(paid, "FeeCollected", { taskId, amount: amount / 100n });
    yield encode(paid, "UnitsPaid", { taskId, units: 4 });
    yield encode(paid + 10, "TaskEnergyRecorded", {
      taskId,
      leaseId,
      joules: 1_000_000 + (leaseId % 1000),
      renewableJoules: 0,
    });
    // The last lease of a task ends it; those that failed make it a little later.
    if (leaseId % leasesInTask === 0)
      yield encode(paid + 2 * checkpointBlocks, "TaskEnded", { taskId, refund: 1_000_000_000_000n });
  }
}
