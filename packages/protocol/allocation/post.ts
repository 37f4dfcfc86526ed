import type { Round } from "./model.ts";
import { requireThat } from "./refusal.ts";

/** What settles a round, unpacked. */
export interface Post {
  /** Clearing price of each class of the round, micro-VER × 1024. */
  readonly clearing: readonly bigint[];
  /** Units of each task in each of its classes. */
  readonly flows: readonly (readonly number[])[];
  /** Ids of the granted nodes of each class, in ascending {@link nodeOrder}. */
  readonly nodes: readonly (readonly number[])[];
}

/** Sizes of the parts of a post, bytes. */
const CLEARING = 8;
const FLOW = 3;
const COUNT = 2;
const NODE = 4;

/**
 * Packs a post as `RoundPost.sol` reads it, big-endian without padding: the clearing prices; the flows, task by task;
 * and per class a count and that many node ids. O(size).
 *
 * @throws Refusal `MalformedPost` if something does not fit its bytes or the round.
 */
export function encodePost(round: Round, { clearing, flows, nodes }: Post): Uint8Array {
  const cells = round.tasks.reduce((sum, { classes }) => sum + classes.length, 0);
  const ids = nodes.reduce((sum, list) => sum + list.length, 0);
  const size = (CLEARING + COUNT) * round.classes.length + FLOW * cells + NODE * ids;
  requireThat(
    clearing.length === round.classes.length &&
      nodes.length === round.classes.length &&
      flows.length === round.tasks.length &&
      round.tasks.every(({ classes }, t) => classes.length === flows[t]?.length),
    "MalformedPost",
    () => "The post has not one price and one list of nodes for each class, and one flow for each class of each task.",
  );
  const bytes = new Uint8Array(size);
  let at = 0;
  const write = (value: bigint, width: number, what: string): void => {
    requireThat(
      value >= 0n && value < 1n << BigInt(8 * width),
      "MalformedPost",
      () => `${what} of ${value} does not fit the ${width} bytes that a post has for it.`,
    );
    for (let i = width - 1; i >= 0; --i, value >>= 8n) bytes[at + i] = Number(value & 0xffn);
    at += width;
  };
  for (const price of clearing) write(price, CLEARING, "A clearing price");
  for (const row of flows) for (const units of row) write(BigInt(units), FLOW, "A flow");
  for (const list of nodes) {
    write(BigInt(list.length), COUNT, "A number of nodes");
    for (const id of list) write(BigInt(id), NODE, "A node's id");
  }
  return bytes;
}

/**
 * Unpacks a post for a round. O(size).
 *
 * @throws Refusal `MalformedPost` if it is cut short or too long.
 */
export function decodePost(round: Round, bytes: Uint8Array): Post {
  let at = 0;
  const read = (width: number): bigint => {
    requireThat(at + width <= bytes.length, "MalformedPost", () => `The post of ${bytes.length} bytes is cut short.`);
    let value = 0n;
    for (const byte of bytes.subarray(at, (at += width))) value = (value << 8n) | BigInt(byte);
    return value;
  };
  const clearing = round.classes.map(() => read(CLEARING));
  const flows = round.tasks.map(({ classes }) => classes.map(() => Number(read(FLOW))));
  const nodes = round.classes.map(() => Array.from({ length: Number(read(COUNT)) }, () => Number(read(NODE))));
  requireThat(
    at === bytes.length,
    "MalformedPost",
    () => `The post has ${bytes.length} bytes where ${at} were expected.`,
  );
  return { clearing, flows, nodes };
}
