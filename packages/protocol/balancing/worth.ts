/** What balancing is worth, and what it costs. Money in VER. */
export interface BalancingWorth {
  /** Worth of a point of spread: of bringing a node that lies τ from the average one percentage point nearer, an hour. */
  readonly point: number;
  /** Hours for which a move is counted on to help. */
  readonly hours: number;
  /** All transactions of one move. */
  readonly transactions: number;
  /** Hours for which the units that move stand still. */
  readonly pause: number;
}

/** An end of a move. Basis points. */
export interface MoveEnd {
  /** How far it lies from the average, on its side. */
  readonly distance: number;
  /** What a unit is of its load. */
  readonly unitLoad: number;
}

/** A band of less counts as one percentage point. */
const NARROWEST = 100;

/**
 * What a node costs that lies this far from the average, VER an hour: point × distance² / (2τ), so that the next point costs
 * in proportion to the distance, and {@link BalancingWorth.point} at τ. Many nodes near the average are better than few far away.
 */
export function spreadCost(distance: number, threshold: number, point: number): number {
  return (point * (distance / 100) ** 2) / ((2 * Math.max(threshold, NARROWEST)) / 100);
}

/** What moving so many units between two nodes saves while it lasts, VER. Negative where it moves both away from the average. */
export function gainOfMove(ends: readonly MoveEnd[], units: number, threshold: number, worth: BalancingWorth): number {
  const saved = ends.map(
    ({ distance, unitLoad }) =>
      spreadCost(distance, threshold, worth.point) - spreadCost(distance - units * unitLoad, threshold, worth.point),
  );
  return worth.hours * saved.reduce((sum, each) => sum + each, 0);
}

/** What standing still costs while so many units move, VER. @param price - Of one unit, which is about an hour's work. */
export function pauseCost(units: number, price: number, { pause }: BalancingWorth): number {
  return units * price * pause;
}

/** Units that may be saved up in any case, so that small networks can move a whole lease. */
const SAVED = 16;

/**
 * Units that may still be moved: a share of what is granted, saved up for at most a quarter of that share of what is leased. A
 * network in which everything is worth moving moves no more. It starts with all that can be saved up.
 */
export class MoveBudget {
  readonly #share: number;
  #units = Infinity;

  /** @param share - Of the units that are granted. */
  constructor(share: number) {
    this.#share = share;
  }

  /** Units that may move now. @param granted - Units that were granted since the last time. @param leased - Units that are leased. */
  after(granted: number, leased: number): number {
    this.#units = Math.min(this.#units + this.#share * granted, Math.max(SAVED, (this.#share * leased) / 4));
    return Math.floor(this.#units);
  }

  /** Notes that units have moved. */
  spend(units: number): void {
    this.#units -= units;
  }
}
