import { DrmpError } from "@verai/errors/drmp-error";

/** The capacity offered is less than what is demanded. */
export class InsufficientCapacityError extends DrmpError {
  override readonly name = "InsufficientCapacityError";
  readonly demand: number;
  readonly capacity: number;

  constructor(demand: number, capacity: number) {
    super(
      "INSUFFICIENT_CAPACITY",
      `The demand of ${demand} is above the capacity of ${capacity}: lower the demand or add capacity.`,
    );
    this.demand = demand;
    this.capacity = capacity;
  }
}

/**
 * The published allocation rule for one task: the cheapest capacity first. It is the optimum of
 * `minimise Σ prices·x, Σ x = demand, 0 ≤ x ≤ capacities`. Equal prices are served in the order given.
 *
 * O(n log n).
 *
 * @example allocate([10, 15, 20], [100, 80, 50], 150) // [100, 50, 0]
 * @param prices - Price of each node's capacity.
 * @param capacities - Capacity of each node, in the same order.
 * @returns What each node is allocated, in the same order.
 * @throws InsufficientCapacityError if the demand is above the sum of the capacities.
 * @throws RangeError if an input is no finite number, if a capacity or the demand is negative, or if the lists differ
 * in length.
 */
export function allocate(prices: readonly number[], capacities: readonly number[], demand: number): number[] {
  if (prices.length !== capacities.length) {
    throw new RangeError(`There are ${prices.length} prices for ${capacities.length} capacities: give one each.`);
  }
  if (!prices.every(Number.isFinite)) throw new RangeError(`The prices ${prices.join(", ")} are not all numbers.`);
  for (const amount of [...capacities, demand]) {
    if (!Number.isFinite(amount) || amount < 0) {
      throw new RangeError(`${amount} is neither a capacity nor a demand: both are finite and at least 0.`);
    }
  }
  const offers = prices.map((price, i) => ({ price, capacity: capacities[i] ?? 0, i }));
  const capacity = capacities.reduce((sum, each) => sum + each, 0);
  if (demand > capacity) throw new InsufficientCapacityError(demand, capacity);

  const allocation = offers.map(() => 0);
  let left = demand;
  for (const offer of offers.sort((a, b) => a.price - b.price)) {
    const share = Math.min(offer.capacity, left);
    allocation[offer.i] = share;
    left -= share;
  }
  return allocation;
}
