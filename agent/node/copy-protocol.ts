import { z } from "zod";

/** Protocol by which a lease's node asks others to copy what the chain names of it. */
export const COPY_PROTOCOL = "/drmp/copy/1";

/** Bytes of the longest request and answer. */
export const MAX_COPY_BYTES = 2_048;

/** Nodes that are asked for copies of what a lease leaves: so many of those that the chain names first. */
export const COPY_RANKS = 4;

const uint = (bits: number) =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);

/** A request: what is to be copied the chain says. Anybody may send it, for it asks for nothing that is not due. */
export const copyRequest = z.strictObject({ leaseId: uint(32) });

/** An answer: all that the chain names is here, or is being copied (ask again), or why it will not be. */
export const copyAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("held") }),
  z.strictObject({ kind: z.literal("copying"), bytes: uint(53), total: uint(53) }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type CopyAnswer = z.output<typeof copyAnswer>;
