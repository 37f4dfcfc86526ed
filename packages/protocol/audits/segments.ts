import { keccak, ZERO_WORD } from "./bytes.ts";

/*
 * The chain of a lease's checkpoints, and what verifiers commit to; the same as contracts/types/Link.sol and
 * contracts/interfaces/IAudits.sol. Words are 32 bytes in hexadecimal with 0x.
 */

/** A checkpoint as the chain of its lease's checkpoints holds it. */
export interface Link {
  /** Number of the checkpoint, 1 for the lease's first. */
  readonly sequence: number;
  /** sha2-256 digest of the checkpoint's CID. */
  readonly digest: string;
  /** Root over the states between the checkpoint before and this one; see `trace.ts`. */
  readonly traceRoot: string;
  /** Basis points of a unit, summed over the lease's units. */
  readonly progress: number;
  /** When it was posted, seconds. */
  readonly at: number;
  readonly codec: number;
  /** Bytes of all blocks, as its node claims: up to 2^64. */
  readonly size: number | bigint;
}

/** Head of a lease that has posted nothing yet. */
export const NO_HEAD = ZERO_WORD;

/** What the first segment of a lease begins with. */
export const NO_LINK: Link = {
  ...{ sequence: 0, digest: ZERO_WORD, traceRoot: ZERO_WORD },
  ...{ progress: 0, at: 0, codec: 0, size: 0 },
};

/** Answer of a verifier that could not get the state before, or the posted one, from anybody. */
export const ANSWER_UNAVAILABLE = `0x${"1".padStart(64, "0")}`;

/** Answer of a verifier that finds what was posted to be none of the program's checkpoints. */
export const ANSWER_UNUSABLE = `0x${"2".padStart(64, "0")}`;

/** Hash of a link. */
export function linkHash({ sequence, digest, traceRoot, progress, at, codec, size }: Link): string {
  return keccak([sequence, 32], digest, traceRoot, [progress, 32], [at, 32], [codec, 32], [size, 32]);
}

/** The head of a lease's checkpoints after some more, of which the hashes suffice. */
export function headAfter(head: string, linkHashes: readonly string[]): string {
  return linkHashes.reduce((before, hash) => keccak(before, hash), head);
}

/** What a verifier commits to. */
export interface Verdict {
  readonly leaseId: number;
  /** Number of the checkpoint that ends the segment. */
  readonly sequence: number;
  /** Number of the question; see `draws.ts`. */
  readonly question: number;
  readonly nodeId: number;
  /** `traceAnswer`, {@link ANSWER_UNAVAILABLE} or {@link ANSWER_UNUSABLE}. */
  readonly answer: string;
  /** On a panel: hash of the leaf that the panel's own question asks for (`traceLeaf`), 0 with the other answers. Else 0. */
  readonly fresh: string;
  /** Whether the program is one for whose reproducibility the protocol vouches, so that a mismatch is fraud. */
  readonly vouched: boolean;
}

/**
 * What a verifier posts before anybody opens anything.
 *
 * @param salt - 32 random bytes that the verifier keeps until it reveals.
 */
export function commitment(verdict: Verdict, salt: string): string {
  const { leaseId, sequence, question, nodeId, answer, fresh, vouched } = verdict;
  const words = [leaseId, sequence, question, nodeId] as const;
  return keccak(...words.map((value) => [value, 32] as const), answer, fresh, [vouched ? 1 : 0, 32], salt);
}
