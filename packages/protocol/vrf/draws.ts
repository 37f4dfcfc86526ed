import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

import { DITHER } from "../money/units.ts";

/*
 * What is drawn from a round's seed; the same as contracts/core/seeds/SeedDraw.sol. Each draw hashes the seed with a tag of
 * its purpose, so that draws are independent of one another.
 */
const TAG_DITHER = 1;
const TAG_FILL = 2;
const TAG_ORDER = 3;
const TAG_REASSIGN = 4;
const TAG_LOOK = 5;

/**
 * Breaks ties between classes of equal cost for a task: 0 to 1023, of 1024 parts of a micro-VER.
 *
 * @param seed - 32 bytes, hexadecimal.
 */
export function dither(seed: string, taskId: number, classId: number): number {
  return Number(draw(seed, TAG_DITHER, taskId, classId) % BigInt(DITHER));
}

/**
 * Where in the marginal tick's array of `count` nodes the filling starts: 0 to count - 1.
 *
 * @param seed - 32 bytes, hexadecimal.
 * @throws RangeError if the array is empty.
 */
export function fillStart(seed: string, classId: number, count: number): number {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`A tick with ${count} nodes has nothing to fill.`);
  return Number(draw(seed, TAG_FILL, classId, 0) % BigInt(count));
}

/**
 * Place of a node among the granted nodes of its class, which are laid along the tasks in ascending order of it.
 *
 * @param seed - 32 bytes, hexadecimal.
 */
export function nodeOrder(seed: string, nodeId: number): bigint {
  return draw(seed, TAG_ORDER, nodeId, 0);
}

/** {@link nodeOrder} for one seed, which draws each node's place once: a plan and its verification ask for the same ones. */
export function nodeOrders(seed: string): (nodeId: number) => bigint {
  const known = new Map<number, bigint>();
  return (nodeId) => {
    let order = known.get(nodeId);
    if (order === undefined) known.set(nodeId, (order = nodeOrder(seed, nodeId)));
    return order;
  };
}

/**
 * Two independent numbers for a try to find a node for an orphaned lease's range: 0 to 2^128 - 1 each.
 *
 * @param seed - 32 bytes, hexadecimal.
 */
export function reassign(seed: string, leaseId: number, attempt: number): { high: bigint; low: bigint } {
  const word = draw(seed, TAG_REASSIGN, leaseId, attempt);
  return { high: word >> 128n, low: word & ((1n << 128n) - 1n) };
}

/**
 * Two independent numbers for a look at a node of the price that a try came to: 0 to 2^128 - 1 each.
 *
 * @param seed - 32 bytes, hexadecimal.
 * @param attempt - Number of the try, below 2^16.
 * @param each - Number of the look within the try, below 2^16.
 */
export function look(seed: string, leaseId: number, attempt: number, each: number): { high: bigint; low: bigint } {
  const word = draw(seed, TAG_LOOK, leaseId, attempt * 2 ** 16 + each);
  return { high: word >> 128n, low: word & ((1n << 128n) - 1n) };
}

/** uint256(keccak256(abi.encodePacked(bytes32 seed, uint8 tag, uint32 a, uint32 b))). */
function draw(seed: string, tag: number, a: number, b: number): bigint {
  const packed = new Uint8Array(41);
  if (!/^0x[0-9a-f]{64}$/i.test(seed))
    throw new RangeError(`A seed has 32 bytes in hexadecimal, which ${seed} is not.`);
  packed.set(hexToBytes(seed.slice(2)));
  const view = new DataView(packed.buffer);
  view.setUint8(32, tag);
  view.setUint32(33, uint32(a));
  view.setUint32(37, uint32(b));
  return BigInt(`0x${bytesToHex(keccak_256(packed))}`);
}

function uint32(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < 2 ** 32) return id;
  throw new RangeError(`${id} is no id: ids are whole numbers below 2^32.`);
}
