import { z } from "zod";

/** Protocol by which a node asks a key host for the key of a confidential task. */
export const KEY_PROTOCOL = "/drmp/key/1";

/** Bytes of the longest request and answer. */
export const MAX_KEY_MESSAGE = 4_096;

const id = z
  .number()
  .int()
  .min(1)
  .max(2 ** 32 - 1);

/** A request: the lease under which the key is wanted, with its fence. */
export const keyRequest = z.strictObject({
  taskId: id,
  leaseId: id,
  fence: z
    .number()
    .int()
    .min(0)
    .max(2 ** 24 - 1),
  /** Left out by the lease's node. Else the segment of the lease that the node verifies. */
  audit: id.optional(),
  /** For {@link keySubject}. */
  proof: z.json(),
});

/** An answer: the key, 32 bytes in base64, over a connection that only the two ends can read; or why it is not given. */
export const keyAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("key"), key: z.base64().length(44) }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type KeyAnswer = z.output<typeof keyAnswer>;

/** What a node proves its key for when it asks for a task's key. */
export function keySubject(leaseId: number, fence: number): string {
  return `task key for lease ${String(leaseId)}, fence ${String(fence)}`;
}
