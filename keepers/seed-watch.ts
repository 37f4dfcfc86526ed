import { Gauge, type Registry } from "prom-client";

/** Seconds for which a request that was given up still tells that the oracle is silent, if nobody asks again. */
const TOLD_SECONDS = 3_600;

/** What asked the oracle for a seed last: a round or a batch. Times in seconds. */
export interface SeedRequest {
  /** 0: nothing has asked yet. */
  readonly id: number;
  /** `seeding` while it waits. */
  readonly status: string;
  readonly openedAt: number;
  /** Whether its seed has come. */
  readonly seeded: boolean;
}

/**
 * Since when the oracle has left requests unanswered: one after the other, for a round or a batch that waits too long is ended, and the next
 * asks again. So a single one says little.
 */
export class SeedWatch {
  readonly #gauge: Gauge<"request">;
  readonly #request: string;
  #since: number | undefined;

  /** @param request What asks: `round` or `batch`. */
  constructor(registry: Registry, request: string) {
    this.#gauge = seedGauge(registry);
    this.#request = request;
    this.#gauge.set({ request }, 0);
  }

  /** Takes note of the newest request. @param now Timestamp of the block. @returns Seconds without an answer. */
  note({ id, status, openedAt, seeded }: SeedRequest, now: number): number {
    const isOld = status !== "seeding" && now > openedAt + TOLD_SECONDS;
    if (id === 0 || seeded || isOld) this.#since = undefined;
    else this.#since ??= openedAt;
    const seconds = this.#since === undefined ? 0 : Math.max(0, now - this.#since);
    this.#gauge.set({ request: this.#request }, seconds);
    return seconds;
  }
}

/** The gauge, which those that ask share. */
function seedGauge(registry: Registry): Gauge<"request"> {
  const name = "drmp_seed_unanswered_seconds";
  const known = registry.getSingleMetric(name);
  if (known) return known as Gauge<"request">;
  return new Gauge({
    name,
    help: "Seconds for which the oracle has left requests for seeds unanswered",
    labelNames: ["request"],
    registers: [registry],
  });
}
