/**
 * Seconds of the maximum power by which a counter may be off: counters are brought up to date at other moments than those
 * at which they are read.
 */
const SLACK_SECONDS = 1;

/** Seconds after which a counter that shows the same value counts as stuck: real ones move every few milliseconds. */
const STUCK_SECONDS = 2;

/** What a counter is, beside its value. */
export interface CounterKind {
  /** Steps of the counter in a joule: 10^6 for microjoules, 10^3 for millijoules. */
  readonly perJoule: number;
  /** Maximum watts that what it counts can draw: a larger gain is none. */
  readonly maxWatts: number;
  /** The counter starts again at 0 after this value; left out: it never does by itself. */
  readonly range?: number | undefined;
}

/** Energy since the reading before. */
export interface CounterStep {
  /** 0 where there is doubt. */
  readonly joules: number;
  /** Why the counter does not tell the energy of this period; absent if it does. */
  readonly doubt?: string;
}

/**
 * Follows one energy counter, and believes no more than the declared maximum power can have used in the time that passed
 * by the monotonic clock. Pure but for its own state; O(1).
 *
 * A value below the one before is, in this order: the counter's turn, if what it then gained is plausible; a slip of
 * counters that are read from several cores, if it is small; or a restart, of which the new value is the gain.
 */
export class EnergyCounter {
  readonly #kind: CounterKind;
  /** Last value as read, and the value from which the next gain is counted: higher only after a slip. */
  #raw: number;
  #from: number;
  /** When it was last read, and when it last moved, milliseconds. */
  #at: number;
  #movedAt: number;
  #stuck = false;
  /** After a fall: the value before it, and what has been counted since. The fall may have been a single false reading. */
  #fall: { readonly from: number; readonly counted: number } | undefined;

  /** @param at Monotonic clock in milliseconds when the value was read. */
  constructor(kind: CounterKind, value: number, at: number) {
    this.#kind = kind;
    [this.#raw, this.#from, this.#at, this.#movedAt] = [value, value, at, at];
  }

  /** Takes the next reading. */
  next(value: number, at: number): CounterStep {
    const seconds = Math.max(0, at - this.#at) / 1000;
    this.#at = at;
    const moved = value !== this.#raw;
    this.#raw = value;
    if (!moved) {
      const still = (at - this.#movedAt) / 1000;
      if (still < STUCK_SECONDS) return { joules: 0 };
      this.#stuck = true;
      return { joules: 0, doubt: `has not moved for ${still.toFixed(0)} s` };
    }
    this.#movedAt = at;
    if (this.#stuck) {
      // What it jumped by belongs to a time that was estimated.
      this.#stuck = false;
      return this.#anew(value, "moves again");
    }
    return this.#moved(value, seconds);
  }

  #moved(value: number, seconds: number): CounterStep {
    const { perJoule, maxWatts, range } = this.#kind;
    const limit = maxWatts * (seconds + SLACK_SECONDS) * perJoule;
    const drop = this.#from - value;
    if (range !== undefined && seconds > SLACK_SECONDS && maxWatts * seconds * perJoule >= range) {
      return this.#anew(value, `may have gone around more than once in ${seconds.toFixed(0)} s`);
    }
    if (drop <= 0) {
      const fall = this.#fall;
      this.#fall = undefined;
      // Back above the value before a fall: that was a false reading.
      const gain = fall && value >= fall.from ? Math.max(0, value - fall.from - fall.counted) : -drop;
      if (gain <= limit) return this.#gained(value, gain);
      return this.#anew(
        value,
        `rose by ${this.#words(gain)} in ${seconds.toFixed(1)} s, more than ${maxWatts} W can use`,
      );
    }
    if (range !== undefined && range - drop <= limit) return this.#gained(value, range - drop);
    // A slip is made up for by the readings after it.
    if (drop <= maxWatts * SLACK_SECONDS * perJoule && value > this.#from / 2) return { joules: 0 };
    if (value > limit) return this.#anew(value, `fell by ${this.#words(drop)}, to more than it can have counted since`);
    this.#fall = { from: this.#from, counted: value };
    return this.#gained(value, value);
  }

  #gained(value: number, gain: number): CounterStep {
    this.#from = value;
    return { joules: gain / this.#kind.perJoule };
  }

  #anew(value: number, doubt: string): CounterStep {
    this.#from = value;
    this.#fall = undefined;
    return { joules: 0, doubt };
  }

  #words(steps: number): string {
    return `${(steps / this.#kind.perJoule).toFixed(1)} J`;
  }
}
