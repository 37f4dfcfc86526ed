import type { BatchStatus, EnergySource, LeaseStatus, NodeStatus, RoundStatus, TaskStatus } from "./enums.ts";

/** A node. Times in seconds, stake in wei. */
export interface Node {
  readonly id: number;
  readonly status: NodeStatus;
  readonly classId: number;
  /** Its ask, in ticks of its class. */
  readonly askTick: number;
  readonly capacity: number;
  /** Units under live leases. */
  readonly leased: number;
  /** Units delivered and neither paid nor refused yet: the stake also backs them. */
  readonly undecided: number;
  /** With what it stands in the market now; absent if it does not. */
  readonly listing?: Listing;
  /** No new leases before this time. */
  readonly cooldownUntil: number;
  /** Time from which the stake can be withdrawn; 0: not leaving. */
  readonly withdrawableAt: number;
  readonly owner: string;
  readonly operator: string;
  readonly energySource: EnergySource;
  /** Average watts above which it is throttled; 0: never. */
  readonly powerThreshold: number;
  /** Maximum power of the machine, watts. */
  readonly powerMax: number;
  /** Whether its reports let it take new work. */
  readonly eligible: boolean;
  readonly stake: bigint;
  /** Multiaddrs, comma-separated, as the node claims; empty if they are no text. */
  readonly endpoint: string;
}

/** A node's place in the market. */
export interface Listing {
  readonly classId: number;
  readonly tick: number;
  readonly units: number;
  /** Place in the array of its tick. */
  readonly position: number;
}

/** A class of interchangeable nodes. */
export interface NodeClass {
  readonly id: number;
  /** Such as `gpu-80g/eu`. */
  readonly name: string;
  /** Price of one tick, micro-VER. */
  readonly tickSize: number;
}

/** A task. Times in seconds, money in wei. */
export interface Task {
  readonly id: number;
  readonly status: TaskStatus;
  /** Whether it stands in the queue of open tasks. */
  readonly queued: boolean;
  /** Whether it is part of the open round. */
  readonly inRound: boolean;
  /** Whether it has left the queue because no round could serve it when its turn came. */
  readonly parked: boolean;
  readonly units: number;
  readonly openUnits: number;
  readonly leasedUnits: number;
  readonly paidUnits: number;
  readonly refundedUnits: number;
  /** Seconds between checkpoints. */
  readonly checkpointInterval: number;
  /** Longest time that a unit may take, seconds: what headway is measured against. */
  readonly maxUnitTime: number;
  /** Other nodes that must hold a checkpoint before it counts. */
  readonly replicas: number;
  /** Chance with which each of its segments is audited at least, basis points; 0: it asks for no audits. */
  readonly auditChance: number;
  readonly submittedAt: number;
  readonly deadline: number;
  /** The spec's CIDv1: multicodec and sha2-256 digest (32 bytes, hexadecimal). */
  readonly spec: ContentId;
  readonly feeBps: number;
  readonly owner: string;
  readonly maxPrice: bigint;
  readonly escrow: bigint;
  /** Part of the escrow that pays for places in rounds. */
  readonly roundDeposit: bigint;
  /** Accepted classes, ascending. */
  readonly classes: readonly { readonly classId: number; readonly surcharge: bigint }[];
}

/** A CIDv1 with a sha2-256 digest, as it is kept on chain. */
export interface ContentId {
  readonly codec: number;
  /** `0x` and 64 hexadecimal digits. */
  readonly digest: string;
}

/** A lease. Times in seconds. */
export interface Lease {
  readonly id: number;
  readonly taskId: number;
  readonly nodeId: number;
  /** First unit and number of units. */
  readonly start: number;
  readonly count: number;
  /** Price of a unit, micro-VER. */
  readonly price: number;
  /** Active: next checkpoint due. Moving: its grace ends. Delivered: anyone may accept then. Disputed: the arbiter's time ends. */
  readonly due: number;
  readonly fence: number;
  readonly status: LeaseStatus;
  /** The lease that ran the range before; 0 if none. */
  readonly parent: number;
  /** Class that its node was listed in when it was granted: what its energy is measured by, for good. */
  readonly classId: number;
  /** What was delivered; absent before. */
  readonly result?: ContentId & {
    /** Bytes, as its node claims. */
    readonly size: number;
    readonly deliveredAt: number;
    /** Bond of a dispute, micro-VER. */
    readonly bond: number;
  };
}

/** A checkpoint of a lease. */
export interface Checkpoint extends ContentId {
  /** Work done, in basis points of a unit, summed over the lease's units. */
  readonly progress: number;
  /** Bytes, as the lease's node claims. */
  readonly size: number;
  /** Time of the block that recorded it, seconds. */
  readonly at: number;
  /** 1 for the lease's first one. */
  readonly sequence: number;
  /** When the lease was granted, seconds. */
  readonly startedAt: number;
}

/** A batch of ranges whose leases failed, which are drawn for together. Times in seconds. */
export interface Batch {
  /** 0: there was none yet. */
  readonly id: number;
  readonly status: BatchStatus;
  readonly openedAt: number;
  readonly closedAt: number;
  readonly requestId: bigint;
  /** 32 bytes, hexadecimal; all zero before the oracle has answered. */
  readonly seed: string;
  /** The expired leases whose ranges are drawn for, in this order. */
  readonly leaseIds: readonly number[];
  /** How many of them are dealt with. */
  readonly drawn: number;
}

/** A round. Times in seconds. */
export interface Round {
  /** 0: there was none yet. */
  readonly id: number;
  readonly status: RoundStatus;
  readonly openedAt: number;
  readonly closedAt: number;
  readonly opener: string;
  readonly requestId: bigint;
  /** 32 bytes, hexadecimal; all zero before the oracle has answered. */
  readonly seed: string;
  /** Tasks in queue order, with the units that they brought in. */
  readonly demands: readonly { readonly taskId: number; readonly units: number }[];
  /** Every class that one of the tasks accepts, ascending. */
  readonly classIds: readonly number[];
  readonly leases: number;
  readonly unitsOpen: number;
}

/** What is known of a node by its reports; `ITelemetry.ReportState`. */
export interface ReportState {
  readonly nodeId: number;
  /** Of its last report; 0: it has not reported yet. */
  readonly sequence: number;
  /** When its last report was posted, seconds. */
  readonly at: number;
  /** Basis points. */
  readonly load: number;
  /** Milliseconds. */
  readonly latency: number;
  /** Average power in the last report and in the one before, watts. */
  readonly watts: number;
  readonly previousWatts: number;
  /** Reports whose posting by others is paid in advance, and what each pays who posts it, micro-VER. */
  readonly prepaid: number;
  readonly fee: number;
  readonly throttled: boolean;
  /** Whether its load counts in the average. */
  readonly counted: boolean;
  /** Whether all energy of its last report was renewable. */
  readonly renewable: boolean;
}

/** Sums over the nodes that count; `ITelemetry.Totals`. The average load is load ÷ nodes. */
export interface NetworkTotals {
  /** Basis points × units of capacity: the average load is this ÷ `capacity`. */
  readonly load: number;
  readonly watts: number;
  /** Units of capacity. */
  readonly capacity: number;
  readonly nodes: number;
  readonly renewableNodes: number;
  readonly throttledNodes: number;
}

/** Units on their way from and to a node by moves, which its last report may not show. */
export interface NodeShift {
  readonly outgoing: number;
  readonly incoming: number;
}

/** What a class is compared with. */
export interface ClassEnergy {
  /** Joules of a unit in a data centre, before its PUE; 0: no baseline. */
  readonly baselineJoules: number;
  /** Milligrams of CO2 equivalent per kWh. */
  readonly gridIntensity: number;
}

/** Energy and carbon of a node, a task or the network; `IEnergyLedger.Summary`. Rounded against the network's claims. */
export interface EnergySummary {
  /** By method they are the next three. */
  readonly joules: bigint;
  readonly raplJoules: bigint;
  readonly nvmlJoules: bigint;
  readonly estimatedJoules: bigint;
  readonly renewableJoules: bigint;
  /** Seconds covered by reports, summed over nodes. */
  readonly seconds: bigint;
  /** Average power of a node while it reported. */
  readonly averageWatts: bigint;
  readonly unitSeconds: bigint;
  readonly idleUnitSeconds: bigint;
  /** Units that are compared with a baseline. */
  readonly creditedUnits: bigint;
  /** PUE included. */
  readonly baselineJoules: bigint;
  readonly carbonMilligrams: bigint;
  readonly baselineCarbonMilligrams: bigint;
  /** Negative: caused. */
  readonly avoidedMilligrams: bigint;
  /** Basis points; 0 without a baseline. */
  readonly efficiencyGainBps: bigint;
  readonly carbonReductionBps: bigint;
  readonly renewableBps: bigint;
  readonly idleBps: bigint;
}
