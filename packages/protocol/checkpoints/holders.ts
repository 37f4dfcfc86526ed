import { keccak256 } from "ethers";

/*
 * Who may sign for a lease's checkpoints; the same as contracts/checkpoints/Holders.sol and contracts/core/nodes/HolderPool.sol.
 */

/** Holders of a lease beyond the receipts that its task asks for: one may lag behind and one refuse. */
const SPARE_HOLDERS = 2;

/** Candidates of a lease that are looked at. */
const HOLDER_CANDIDATES = 64;

/** What a lease's candidates follow from: fixed when it was granted, for as long as it lives. */
export interface HolderDraw {
  /** 64 bits of the seed that the lease was granted with. */
  readonly salt: bigint;
  /** Number of that seed's freeze of the listings. */
  readonly freeze: number;
  /** Positions of the holder pool at that freeze, at least 1. */
  readonly positions: number;
  /** Average stake of active nodes at that freeze, whole VER. */
  readonly average: bigint;
  readonly taskId: number;
  /** First unit of the lease. */
  readonly start: number;
}

/** A position of the holder pool, as the chain keeps it. Weights are stakes in whole VER. */
export interface PoolPosition {
  /** 0: empty. */
  readonly nodeId: number;
  /** Whether its node takes leases. */
  readonly active: boolean;
  /** Freezes that there had been when the node took the position. */
  readonly since: number;
  readonly weight: bigint;
  /** Freezes that there had been when the weight last grew, and the lowest weight before that. */
  readonly grownAt: number;
  readonly weightBefore: bigint;
}

/** A node that may sign for a lease's checkpoints. */
export interface Holder {
  /** Which of the lease's candidates it is: receipts name it. */
  readonly candidate: number;
  readonly nodeId: number;
}

/**
 * Candidate `k` of a lease: a position of the pool, and the random number (0 to 2^128 − 1) by which its node is accepted.
 *
 * @param k - 0 to {@link HOLDER_CANDIDATES} − 1.
 * @throws RangeError if the pool had no position.
 */
export function holderCandidate(
  { salt, positions, taskId, start }: Pick<HolderDraw, "salt" | "positions" | "taskId" | "start">,
  k: number,
): { position: number; chance: bigint } {
  if (!Number.isInteger(positions) || positions < 1) throw new RangeError("A pool without positions has no holders.");
  const packed = new DataView(new ArrayBuffer(16));
  packed.setBigUint64(0, salt);
  packed.setUint32(8, taskId);
  packed.setUint8(12, start >>> 16);
  packed.setUint16(13, start & 0xffff);
  packed.setUint8(15, k);
  const word = BigInt(keccak256(new Uint8Array(packed.buffer)));
  return { position: Number((word >> 128n) % BigInt(positions)), chance: word & ((1n << 128n) - 1n) };
}

/**
 * The node at a position, if a draw may take it: active, there since before the freeze, and accepted with a probability of
 * its stake at the freeze ÷ the average, at most 1.
 */
export function drawnNode(
  position: PoolPosition,
  { freeze, average }: Pick<HolderDraw, "freeze" | "average">,
  chance: bigint,
): number | undefined {
  if (position.nodeId === 0 || !position.active || position.since >= freeze) return undefined;
  const grown = position.grownAt >= freeze && position.weightBefore < position.weight;
  const weight = grown ? position.weightBefore : position.weight;
  return weight < average && chance % average >= weight ? undefined : position.nodeId;
}

/**
 * The holders of a lease: the first `replicas` + {@link SPARE_HOLDERS} different nodes among its candidates that may be drawn
 * and that `counts` lets pass. The same list as `CheckpointRegistry.holdersOf`. O({@link HOLDER_CANDIDATES}).
 *
 * Positions, their number and the average stake are fixed before anybody knows the seed, so nobody finds friends among the
 * holders, and anyone who joins or adds stake later is none.
 *
 * @param replicas - Receipts that the lease's task asks for.
 * @param positionAt - Position of the pool as it is now.
 * @param counts - Whether a node reports in time and belongs to another owner than the lease's node.
 */
export function holdersOf(
  draw: HolderDraw,
  replicas: number,
  positionAt: (position: number) => PoolPosition,
  counts: (nodeId: number) => boolean,
): Holder[] {
  const holders: Holder[] = [];
  if (draw.positions === 0) return holders;
  const most = replicas + SPARE_HOLDERS;
  for (let candidate = 0; candidate < HOLDER_CANDIDATES && holders.length < most; candidate++) {
    const { position, chance } = holderCandidate(draw, candidate);
    const nodeId = drawnNode(positionAt(position), draw, chance);
    if (nodeId === undefined || holders.some((holder) => holder.nodeId === nodeId) || !counts(nodeId)) continue;
    holders.push({ candidate, nodeId });
  }
  return holders;
}
