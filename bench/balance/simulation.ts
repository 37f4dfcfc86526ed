import { averageLoad } from "@verai/protocol/balance/load";
import { type BalanceLease, type BalanceNode, planMoves } from "@verai/protocol/balance/moves";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";

/** A simulated network. */
export interface SimulationOptions {
  readonly nodes: number;
  /** Report periods that are simulated, and those at the beginning that do not count. */
  readonly periods: number;
  readonly warmUp: number;
  /** Share of the nodes' units that is leased on average. */
  readonly load: number;
  readonly seed: number;
  /** Whether the balance keeper works. Arrivals and owners are the same either way. */
  readonly balance: boolean;
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
  /** Leases that came back to a node which they had left. */
  readonly returns: number;
}

interface SimulatedNode {
  readonly id: number;
  readonly capacity: number;
  /** What a unit adds to the load, basis points. */
  readonly unitLoad: number;
  /** Price rank: the market fills the cheap ones first. */
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
  /** Where it goes, and when it is there. */
  moving: { readonly to: number; readonly at: number } | undefined;
}

/**
 * Runs a network, report period by report period: tasks arrive at random, the market gives them to the cheapest nodes that
 * are fit for new work (load at most L_avg + τ), owners use their machines now and then, and the balance keeper plans by
 * the reported loads. A move takes one period, in which the lease counts on neither end's free units.
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
  readonly #stats = { load: [] as number[], deviation: [] as number[], span: [] as number[], outside: [] as number[] };
  #ids = 0;
  #granted = 0;
  #units = 0;
  #migrations = 0;
  #movedUnits = 0;
  #returns = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const random = randomNumbers(options.seed);
    this.#arrivals = randomNumbers(options.seed + 1);
    this.#owners = randomNumbers(options.seed + 2);
    this.#noise = randomNumbers(options.seed + 3);
    this.#nodes = Array.from({ length: options.nodes }, (_, id) => {
      const capacity = 4 + Math.floor(random() * 13);
      // Its units together use some 60 to 80 % of a machine.
      const unitLoad = (6000 + random() * 2000) / capacity;
      const base = { owner: 500 * random(), ownerUntil: 0, reported: 0, settledAt: 0, used: 0 };
      return { id, capacity, unitLoad, ask: random(), ...base };
    });
    this.#byPrice = this.#nodes.toSorted((a, b) => a.ask - b.ask);
  }

  step(period: number): void {
    this.#end(period);
    this.#useByOwners(period);
    const average = this.#report();
    this.#arrive(period, average);
    if (this.#options.balance) this.#balance(period, average);
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
      returns: this.#returns,
    };
  }

  #load({ owner, used, unitLoad }: SimulatedNode): number {
    return Math.min(10_000, owner + used * unitLoad);
  }

  #end(period: number): void {
    for (const lease of this.#leases.values()) {
      const { moving } = lease;
      if (moving?.at === period) {
        // Its units were taken at the target when it was planned.
        this.#node(lease.node).used -= lease.units;
        lease.node = moving.to;
        lease.held.push(moving.to);
        lease.moving = undefined;
      }
      if (lease.end > period) continue;
      this.#node(lease.node).used -= lease.units;
      if (lease.moving) this.#node(lease.moving.to).used -= lease.units;
      this.#leases.delete(lease.id);
    }
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

  /** Tasks of 1 to 40 units that last 60 periods on average, as many as keep the wanted share leased. */
  #arrive(period: number, average: number): void {
    const units = this.#nodes.reduce((sum, { capacity }) => sum + capacity, 0);
    let tasks = poisson((units * this.#options.load) / 60 / 20.5, this.#arrivals);
    for (; tasks > 0; tasks--) {
      let left = 1 + Math.floor(this.#arrivals() * 40);
      const end = period + 1 + Math.floor(-60 * Math.log(1 - this.#arrivals()));
      for (const node of this.#byPrice) {
        if (left === 0) break;
        if (node.reported > average + this.#options.threshold) continue;
        // Ranges of at most eight units, so that one node's end does not end a whole task.
        const count = Math.min(left, node.capacity - node.used, 8);
        if (count <= 0) continue;
        left -= count;
        node.used += count;
        this.#granted += 1;
        this.#units += count;
        const lease = { id: ++this.#ids, node: node.id, units: count, end, held: [node.id] };
        this.#leases.set(lease.id, { ...lease, movableAt: 0, moving: undefined });
        // What came since the report is not in it.
        node.settledAt = Math.max(node.settledAt, period + 1);
      }
    }
  }

  #balance(period: number, average: number): void {
    const { threshold, hysteresis, cooldown } = this.#options;
    const nodes: BalanceNode[] = this.#nodes.map((node) => ({
      id: node.id,
      load: node.reported,
      unitLoad: node.unitLoad,
      free: node.capacity - node.used,
      settled: period >= node.settledAt,
      eligible: true,
    }));
    const leases: BalanceLease[] = [...this.#leases.values()].map(({ id, node, units, moving, movableAt }) => ({
      id,
      nodeId: node,
      units,
      movable: moving === undefined && period >= movableAt,
    }));
    for (const { leaseId, from, to, units } of planMoves(nodes, leases, { average, threshold, hysteresis })) {
      const lease = this.#leases.get(leaseId);
      if (!lease) continue;
      const moved = units === lease.units ? lease : this.#split(lease, units);
      moved.moving = { to, at: period + 1 };
      moved.movableAt = lease.movableAt = period + 1 + cooldown;
      this.#node(to).used += units;
      for (const end of [from, to]) this.#node(end).settledAt = period + 2;
      this.#migrations += 1;
      this.#movedUnits += units;
      if (lease.held.includes(to)) this.#returns += 1;
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
    const { threshold } = this.#options;
    const loads = this.#nodes.map((node) => this.#load(node)).sort((a, b) => a - b);
    const average = averageLoad(loads);
    const variance = loads.reduce((sum, load) => sum + (load - average) ** 2, 0) / loads.length;
    const at = (share: number) => loads[Math.floor(share * (loads.length - 1))] ?? 0;
    this.#stats.load.push(average / 100);
    this.#stats.deviation.push(Math.sqrt(variance) / 100);
    this.#stats.span.push((at(0.95) - at(0.05)) / 100);
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
