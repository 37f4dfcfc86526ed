import { Gauge, type Registry } from "prom-client";

/** Seconds after its end for which a request without an answer still tells that the oracle is silent, if nobody asks again. */
const TOLD_SECONDS = 3_600;

/** What asked the oracle for a seed last: a round or a batch. Times in seconds. */
export interface SeedRequest {
  /** 0: nothing has asked yet. */
  readonly id: number;
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
  note({ id, openedAt, seeded }: SeedRequest, now: number): number {
    if (id === 0 || seeded || now > openedAt + TOLD_SECONDS) this.#since = undefined;
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
