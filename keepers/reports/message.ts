import { z } from "zod";

import type { SignedReport } from "@verai/client/report";

const whole = (bytes: number) =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** (8 * bytes) - 1);

/** A signed report as agents send it; strict, because it comes from strangers. */
const message = z.strictObject({
  report: z.strictObject({
    nodeId: whole(4),
    sequence: whole(4),
    load: whole(2),
    latency: whole(2),
    watts: whole(4),
    renewable: z.boolean(),
  }),
  signature: z.string().regex(/^0x([0-9a-f]{128}|[0-9a-f]{130})$/i),
});

/** Longest message that carries a report, bytes. */
export const MESSAGE_BYTES = 1024;

/** The report in a message; undefined if it is none. */
export function parseReport(body: unknown): SignedReport | undefined {
  const parsed = message.safeParse(body);
  return parsed.success ? parsed.data : undefined;
}
