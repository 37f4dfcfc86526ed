import { z } from "zod";

/** Protocol by which the log of a unit is read from its node while it runs. */
export const LOG_PROTOCOL = "/drmp/logs/1";

/** Bytes of a log in one answer at most. */
export const LOG_PART = 64 * 1024;

/** Bytes of the longest request and answer. */
export const MAX_LOG_BYTES = Math.ceil((LOG_PART * 4) / 3) + 1_024;

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A request: a lease's unit, and the offset from which on; negative: so many bytes before the end. */
export const logRequest = z.strictObject({
  leaseId: z
    .number()
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  unit: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  offset: z.number().int().min(-LOG_PART).max(Number.MAX_SAFE_INTEGER),
  /** For {@link logSubject}. */
  proof: z.json(),
});

/** An answer: a part of the log, where it begins, and how long the log is; or why there is none. */
export const logAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("log"), bytes: z.base64().max(MAX_LOG_BYTES), offset: whole, size: whole }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type LogAnswer = z.output<typeof logAnswer>;

/** What a key is proved for when logs are asked for. */
export function logSubject(leaseId: number): string {
  return `logs of lease ${String(leaseId)}`;
}
