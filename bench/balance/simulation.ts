import { averageLoad } from "@verai/protocol/balancing/load";
import type { BalancingLease, BalancingNode } from "@verai/protocol/balancing/model";
import { planMoves } from "@verai/protocol/balancing/moves";
import { type BalancingWorth, MoveBudget, pauseCost, spreadCost } from "@verai/protocol/balancing/worth";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";

/** Load up to which a node counts as not overloaded and no draw tells nodes apart, basis points. */
const LOAD_FLOOR = 5_000;

/** A simulated network. */
export interface SimulationOptions {
  readonly nodes: number;
  /** Report periods that are simulated, and those at the beginning that do not count. */
  readonly periods: number;
  readonly warmUp: number;
  /** Share of the nodes' units that is leased on average. */
  readonly load: number;
  readonly seed: number;
  /** Different prices that nodes ask: no work moves to a node that asks more than the market, so that they bound what moves. */
  readonly prices: number;
  /**
   * Nothing moves; all nodes are brought into the band, whatever it costs; or only what pays moves. *Chosen* is no policy that
   * could be had, but what bounds it: true loads, moves without delay or cooldown, and the planned node takes instead of a drawn
   * one. Arrivals and owners are the same either way.
   */
  readonly policy: "nothing" | "band" | "worth" | "chosen";
  readonly worth: BalancingWorth;
  /** Share of the granted units that may move, where only what pays moves. */
  readonly movedShare: number;
  /** VER that a unit costs. */
  readonly unitPrice: number;
  /** Hours of a report period. */
  readonly hours: number;
  /** τ and hysteresis, basis points. */
  readonly threshold: number;
  readonly hysteresis: number;
  /** Periods in which a lease that was moved is not moved again. */
  readonly cooldown: number;
  /** Error of a reported load, basis points: uniform in ±noise. */
  readonly noise: number;
}

/** How the loads were spread. Percentage points where not stated otherwise. */
export interface SimulationResult {
  /** Standard deviation in each period. */
  readonly deviation: readonly number[];
  readonly meanLoad: number;
  readonly meanDeviation: number;
  /** Distance between the 5th and the 95th percentile. */
  readonly meanSpan: number;
  /** Share of nodes outside the band, from 0 to 1. */
  readonly outside: number;
  readonly leases: number;
  readonly migrations: number;
  /** Units moved, for each unit leased. */
  readonly movedShare: number;
  /** What the spread costs, and what moving does: transactions and pauses. VER for each node and day. */
  readonly spreadCost: number;
  readonly moveCost: number;
  /** Leases that were drawn back to a node which they had left. */
  readonly returns: number;
}

interface SimulatedNode {
  readonly id: number;
  readonly capacity: number;
  /** What a unit adds to the load, basis points. */
  readonly unitLoad: number;
  /** The market fills the cheap ones first. */
  readonly ask: number;
  used: number;
  /** Load by the machine's owner, and when it ends. */
  owner: number;
  ownerUntil: number;
  reported: number;
  /** Period from which its reports show all that was moved to or from it. */
  settledAt: number;
}

interface SimulatedLease {
  readonly id: number;
  units: number;
  readonly end: number;
  readonly held: number[];
  node: number;
  movableAt: number;
  /** What its node asked when it got the lease. */
  price: number;
  /** Period in which it leaves its node and is drawn for. */
  moving: number | undefined;
}

/**
 * Runs a network, report period by report period: tasks arrive at random, the market gives them to the cheapest nodes that
 * are eligible for new work (load at most L_avg + τ), owners use their machines now and then, and the balancing keeper plans by
 * the reported loads. A move takes one period; then its taker is drawn as on chain, of nodes below the band that ask no more
 * than the lease is paid or than the market asks for its units. What finds no taker goes to the market with the next arrivals.
 *
 * O(periods × (nodes log nodes + leases)).
 */
export function simulate(options: SimulationOptions): SimulationResult {
  const network = new Network(options);
  for (let period = 0; period < options.periods; period++) network.step(period);
  return network.result();
}

class Network {
  readonly #options: SimulationOptions;
  /** Arrivals and owners draw from streams of their own, so that they are the same whatever is moved. */
  readonly #arrivals: () => number;
  readonly #owners: () => number;
  readonly #noise: () => number;
  readonly #nodes: SimulatedNode[];
  readonly #byPrice: readonly SimulatedNode[];
  readonly #leases = new Map<number, SimulatedLease>();
  /** Moved leases that found no taker. */
  #waiting: SimulatedLease[] = [];
  readonly #draws: () => number;
  readonly #budget: MoveBudget;
  #average = 0;
  readonly #stats = {
    load: [] as number[],
    deviation: [] as number[],
    span: [] as number[],
    outside: [] as number[],
    cost: [] as number[],
  };
  #ids = 0;
  #granted = 0;
  #units = 0;
  /** Units granted since the last plan. */
  #fresh = 0;
  #migrations = 0;
  #movedUnits = 0;
  #returns = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#budget = new MoveBudget(options.movedShare);
    const random = randomNumbers(options.seed);
    this.#arrivals = randomNumbers(options.seed + 1);
    this.#owners = randomNumbers(options.seed + 2);
    this.#noise = randomNumbers(options.seed + 3);
    this.#draws = randomNumbers(options.seed + 4);
    this.#nodes = Array.from({ length: options.nodes }, (_, id) => {
      const capacity = 4 + Math.floor(random() * 13);
      // Its units together use some 60 to 80 % of a machine.
      const unitLoad = (6000 + random() * 2000) / capacity;
      const base = { owner: 500 * random(), ownerUntil: 0, reported: 0, settledAt: 0, used: 0 };
      return { id, capacity, unitLoad, ask: Math.floor(random() * options.prices), ...base };
    });
    this.#byPrice = this.#nodes.toSorted((a, b) => a.ask - b.ask);
  }

  step(period: number): void {
    if (period === this.#options.warmUp) {
      [this.#granted, this.#units, this.#migrations, this.#movedUnits, this.#returns] = [0, 0, 0, 0, 0];
    }
    this.#end(period);
    this.#useByOwners(period);
    const average = this.#report();
    this.#average = average;
    this.#return(period);
    this.#arrive(period);
    if (this.#options.policy !== "nothing") this.#balance(period, average);
    if (period >= this.#options.warmUp) this.#observe();
  }

  result(): SimulationResult {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const { load, deviation, span, outside } = this.#stats;
    return {
      deviation,
      meanLoad: mean(load),
      meanDeviation: mean(deviation),
      meanSpan: mean(span),
      outside: mean(outside),
      leases: this.#granted,
      migrations: this.#migrations,
      movedShare: this.#movedUnits / this.#units,
      spreadCost: mean(this.#stats.cost) * 24,
      moveCost: this.#moveCost(),
      returns: this.#returns,
    };
  }

  #moveCost(): number {
    const { worth, unitPrice, hours, periods, warmUp, nodes } = this.#options;
    const cost = this.#migrations * worth.transactions + pauseCost(this.#movedUnits, unitPrice, worth);
    return (cost / (nodes * (periods - warmUp) * hours)) * 24;
  }

  #load({ owner, used, unitLoad }: SimulatedNode): number {
    return Math.min(10_000, owner + used * unitLoad);
  }

  #end(period: number): void {
    for (const lease of [...this.#leases.values()]) {
      if (lease.end <= period) {
        this.#node(lease.node).used -= lease.units;
        this.#leases.delete(lease.id);
      } else if (lease.moving === period) {
        this.#node(lease.node).used -= lease.units;
        lease.moving = undefined;
        this.#draw(lease, period);
      }
    }
    this.#waiting = this.#waiting.filter(({ end }) => end > period);
  }

  /** Draws takers for a lease that left its node. */
  #draw(lease: SimulatedLease, period: number): void {
    const most = Math.max(lease.price, this.#market(lease.units));
    const takers = this.#byPrice
      .filter((node) => node.ask <= most && node.id !== lease.node && period >= node.settledAt)
      .map((node) => ({ node, room: this.#room(node), weight: this.#weight(node) }))
      .filter(({ room }) => room > 0);
    for (let left = lease.units; left > 0;) {
      let at = this.#draws() * takers.reduce((sum, { weight }) => sum + weight, 0);
      const index = takers.findIndex(({ weight }) => (at -= weight) < 0);
      const [taker] = index < 0 ? [] : takers.splice(index, 1);
      const part = taker && taker.room < left ? this.#split(lease, taker.room) : lease;
      left -= part.units;
      if (taker) {
        if (part.held.includes(taker.node.id)) this.#returns += 1;
        this.#hand(part, taker.node, period);
      } else {
        this.#leases.delete(part.id);
        this.#waiting.push(part);
      }
    }
  }

  #hand(lease: SimulatedLease, node: SimulatedNode, period: number): void {
    lease.node = node.id;
    lease.held.push(node.id);
    lease.price = node.ask;
    node.used += lease.units;
    // What came since the report is not in it.
    node.settledAt = Math.max(node.settledAt, period + 1);
  }

  /** Units that a node below the band takes: to the average and one unit beyond, but within the band. */
  #room({ capacity, used, reported, unitLoad }: SimulatedNode): number {
    const { threshold } = this.#options;
    if (reported + threshold >= this.#average) return 0;
    return Math.min(capacity - used, Math.floor((this.#average - reported + Math.min(unitLoad, threshold)) / unitLoad));
  }

  #weight({ capacity, used, reported }: SimulatedNode): number {
    return (capacity - used) * (1 - Math.max(reported, (10_000 * used) / capacity, LOAD_FLOOR) / 10_000);
  }

  /** Price at which nodes that are eligible list this many units; that of one unit if they list fewer. */
  #market(units: number): number {
    const listed = this.#byPrice.filter((node) => this.#isEligible(node) && node.used < node.capacity);
    let left = units;
    for (const { ask, capacity, used } of listed) if ((left -= capacity - used) <= 0) return ask;
    return listed[0]?.ask ?? 0;
  }

  #isEligible({ reported }: SimulatedNode): boolean {
    return reported <= LOAD_FLOOR || reported <= this.#average + this.#options.threshold;
  }

  #useByOwners(period: number): void {
    for (const node of this.#nodes) {
      const [begins, share, length] = [this.#owners(), this.#owners(), this.#owners()];
      if (period === node.ownerUntil) node.owner = 500 * share;
      // Once in some 100 periods, for some 20.
      if (period >= node.ownerUntil && begins < 0.01) {
        node.owner = 2000 + 3000 * share;
        node.ownerUntil = period + 1 + Math.floor(-20 * Math.log(1 - length));
      }
    }
  }

  #report(): number {
    const { noise } = this.#options;
    for (const node of this.#nodes) node.reported = Math.max(0, this.#load(node) + noise * (2 * this.#noise() - 1));
    return averageLoad(this.#nodes.map(({ reported }) => reported));
  }

  /** Gives what found no taker to the cheapest eligible nodes, as a round does. */
  #return(period: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const lease of waiting) {
      for (const node of this.#byPrice) {
        const room = node.capacity - node.used;
        if (room <= 0 || !this.#isEligible(node)) continue;
        const part = room < lease.units ? this.#split(lease, room) : lease;
        this.#leases.set(part.id, part);
        this.#hand(part, node, period);
        if (part === lease) break;
      }
      if (!this.#leases.has(lease.id)) this.#waiting.push(lease);
    }
  }

  /** Tasks of 1 to 40 units that last 60 periods on average, as many as keep the wanted share leased. */
  #arrive(period: number): void {
    const units = this.#nodes.reduce((sum, { capacity }) => sum + capacity, 0);
    let tasks = poisson((units * this.#options.load) / 60 / 20.5, this.#arrivals);
    for (; tasks > 0; tasks--) {
      let left = 1 + Math.floor(this.#arrivals() * 40);
      const end = period + 1 + Math.floor(-60 * Math.log(1 - this.#arrivals()));
      for (const node of this.#byPrice) {
        if (left === 0) break;
        if (!this.#isEligible(node)) continue;
        // Ranges of at most eight units, so that one node's end does not end a whole task.
        const count = Math.min(left, node.capacity - node.used, 8);
        if (count <= 0) continue;
        left -= count;
        node.used += count;
        this.#granted += 1;
        this.#units += count;
        this.#fresh += count;
        const lease = { id: ++this.#ids, node: node.id, units: count, end, held: [node.id] };
        this.#leases.set(lease.id, { ...lease, movableAt: 0, moving: undefined, price: node.ask });
        // What came since the report is not in it.
        node.settledAt = Math.max(node.settledAt, period + 1);
      }
    }
  }

  #balance(period: number, average: number): void {
    const { threshold, hysteresis, cooldown, policy, worth, unitPrice } = this.#options;
    const nodes: BalancingNode[] = this.#nodes.map((node) => ({
      id: node.id,
      load: policy === "chosen" ? this.#load(node) : node.reported,
      unitLoad: node.unitLoad,
      free: node.capacity - node.used,
      settled: policy === "chosen" || period >= node.settledAt,
      eligible: true,
    }));
    // The price of a unit, for all of a lease's units, is found once for each number of them.
    const markets = new Map<number, number>();
    const marketOf = (units: number): number => {
      const known = markets.get(units) ?? this.#market(units);
      markets.set(units, known);
      return known;
    };
    const leases: BalancingLease[] = [...this.#leases.values()].map(
      ({ id, node, units, price, moving, movableAt }) => ({
        id,
        nodeId: node,
        units,
        price: unitPrice,
        movable: policy === "chosen" || (moving === undefined && period >= movableAt),
        accepts: (to) => this.#node(to).ask <= Math.max(price, marketOf(units)),
      }),
    );
    const leased = this.#nodes.reduce((sum, { used }) => sum + used, 0);
    const mostUnits = this.#budget.after(this.#fresh, leased);
    this.#fresh = 0;
    const refill = Math.max(LOAD_FLOOR, average + threshold);
    // The bound moves all that it may: no cost keeps it from that.
    const counted = policy === "chosen" ? { ...worth, hours: 1 } : worth;
    const aim = { average, threshold, hysteresis, ...(policy !== "band" && { worth: counted, mostUnits, refill }) };
    for (const { leaseId, from, to, units } of planMoves(nodes, leases, aim)) {
      const lease = this.#leases.get(leaseId);
      // Nothing moves that nobody could be drawn for.
      if (!lease || this.#node(to).ask > Math.max(lease.price, marketOf(units))) continue;
      const moved = units === lease.units ? lease : this.#split(lease, units);
      if (policy === "chosen") {
        this.#node(from).used -= units;
        this.#hand(moved, this.#node(to), period);
      } else {
        moved.moving = period + 1;
        moved.movableAt = lease.movableAt = period + 1 + cooldown;
        this.#node(from).settledAt = period + 2;
      }
      this.#migrations += 1;
      this.#movedUnits += units;
      this.#budget.spend(units);
    }
  }

  /** A part of a lease as one of its own. */
  #split(lease: SimulatedLease, units: number): SimulatedLease {
    const part = { ...lease, id: ++this.#ids, units, held: [...lease.held] };
    lease.units -= units;
    this.#leases.set(part.id, part);
    return part;
  }

  #observe(): void {
    const { threshold, worth } = this.#options;
    const loads = this.#nodes.map((node) => this.#load(node)).sort((a, b) => a - b);
    const average = averageLoad(loads);
    const variance = loads.reduce((sum, load) => sum + (load - average) ** 2, 0) / loads.length;
    const at = (share: number) => loads[Math.floor(share * (loads.length - 1))] ?? 0;
    this.#stats.load.push(average / 100);
    this.#stats.deviation.push(Math.sqrt(variance) / 100);
    this.#stats.span.push((at(0.95) - at(0.05)) / 100);
    const costs = loads.map((load) => spreadCost(load - average, threshold, worth.point));
    this.#stats.cost.push(costs.reduce((sum, cost) => sum + cost, 0) / loads.length);
    this.#stats.outside.push(loads.filter((load) => Math.abs(load - average) > threshold).length / loads.length);
  }

  #node(id: number): SimulatedNode {
    const node = this.#nodes[id];
    if (!node) throw new RangeError(`there is no node ${id}`);
    return node;
  }
}

/** A Poisson-distributed number, by its normal approximation where the mean is large. */
function poisson(mean: number, random: () => number): number {
  if (mean > 30) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  let [count, product] = [0, random()];
  for (const limit = Math.exp(-mean); product > limit; product *= random()) count += 1;
  return count;
}
