import { monotonicMs } from "@verai/system/clock";

/** Health of one loop. */
export interface Beat {
  readonly name: string;
  /** Seconds since the last good cycle, or since the start if there was none. */
  readonly ageSeconds: number;
  readonly healthy: boolean;
}

/** Remembers when each loop last ran to its end. A process is healthy while every loop has a recent good cycle. */
export class Heartbeat {
  readonly #beats = new Map<string, number>();
  readonly #maxAgeMs: number;
  readonly #now: () => number;

  /**
   * @param maxAgeMs A loop without a good cycle for longer is unhealthy, milliseconds.
   * @param now Monotonic clock, milliseconds.
   */
  constructor(maxAgeMs: number, now: () => number = monotonicMs) {
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
  }

  /** Makes a loop known, so that one that never finishes a cycle is noticed. */
  expect(name: string): void {
    this.#beats.set(name, this.#now());
  }

  /** Notes a good cycle. */
  beat(name: string): void {
    this.#beats.set(name, this.#now());
  }

  /** Every loop's health, by name. */
  beats(): Beat[] {
    return [...this.#beats].map(([name, at]) => {
      const age = this.#now() - at;
      return { name, ageSeconds: age / 1000, healthy: age <= this.#maxAgeMs };
    });
  }

  /** Whether all loops are healthy. */
  get healthy(): boolean {
    return this.beats().every((beat) => beat.healthy);
  }
}
