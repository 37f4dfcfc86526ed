import type { ICheckpointRegistry } from "../../../types/contracts/contracts/checkpoints/CheckpointRegistry.ts";
import type { ILeaseRegistry } from "../../../types/contracts/contracts/periphery/Lens.ts";
import type { INodeRegistry } from "../../../types/contracts/contracts/core/nodes/NodeRegistry.ts";
import type { ISupply } from "../../../types/contracts/contracts/core/nodes/Supply.ts";
import type { IReassignment } from "../../../types/contracts/contracts/core/reassignment/Reassignment.ts";
import type { IRoundManager } from "../../../types/contracts/contracts/core/rounds/RoundManager.ts";
import type { ITaskRegistry } from "../../../types/contracts/contracts/core/tasks/TaskRegistry.ts";
import { classNameFromBytes32 } from "../class-names.ts";
import type { Batch, Checkpoint, Lease, Node, NodeClass, Round, Task } from "../entities.ts";
import {
  BATCH_STATUSES,
  ENERGY_SOURCES,
  LEASE_STATUSES,
  NODE_STATUSES,
  ROUND_STATUSES,
  TASK_STATUSES,
  enumName,
} from "../enums.ts";

/**
 * A number that a double holds exactly.
 *
 * @throws RangeError above 2^53 - 1, which the contracts' types exclude for all that is read here.
 */
export function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${String(value)} is too large to be a number.`);
  return number;
}

/**
 * A size that a node claims. A node that claims an absurd one must not stop others from reading on, so what a double does
 * not hold becomes 2^53 - 1, which no bound allows.
 */
function claimedSize(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** The bits that are set, ascending. */
export function bitsOf(set: bigint): number[] {
  const bits: number[] = [];
  for (let bit = 0, rest = set; rest !== 0n; bit++, rest >>= 1n) if (rest & 1n) bits.push(bit);
  return bits;
}

/** A text that a node claims; empty if its bytes are no UTF-8, on which ethers throws when they are first read. */
export function claimedText(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

export function toClass(v: ISupply.ClassStructOutput, id: number): NodeClass {
  return { id, name: classNameFromBytes32(v.name), tickSize: safe(v.tickSize) };
}

export function toNode(v: INodeRegistry.NodeViewStructOutput): Node {
  return {
    id: safe(v.id),
    status: enumName(NODE_STATUSES, v.status),
    classId: safe(v.classId),
    askTick: safe(v.askTick),
    capacity: safe(v.capacity),
    leased: safe(v.leased),
    undecided: safe(v.undecided),
    ...(v.listedUnits > 0n && {
      listing: {
        classId: safe(v.listedClassId),
        tick: safe(v.listedTick),
        units: safe(v.listedUnits),
        position: safe(v.listedPosition),
      },
    }),
    cooldownUntil: safe(v.cooldownUntil),
    withdrawableAt: safe(v.withdrawableAt),
    owner: v.owner,
    operator: v.operator,
    energySource: enumName(ENERGY_SOURCES, v.energySource),
    powerThreshold: safe(v.powerThreshold),
    powerMax: safe(v.powerMax),
    eligible: !v.ineligible,
    stake: v.stake,
    endpoint: claimedText(() => v.endpoint),
  };
}

export function toTask(v: ITaskRegistry.TaskViewStructOutput): Task {
  const surcharges = [...v.surcharges];
  return {
    id: safe(v.id),
    status: enumName(TASK_STATUSES, v.status),
    queued: v.queued,
    inRound: v.inRound,
    parked: v.parked,
    units: safe(v.units),
    openUnits: safe(v.openUnits),
    leasedUnits: safe(v.leasedUnits),
    paidUnits: safe(v.paidUnits),
    refundedUnits: safe(v.refundedUnits),
    checkpointInterval: safe(v.checkpointInterval),
    maxUnitTime: safe(v.maxUnitTime),
    replicas: safe(v.replicas),
    auditChance: safe(v.auditChance),
    submittedAt: safe(v.submittedAt),
    deadline: safe(v.deadline),
    spec: { codec: safe(v.specCodec), digest: v.specDigest },
    feeBps: safe(v.feeBps),
    owner: v.owner,
    maxPrice: v.maxPrice,
    escrow: v.escrow,
    roundDeposit: v.roundDeposit,
    classes: v.classIds.map((classId, i) => ({ classId: safe(classId), surcharge: surcharges[i] ?? 0n })),
  };
}

export function toLease({ id, lease, result }: ILeaseRegistry.LeaseViewStructOutput): Lease {
  return {
    id: safe(id),
    taskId: safe(lease.taskId),
    nodeId: safe(lease.nodeId),
    start: safe(lease.start),
    count: safe(lease.count),
    price: safe(lease.priceMicroVer),
    due: safe(lease.due),
    fence: safe(lease.fence),
    status: enumName(LEASE_STATUSES, lease.status),
    parent: safe(lease.parent),
    classId: safe(lease.classId),
    ...(result.deliveredAt > 0n && {
      result: {
        codec: safe(result.codec),
        digest: result.digest,
        size: claimedSize(result.size),
        deliveredAt: safe(result.deliveredAt),
        bond: safe(result.bondMicroVer),
      },
    }),
  };
}

/** Undefined if there is no checkpoint. */
export function toCheckpoint(v: ICheckpointRegistry.CheckpointStructOutput): Checkpoint | undefined {
  // By place, because `at` of ethers' results is the method of arrays.
  const [digest, codec, progress, size, at, sequence, , startedAt] = v;
  if (sequence === 0n) return undefined;
  return {
    codec: safe(codec),
    digest,
    progress: safe(progress),
    size: claimedSize(size),
    at: safe(at),
    sequence: safe(sequence),
    startedAt: safe(startedAt),
  };
}

export function toRound(v: IRoundManager.RoundViewStructOutput): Round {
  return {
    id: safe(v.id),
    status: enumName(ROUND_STATUSES, v.status),
    openedAt: safe(v.openedAt),
    closedAt: safe(v.closedAt),
    opener: v.opener,
    requestId: v.requestId,
    seed: v.seed,
    demands: v.demands.map(({ taskId, units }) => ({ taskId: safe(taskId), units: safe(units) })),
    classIds: bitsOf(v.classes),
    leases: safe(v.leases),
    unitsOpen: safe(v.unitsOpen),
  };
}

export function toBatch(v: IReassignment.BatchViewStructOutput): Batch {
  return {
    id: safe(v.id),
    status: enumName(BATCH_STATUSES, v.status),
    openedAt: safe(v.openedAt),
    closedAt: safe(v.closedAt),
    requestId: v.requestId,
    seed: v.seed,
    leaseIds: v.leaseIds.map(safe),
    drawn: safe(v.drawn),
  };
}
