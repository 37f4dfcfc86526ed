import { look, reassign } from "./draws.ts";

/*
 * The draw of nodes for ranges that change hands: those of failed leases, and units that move. The same as
 * contracts/core/reassignment/Reassignment.sol and Listings.draw, so that anybody can check a batch from public state.
 * docs/concepts/protocol.md proves the probabilities.
 */

/** Maximum number of tries to find nodes for a range. */
const TRIES = 64;

/** Maximum number of looks for a node among those of one price. */
const LOOKS = 32;

/** Free units up to this many times the average of the nodes of the same price count. */
const LARGEST = 4;

const BASIS = 10_000n;

/** A node as it is listed when a batch is opened. */
export interface ListedNode {
  readonly id: number;
  readonly owner: string;
  /** Free units. */
  readonly free: number;
  /** Ask for a unit, micro-VER. */
  readonly price: number;
  /** Of its last report: load in basis points, latency in milliseconds, capacity in units, and when it was posted (0: never). */
  readonly load: number;
  readonly latency: number;
  readonly capacity: number;
  readonly reportedAt: number;
  /** Units that it was drawn for by moves and that the report may not show. */
  readonly arrived: number;
}

/** A class's nodes by price, each price's in the order of the contract's array. */
export interface ListedClass {
  readonly classId: number;
  readonly surcharge: number;
  readonly prices: ReadonlyMap<number, readonly ListedNode[]>;
}

/** What the draws of a batch go by; see IReassignment.DrawRule. */
export interface DrawRule {
  readonly latencyFloor: number;
  readonly latencyMin: number;
  readonly loadFloor: number;
  readonly averageLoad: number;
  readonly band: number;
  readonly reportedSince: number;
}

/** A range that is drawn for. */
export interface Orphan {
  /** Lease that ended, what a unit of it was paid, and the owner of its node, none of whose nodes is drawn. */
  readonly leaseId: number;
  readonly price: number;
  readonly owner: string;
  readonly start: number;
  readonly count: number;
  /** What the task pays for a unit at most, surcharge included, micro-VER. */
  readonly maxPrice: number;
  /** Classes that the task accepts, ascending. */
  readonly classes: readonly ListedClass[];
  /** Why the units move; undefined if their node failed. */
  readonly cause?: "load" | "power";
  /** Classes that may take units of a throttled node; undefined: all. */
  readonly takers?: readonly number[];
}

/** Units of an orphan that go to a node. */
export interface Drawn {
  readonly leaseId: number;
  readonly nodeId: number;
  readonly start: number;
  readonly count: number;
}

/** Sorts nodes of a class by price, those of each price in the order given. O(n). */
export function list(classId: number, surcharge: number, nodes: readonly ListedNode[]): ListedClass {
  const listed = nodes.filter(({ free }) => free > 0);
  return { classId, surcharge, prices: Map.groupBy(listed, ({ price }) => price) };
}

/**
 * Draws for the orphans of a batch in their order. Pure.
 *
 * @param seed - 32 bytes, hexadecimal.
 * @returns What goes to whom; the units that are missing found no node.
 */
export function drawBatch(seed: string, orphans: readonly Orphan[], rule: DrawRule): Drawn[] {
  const market = new Market(orphans);
  return orphans.flatMap((orphan) => drawRange(seed, orphan, rule, market));
}

function drawRange(seed: string, orphan: Orphan, rule: DrawRule, market: Market): Drawn[] {
  const drawn: Drawn[] = [];
  let { start, count } = orphan;
  let offers = market.offers(orphan, count);
  for (let attempt = 0; attempt < TRIES && count > 0 && offers.length > 0; attempt++) {
    const { high, low } = reassign(seed, orphan.leaseId, attempt);
    const unit = Number(high % BigInt(offers.reduce((sum, { units }) => sum + units, 0)));
    const slot = market.draw(offers, unit, (each) => look(seed, orphan.leaseId, attempt, each));
    if (!slot) continue;
    const units = accepted(orphan, rule, slot, count, low);
    if (units === 0) continue;
    drawn.push({ leaseId: orphan.leaseId, nodeId: slot.node.id, start, count: units });
    market.take(slot, units, orphan.cause !== undefined);
    start += units;
    count -= units;
    offers = market.offers(orphan, count);
  }
  return drawn;
}

/** How many units a node takes of the `count` that are left. */
function accepted(orphan: Orphan, rule: DrawRule, { node, free, arrived }: Slot, count: number, low: bigint): number {
  const { cause } = orphan;
  const silent = node.reportedAt < rule.reportedSince && (node.reportedAt !== 0 || cause !== undefined);
  if (silent || node.owner === orphan.owner) return 0;
  // What the chain knows of its load, and what no node is below, so that reporting less gains nothing.
  const known = free < node.capacity ? 10_000 - Math.floor((free * 10_000) / node.capacity) : 0;
  const load = Math.max(node.load, known);
  const latency = BigInt(Math.max(node.latency, rule.latencyMin) + rule.latencyFloor);
  const scale = (BASIS - BigInt(rule.loadFloor)) * latency;
  const weight = (BASIS - BigInt(Math.max(load, rule.loadFloor))) * BigInt(rule.latencyMin + rule.latencyFloor);
  if (low % scale >= weight) return 0;
  const units = Math.min(free, count);
  if (cause === undefined) return units;
  const [used, average, band] = [
    load * node.capacity + arrived * 10_000,
    rule.averageLoad * node.capacity,
    rule.band * node.capacity,
  ];
  const within = Math.max(0, Math.floor((average + band - used) / 10_000));
  if (cause === "power") return Math.min(units, within);
  return used + band < average ? Math.min(units, within, Math.floor((average - used) / 10_000) + 1) : 0;
}

/** A node in its place of the array of its price. */
interface Slot {
  readonly node: ListedNode;
  free: number;
  arrived: number;
}

/** Nodes of one price that a range may go to. */
interface Offer {
  readonly slots: Slot[];
  readonly units: number;
}

/** The listings, with what was drawn already. */
class Market {
  readonly #classes = new Map<number, Map<number, Slot[]>>();

  constructor(orphans: readonly Orphan[]) {
    for (const { classId, prices } of orphans.flatMap(({ classes }) => classes)) {
      if (this.#classes.has(classId)) continue;
      const ascending = [...prices].toSorted(([a], [b]) => a - b);
      const slots = ascending.map(([price, nodes]): [number, Slot[]] => [
        price,
        nodes.map((node) => ({ node, free: node.free, arrived: node.arrived })),
      ]);
      this.#classes.set(classId, new Map(slots));
    }
  }

  /** What a range may have: by class, the cheapest first. */
  offers(orphan: Orphan, count: number): Offer[] {
    let market = this.#market(orphan, count);
    if (market === Infinity) market = this.#market(orphan, 1);
    return orphan.classes.flatMap(({ classId, surcharge }) => {
      if (orphan.takers && !orphan.takers.includes(classId)) return [];
      const most = Math.min(Math.max(orphan.price, market - surcharge), orphan.maxPrice - surcharge);
      return this.#prices(classId)
        .filter(({ price }) => price <= most)
        .map(({ slots, units }) => ({ slots, units }));
    });
  }

  /** Finds the price of a unit, and draws a node there. */
  draw(
    offers: readonly Offer[],
    unit: number,
    numbers: (look: number) => { high: bigint; low: bigint },
  ): Slot | undefined {
    const offer = offers.find(({ units }) => (unit < units ? true : ((unit -= units), false)));
    if (!offer) return undefined;
    const { slots, units } = offer;
    const scale = BigInt(Math.min(slots.length, LARGEST));
    for (let each = 0; each < LOOKS; each++) {
      const { high, low } = numbers(each);
      const slot = slots[Number(high % BigInt(slots.length))];
      if (slot && low % (scale * BigInt(units)) < BigInt(slot.free * slots.length)) return slot;
    }
    return undefined;
  }

  take(slot: Slot, units: number, moved: boolean): void {
    slot.free -= units;
    if (moved) slot.arrived += units;
    if (slot.free > 0) return;
    for (const prices of this.#classes.values()) {
      const slots = prices.get(slot.node.price);
      const at = slots?.indexOf(slot) ?? -1;
      if (!slots || at < 0) continue;
      // The last takes the free place.
      const last = slots.pop();
      if (last && last !== slot) slots[at] = last;
    }
  }

  /** Lowest price, surcharge included, at which one class alone lists this many units. */
  #market(orphan: Orphan, units: number): number {
    return Math.min(
      ...orphan.classes.map(({ classId, surcharge }) => {
        let left = units;
        for (const offer of this.#prices(classId)) {
          left -= offer.units;
          if (left <= 0) return offer.price + surcharge;
        }
        return Infinity;
      }),
    );
  }

  #prices(classId: number): (Offer & { readonly price: number })[] {
    return [...(this.#classes.get(classId) ?? [])].flatMap(([price, slots]) =>
      slots.length === 0 ? [] : [{ price, slots, units: slots.reduce((sum, { free }) => sum + free, 0) }],
    );
  }
}
