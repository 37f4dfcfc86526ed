import type { EstimatedMeter } from "./estimate.ts";
import { type EnergyMeter, type EnergyMethod, type EnergyReading, PowerError } from "./meter.ts";

/** Times as long as an attempt took that pass before the next one: a meter that hangs takes a tenth of the time at most. */
const PAUSE_FACTOR = 10;
/** Longest pause between two attempts, milliseconds. */
const LONGEST_PAUSE_MS = 60_000;
/** Time for which the same problem is not said again, milliseconds: for meters that come and go. */
const SAY_AGAIN_MS = 3_600_000;

/** What happens to a meter, for the log. */
export type MeterEvent =
  | { readonly kind: "failed"; readonly part: string; readonly why: string }
  | { readonly kind: "back"; readonly part: string; readonly source: string };

/** What a meter with an estimate in reserve is made of. */
export interface FallbackContext {
  /** What is metered, for people: "the processor". */
  readonly part: string;
  /**
   * Opens the meter; undefined if the machine has none of the kind, which is no fault and worth no word.
   *
   * @throws PowerError if there is one that does not work.
   */
  readonly open: () => Promise<EnergyMeter | undefined>;
  readonly estimate: EstimatedMeter;
  /** Told of a meter that fails or works again, once each. */
  readonly onEvent?: ((event: MeterEvent) => void) | undefined;
  /** Monotonic clock in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/**
 * A meter that never fails: what it cannot measure is estimated, and called so, period by period. A meter that failed is
 * opened again; the period in which it comes back is still an estimate, as it was not measured from its beginning.
 */
export class FallbackMeter implements EnergyMeter {
  readonly #context: FallbackContext;
  readonly #now: () => number;
  #meter: EnergyMeter | undefined;
  #closed = false;
  #notBefore = -Infinity;
  /** The problem that is open, and when each was last said. */
  #problem = "";
  #wasSaid = false;
  readonly #said = new Map<string, number>();

  private constructor(context: FallbackContext) {
    this.#context = context;
    this.#now = context.now ?? (() => performance.now());
  }

  /**
   * Opens the meter, or starts with the estimate.
   *
   * @param mustOpen The meter is one that must work.
   * @throws PowerError if it must, and does not.
   */
  static async start(context: FallbackContext, mustOpen = false): Promise<FallbackMeter> {
    const made = new FallbackMeter(context);
    const error = await made.#open();
    if (mustOpen && error) throw error;
    if (error) made.#fail(error.message);
    return made;
  }

  /** As of now; each reading has its own. */
  get method(): EnergyMethod {
    return this.#meter?.method ?? "estimated";
  }

  get source(): string {
    return (this.#meter ?? this.#context.estimate).source;
  }

  /** Never rejects. */
  async read(): Promise<EnergyReading> {
    const estimate = await this.#context.estimate.read();
    const reading = await this.#measure();
    if (!reading) return estimate;
    const { uncovered, ...measured } = reading;
    if (!uncovered) {
      this.#works(measured.source);
      return measured;
    }
    this.#fail(uncovered.why);
    const rest = estimate.joules * Math.min(1, Math.max(0, uncovered.share));
    const source = uncovered.share < 1 ? `${measured.source}; the rest: ${estimate.source}` : estimate.source;
    return { joules: measured.joules + rest, method: "estimated", source };
  }

  close(): void {
    this.#meter?.close?.();
    this.#closed = true;
  }

  async #measure(): Promise<EnergyReading | undefined> {
    const started = this.#now();
    const meter = this.#meter;
    if (!meter) {
      if (started < this.#notBefore) return undefined;
      const error = await this.#open();
      if (error) this.#fail(error.message);
      return undefined;
    }
    try {
      const reading = await meter.read();
      if (Number.isFinite(reading.joules) && reading.joules >= 0) return reading;
      throw new PowerError(`${meter.source} gives ${reading.joules} J, which no machine uses.`);
    } catch (error) {
      meter.close?.();
      if (this.#meter === meter) this.#meter = undefined;
      this.#pause(started);
      this.#fail(messageOf(error));
      return undefined;
    }
  }

  /** @returns The error, if there is a meter that does not work. */
  async #open(): Promise<Error | undefined> {
    const started = this.#now();
    try {
      const meter = await this.#context.open();
      if (this.#closed) meter?.close?.();
      else this.#meter = meter;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new PowerError(messageOf(error));
    } finally {
      if (!this.#meter) this.#pause(started);
    }
  }

  #pause(started: number): void {
    const now = this.#now();
    this.#notBefore = now + Math.min(LONGEST_PAUSE_MS, PAUSE_FACTOR * (now - started));
  }

  #fail(why: string): void {
    if (this.#problem !== "") return;
    this.#problem = why;
    const now = this.#now();
    for (const [words, at] of this.#said) if (now - at >= SAY_AGAIN_MS) this.#said.delete(words);
    // Figures in the words differ each time.
    const words = why.replaceAll(/\d+(\.\d+)?/g, "0");
    this.#wasSaid = !this.#said.has(words);
    if (!this.#wasSaid) return;
    this.#said.set(words, now);
    this.#context.onEvent?.({ kind: "failed", part: this.#context.part, why });
  }

  #works(source: string): void {
    if (this.#problem === "") return;
    this.#problem = "";
    if (this.#wasSaid) this.#context.onEvent?.({ kind: "back", part: this.#context.part, source });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
