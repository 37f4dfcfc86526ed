import { clearingOf, marketsOf, wantedUnits } from "@verai/keepers/allocation/market";
import type { ListedNode, Round, RoundTask } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { Scaler, type ScalerSettings } from "./scaler.ts";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";

/** A step is a minute: a round, a look of the autoscaler. Prices in ticks of 0.001 VER. */
export interface Scenario {
  readonly steps: number;
  /** Units submitted at a step. */
  readonly demand: (step: number) => number;
  /** Steps that a unit runs. */
  readonly unitSteps: number;
  /** Steps after which the developer of an unserved unit gives up. */
  readonly givesUpAfter: number;
  /** The maximum prices of tasks: they alternate. */
  readonly maxPrices: readonly number[];
  /** What a unit costs the operator of the scaled nodes, and what these ask. */
  readonly costTicks: number;
  readonly askTicks: number;
  /** Asks of other people's nodes, which stay; each of `unitsPerNode` units. */
  readonly others: readonly number[];
  /** Steps from the decision until a new node is in the market: a machine, an image, a registration. */
  readonly startSteps: number;
  /** Steps that a node gets to drain before what is left on it is killed: the pod's termination grace. */
  readonly graceSteps: number;
  readonly scaler: ScalerSettings;
  readonly seed: number;
}

/** The network after a step. */
export interface StepResult {
  readonly step: number;
  readonly demand: number;
  /** VER. */
  readonly price: number;
  readonly unmet: number;
  readonly leased: number;
  readonly capacity: number;
  readonly replicas: number;
  /** Nodes that drain: they take nothing new. */
  readonly draining: number;
}

/** What came out in all. */
export interface SimulationResult {
  readonly steps: readonly StepResult[];
  readonly served: number;
  /** Units whose developers gave up. */
  readonly expired: number;
  /** Units that were running on a node when it went away. */
  readonly killed: number;
  /** Times that scaling changed its direction. */
  readonly reversals: number;
}

const TICK = 1000;

interface SimNode {
  readonly id: number;
  readonly ask: number;
  readonly owned: boolean;
  readonly readyAt: number;
  /** Step at which it was told to leave. */
  drainsSince?: number;
  /** Steps that each unit on it runs still. */
  running: number[];
}

/** The market, step by step: the real planner with its certificate, the real signal, the autoscaler's rule. */
export function simulate(scenario: Scenario): SimulationResult {
  const { scaler: settings, unitSteps, givesUpAfter, costTicks } = scenario;
  const scaler = new Scaler(settings);
  let nextId = 1;
  const owned = (readyAt: number): SimNode => node(nextId++, scenario.askTicks, true, readyAt);
  let nodes: SimNode[] = scenario.others.map((ask) => node(nextId++, ask, false, 0));
  nodes.push(...Array.from({ length: settings.min }, () => owned(0)));
  let waiting: { id: number; since: number; units: number; maxPrice: number }[] = [];
  const prices = new Map<string, number>();
  let [replicas, served, expired, killed, task] = [settings.min, 0, 0, 0, 1];
  const steps: StepResult[] = [];

  for (let step = 0; step < scenario.steps; step++) {
    for (const each of nodes) each.running = each.running.map((left) => left - 1).filter((left) => left > 0);
    // A node leaves when its last unit has ended, or its grace has.
    const leaving = nodes.filter(
      ({ drainsSince, running }) =>
        drainsSince !== undefined && (running.length === 0 || step - drainsSince >= scenario.graceSteps),
    );
    killed += leaving.reduce((sum, { running }) => sum + running.length, 0);
    nodes = nodes.filter((each) => !leaving.includes(each));

    for (const { since, units } of waiting) if (step - since > givesUpAfter) expired += units;
    waiting = waiting.filter(({ since }) => step - since <= givesUpAfter);
    const demand = scenario.demand(step);
    const half = Math.ceil(demand / 2);
    for (const units of [half, demand - half]) {
      const maxPrice = (scenario.maxPrices[task % scenario.maxPrices.length] ?? 0) * TICK;
      if (units > 0) waiting.push({ id: task++, since: step, units, maxPrice });
    }

    const listed = nodes.filter(
      (each) => each.drainsSince === undefined && each.readyAt <= step && free(each, settings) > 0,
    );
    if (waiting.length > 0 && listed.length > 0) {
      const round = roundOf(step, scenario.seed, waiting, listed, settings);
      const plan = planRound(round, networkSimplex);
      if (plan.kind !== "plan") throw new Error(`step ${step}: ${plan.why}`);
      for (const { nodeId, units } of plan.rows) {
        const on = nodes.find(({ id }) => id === nodeId);
        on?.running.push(...Array.from({ length: units }, () => unitSteps));
        served += units;
      }
      const granted = Map.groupBy(plan.rows, ({ taskId }) => taskId);
      waiting = waiting
        .map((each) => ({
          ...each,
          units: (granted.get(each.id) ?? []).reduce((left, { units }) => left - units, each.units),
        }))
        .filter(({ units }) => units > 0);
      for (const { className, price } of clearingOf(round, plan)) prices.set(className, price);
    }

    const bidders = waiting.map(({ units, maxPrice }) => ({ units, bids: new Map([["cpu/eu", maxPrice / 1e6]]) }));
    const there = nodes.map((each) => seen(each, step, settings));
    const [market] = marketsOf(prices, there, bidders);
    const [own] = marketsOf(prices, there, bidders, "operator");
    if (!market || !own) throw new Error("no market");
    const draining = nodes.filter((each) => each.drainsSince !== undefined).length;
    steps.push({
      step,
      demand,
      price: market.price,
      unmet: market.unmet,
      leased: market.leased,
      capacity: market.capacity,
      replicas,
      draining,
    });
    const before = replicas;
    replicas = scaler.step(replicas, wantedUnits(own, (costTicks * TICK) / 1e6));
    for (let i = before; i < replicas; i++) nodes.push(owned(step + scenario.startSteps));
    // The youngest goes first, as in a StatefulSet.
    const active = nodes.filter((each) => each.owned && each.drainsSince === undefined);
    for (const each of active.slice(replicas)) each.drainsSince = step;
  }
  return { steps, served, expired, killed, reversals: reversalsOf(steps.map((each) => each.replicas)) };
}

/** Times that a series changes its direction: 1 for one rise and fall. */
export function reversalsOf(values: readonly number[]): number {
  const moves = values.slice(1).map((value, i) => Math.sign(value - (values[i] ?? value)));
  const directions = moves.filter((move) => move !== 0);
  return directions.filter((move, i) => i > 0 && move !== directions[i - 1]).length;
}

function node(id: number, ask: number, owned: boolean, readyAt: number): SimNode {
  return { id, ask, owned, readyAt, running: [] };
}

function free(each: SimNode, { unitsPerNode }: ScalerSettings): number {
  return unitsPerNode - each.running.length;
}

function seen(each: SimNode, step: number, { unitsPerNode }: ScalerSettings) {
  const active = each.drainsSince === undefined && each.readyAt <= step;
  const leased = each.running.length;
  const listed = active ? unitsPerNode - leased : 0;
  const owner = each.owned ? "operator" : "others";
  return { className: "cpu/eu", owner, active, capacity: unitsPerNode, leased, listed };
}

function roundOf(
  step: number,
  seed: number,
  waiting: readonly { id: number; units: number; maxPrice: number }[],
  listed: readonly SimNode[],
  settings: ScalerSettings,
): Round {
  const position = new Map<number, number>();
  const nodes = listed.map((each): ListedNode => {
    const at = position.get(each.ask) ?? 0;
    position.set(each.ask, at + 1);
    return { id: each.id, tick: each.ask, units: free(each, settings), position: at };
  });
  // As on chain: a task brings no more units in than are listed.
  const most = nodes.reduce((sum, { units }) => sum + units, 0);
  const tasks = waiting.map(({ id, units, maxPrice }): RoundTask => ({
    id,
    units: Math.min(units, most),
    maxPrice,
    classes: [{ classId: 1, surcharge: 0 }],
  }));
  const words = (BigInt(seed) << 32n) + BigInt(step + 1);
  return {
    roundId: step + 1,
    seed: `0x${words.toString(16).padStart(64, "0")}`,
    tasks,
    classes: [{ id: 1, name: "cpu/eu", tickSize: TICK, nodes }],
  };
}

/**
 * A spike of four times the usual demand, with noise of a tenth throughout: six nodes of other people, and those of an
 * operator to whom a unit costs 0.010 VER, who asks 0.012, and whose nodes take five minutes to start.
 */
export function scenario(quick: boolean, seed: number): Scenario & { readonly spike: readonly [number, number] } {
  const spike = quick ? ([30, 75] as const) : ([120, 270] as const);
  const noise = randomNumbers(seed);
  return {
    spike,
    steps: quick ? 150 : 480,
    demand: (step) => Math.round((step >= spike[0] && step < spike[1] ? 24 : 6) * (0.9 + 0.2 * noise())),
    unitSteps: 8,
    givesUpAfter: 20,
    maxPrices: [30, 40],
    costTicks: 10,
    askTicks: 12,
    others: [8, 9, 11, 11, 14, 16],
    startSteps: 5,
    graceSteps: 10,
    scaler: { min: 1, max: 40, unitsPerNode: 8, upWindow: 1, downWindow: 15, upPeriod: 2, downPeriod: 5 },
    seed,
  };
}
