import { setTimeout as delay } from "node:timers/promises";

import { type Between, between } from "./services.ts";

/** What an indexer answers, as a test changes it. */
export type Twist = (path: string, body: Record<string, unknown>) => Record<string, unknown> | undefined;

/** An indexer between: asks the real one, and passes on what a test makes of its answer. Nothing is told live. */
export async function twistedIndexer(real: string, twist: Twist, delayMs = 0): Promise<Between> {
  return between(real, {
    instead: (path) => (path.startsWith("/v1/live") ? { status: 503, body: "" } : undefined),
    change: async (path, answer) => {
      if (delayMs > 0) await delay(delayMs);
      const twisted = twist(path, JSON.parse(answer.body.toString()) as Record<string, unknown>);
      return twisted === undefined ? answer : { status: 200, body: JSON.stringify(twisted) };
    },
  });
}
