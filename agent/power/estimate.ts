import { type EnergyMeter, type EnergyReading } from "./meter.ts";
import { estimatePower, type PowerRange } from "./table.ts";

/**
 * Estimates energy from utilisation, where nothing can be measured. It never claims to be more than that.
 */
export class EstimatedMeter implements EnergyMeter {
  readonly method = "estimated";
  readonly source: string;
  readonly #range: Pick<PowerRange, "idle" | "max">;
  readonly #utilisation: () => number;
  readonly #now: () => number;
  #last: number;

  /**
   * @param what What is estimated, for people: "2 hardware threads".
   * @param range Watts of all of it together.
   * @param utilisation Mean utilisation since the call before, from 0 to 1.
   * @param now Clock in milliseconds.
   */
  constructor(
    what: string,
    range: Pick<PowerRange, "idle" | "max">,
    utilisation: () => number,
    now: () => number = () => performance.now(),
  ) {
    const watts = `${range.idle.toFixed(1)} W idle, ${range.max.toFixed(1)} W at most`;
    this.source = `estimate for ${what} (${watts}) from utilisation`;
    this.#range = range;
    this.#utilisation = utilisation;
    this.#now = now;
    this.#last = now();
  }

  async read(): Promise<EnergyReading> {
    const now = this.#now();
    const seconds = Math.max(0, now - this.#last) / 1000;
    this.#last = now;
    return {
      joules: estimatePower(this.#range, this.#utilisation()) * seconds,
      method: this.method,
      source: this.source,
    };
  }
}
