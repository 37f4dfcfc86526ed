import { formatEther } from "ethers";
import { Gauge, type Registry } from "prom-client";

import type { BlockReference } from "@verai/client/block-reference";
import type { Node } from "@verai/client/entities";
import type { Reader } from "@verai/client/readers";
import type { Round } from "@verai/protocol/allocation/model";
import type { RoundPlan } from "@verai/protocol/allocation/round-plan";
import { monotonicMs } from "@verai/system/clock";
import { PageError } from "@verai/process/endpoint";

/** What a round has cleared a class at. */
export interface ClearingPrice {
  readonly className: string;
  /** What one more unit of capacity was worth at the margin (the LP's dual), VER. */
  readonly price: number;
}

/** A task that waits for capacity. */
export interface WaitingTask {
  readonly units: number;
  /** By class that it accepts: what it pays for a unit at most, less the class's surcharge; VER. */
  readonly bids: ReadonlyMap<string, number>;
}

/** A node as far as the market counts it. */
export interface MarketNode {
  readonly className: string;
  readonly owner: string;
  readonly active: boolean;
  readonly capacity: number;
  readonly leased: number;
  /** Units that rounds can grant now: none of a node that is too hot, throttled or out of stake. */
  readonly listed: number;
}

/** The market of a class now. Units. */
export interface ClassMarket {
  readonly className: string;
  /** What one more unit of capacity is worth, VER. */
  readonly price: number;
  /** Units that wait and that this class could serve; a unit counts in each class that its task accepts. */
  readonly unmet: number;
  /** The same by what is bid for them, VER; the highest first. */
  readonly bids: readonly { readonly price: number; readonly units: number }[];
  /** Units under live leases. */
  readonly leased: number;
  /** Capacity of the nodes that take work. */
  readonly capacity: number;
}

/** What a round's plan says of each of its classes. O(classes). */
export function clearingOf(round: Round, plan: Pick<RoundPlan, "clearing">): ClearingPrice[] {
  return plan.clearing.map(({ classId, price }) => ({
    className: round.classes.find(({ id }) => id === classId)?.name ?? String(classId),
    // Scaled by 1024, in micro-VER.
    price: Number(price) / 1024 / 1e6,
  }));
}

/**
 * The market by class: a unit is worth what the last round cleared at; but where nothing is listed there are no rounds, and
 * it is worth what the best of those who wait would pay; so it is where no round has been seen yet (a keeper that has just
 * started) and more units wait than are listed. Pure; O(nodes + tasks × classes).
 *
 * @param prices Of the classes' last rounds.
 * @param owner Count the leases and the capacity of this owner's nodes alone.
 */
export function marketsOf(
  prices: ReadonlyMap<string, number>,
  nodes: readonly MarketNode[],
  waiting: readonly WaitingTask[],
  owner?: string,
): ClassMarket[] {
  const names = new Set([...prices.keys(), ...nodes.map(({ className }) => className)]);
  for (const { bids } of waiting) for (const className of bids.keys()) names.add(className);
  return [...names].sort().map((className) => {
    const there = nodes.filter((node) => node.className === className);
    const listed = there.reduce((sum, node) => sum + node.listed, 0);
    const bids = waiting
      .map(({ units, bids: by }) => ({ price: by.get(className) ?? -1, units }))
      .filter(({ price }) => price >= 0)
      .sort((a, b) => b.price - a.price);
    const [best] = bids;
    const unmet = bids.reduce((sum, { units }) => sum + units, 0);
    const counted =
      owner === undefined ? there : there.filter((node) => node.owner.toLowerCase() === owner.toLowerCase());
    return {
      className,
      price:
        best && (listed === 0 || (!prices.has(className) && unmet > listed))
          ? best.price
          : (prices.get(className) ?? 0),
      unmet,
      bids,
      leased: counted.reduce((sum, { leased }) => sum + leased, 0),
      capacity: counted.reduce((sum, { active, capacity }) => sum + (active ? capacity : 0), 0),
    };
  });
}

/**
 * Units of capacity that are worth having, for somebody whom a unit costs so much: those in use, and while one more is worth
 * more than it costs, those that wait and pay more than that. What autoscalers are to aim at. Pure.
 *
 * @param cost VER for a unit.
 */
export function wantedUnits(
  { price, bids, leased }: Pick<ClassMarket, "price" | "bids" | "leased">,
  cost: number,
): number {
  if (price <= cost) return leased;
  return bids.reduce((sum, bid) => sum + (bid.price > cost ? bid.units : 0), leased);
}

/** A query of `/market` that is understood. */
export interface MarketQuery {
  readonly className: string | undefined;
  /** VER for a unit. */
  readonly cost: number | undefined;
  readonly owner: string | undefined;
}

/** What each parameter of `/market` has to look like. */
const PARAMETERS: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ["class", [/^[\x21-\x7e]{1,64}$/, "a class by name, such as cpu/eu"]],
  ["cost", [/^\d{1,9}(\.\d{1,18})?$/, "an amount of VER for a unit, such as 0.012"]],
  ["owner", [/^0x[0-9a-fA-F]{40}$/, "an address"]],
]);

/**
 * Reads a query of `/market`. Pure.
 *
 * @throws PageError 400 if a parameter is unknown, given twice or malformed, or `cost` stands without `class`.
 */
function parseMarketQuery(query: URLSearchParams): MarketQuery {
  for (const name of query.keys()) {
    const rule = PARAMETERS.get(name);
    if (!rule) {
      throw new PageError(
        400,
        `There is no parameter "${name.slice(0, 64)}", only ${[...PARAMETERS.keys()].join(", ")}.`,
      );
    }
    const values = query.getAll(name);
    if (values.length > 1) throw new PageError(400, `The parameter ${name} is given ${String(values.length)} times.`);
    const [pattern, what] = rule;
    const [value = ""] = values;
    if (!pattern.test(value)) {
      throw new PageError(400, `The parameter ${name} has to be ${what}, not "${value.slice(0, 64)}".`);
    }
  }
  const [className, cost, owner] = ["class", "cost", "owner"].map((name) => query.get(name) ?? undefined);
  if (cost !== undefined && className === undefined) {
    throw new PageError(400, "The parameter cost needs a class: what a unit costs differs between classes.");
  }
  return { className, cost: cost === undefined ? undefined : Number(cost), owner };
}

/** Milliseconds for which an answer is good: autoscalers ask often. */
const FRESH_MS = 10_000;
/** So many tasks from the head of the queue are looked at: what waits behind them is not next. */
const MOST_WAITING = 64;

interface MarketLook {
  /** Names of all classes that are registered, whether anything is of them or not. */
  readonly known: readonly string[];
  readonly nodes: readonly MarketNode[];
  readonly waiting: readonly WaitingTask[];
}

type MarketReader = Pick<Reader, "block" | "nodes" | "classes" | "queue" | "round" | "task">;

/** All nodes at the newest block. */
type MarketNodes = () => Promise<{ readonly block: BlockReference; readonly nodes: readonly Node[] }>;

/** The market as the chain shows it now, as JSON and as metrics. */
export class Market {
  readonly #reader: MarketReader;
  readonly #nodes: MarketNodes;
  readonly #prices = new Map<string, number>();
  /** The last look, which may be under way: metrics are collected all at once. */
  #seen: { at: number; look: Promise<MarketLook> } | undefined;

  /** @param nodes Where all nodes are known; left out: they are read. */
  constructor(reader: MarketReader, registry: Registry, nodes?: MarketNodes) {
    this.#reader = reader;
    this.#nodes =
      nodes ??
      (async () => {
        const block = await reader.block();
        return { block, nodes: await reader.nodes(block) };
      });
    const gauge = (name: string, help: string, value: (market: ClassMarket) => number) => {
      const read = () => this.classes();
      new Gauge({
        name,
        help,
        labelNames: ["class"],
        registers: [registry],
        async collect() {
          const markets = await read().catch(() => undefined);
          // What cannot be looked at now is as it was; a class that nothing is left of is gone.
          if (!markets) return;
          this.reset();
          for (const market of markets) this.set({ class: market.className }, value(market));
        },
      });
    };
    gauge("drmp_clearing_price_ver", "What one more unit of the class is worth, VER", ({ price }) => price);
    gauge("drmp_class_unmet_units", "Units that wait and that the class could serve", ({ unmet }) => unmet);
    gauge("drmp_class_leased_units", "Units of the class under live leases", ({ leased }) => leased);
    gauge("drmp_class_capacity_units", "Units that the active nodes of the class offer", ({ capacity }) => capacity);
    const look = () => this.#look();
    new Gauge({
      name: "drmp_unmet_demand_units",
      help: "Units that wait for a node, whatever their class",
      registers: [registry],
      async collect() {
        const seen = await look().catch(() => undefined);
        if (seen) this.set(seen.waiting.reduce((sum, { units }) => sum + units, 0));
      },
    });
  }

  /** Notes what a round has cleared at; classes that were not in it stay as they were. */
  note(prices: readonly ClearingPrice[]): void {
    for (const { className, price } of prices) this.#prices.set(className, price);
  }

  /** All classes that there is anything of. @param owner Count the leases and the capacity of this owner's nodes alone. */
  async classes(owner?: string): Promise<ClassMarket[]> {
    const { nodes, waiting } = await this.#look();
    return marketsOf(this.#prices, nodes, waiting, owner);
  }

  /**
   * The page `/market`: every class; with `?class=cpu/eu&cost=0.012` (and `&owner=0x…`) that class, with `wanted`, the units
   * that are worth having at this cost.
   *
   * An autoscaler acts on `wanted`, so a query that is not exactly understood never has one.
   *
   * @throws PageError 400 for a malformed query, 404 with the known classes for a class that does not exist.
   */
  async page(query: URLSearchParams): Promise<object> {
    const { className, cost, owner } = parseMarketQuery(query);
    const { known } = await this.#look();
    if (className !== undefined && !known.includes(className)) {
      throw new PageError(404, `There is no class "${className}"; names are case-sensitive.`, { classes: known });
    }
    const classes = await this.classes(owner);
    if (className === undefined) return { classes };
    const found = classes.find((each) => each.className === className);
    const market = found ?? { className, price: 0, unmet: 0, bids: [], leased: 0, capacity: 0 };
    return cost === undefined ? market : { ...market, cost, wanted: wantedUnits(market, cost) };
  }

  #look(): Promise<MarketLook> {
    if (this.#seen && monotonicMs() - this.#seen.at < FRESH_MS) return this.#seen.look;
    const seen = { at: monotonicMs(), look: this.#read() };
    this.#seen = seen;
    seen.look.catch(() => {
      if (this.#seen === seen) this.#seen = undefined;
    });
    return seen.look;
  }

  async #read(): Promise<MarketLook> {
    const { block, nodes } = await this.#nodes();
    const classes = await this.#reader.classes(block);
    const names = new Map(classes.map(({ id, name }) => [id, name]));
    return {
      known: [...names.values()].sort(),
      waiting: await this.#waiting(block, names),
      nodes: nodes.map(({ classId, owner, status, capacity, leased, listing }) => ({
        className: names.get(classId) ?? String(classId),
        owner,
        active: status === "active",
        capacity,
        leased,
        listed: listing?.units ?? 0,
      })),
    };
  }

  /** What waits: in the queue, and in an open round. */
  async #waiting(block: BlockReference, names: ReadonlyMap<number, string>): Promise<WaitingTask[]> {
    const [queue, round] = await Promise.all([this.#reader.queue(block, MOST_WAITING), this.#reader.round(block)]);
    const open = round.status === "seeding" || round.status === "settling" ? round.demands : [];
    const ids = new Set([...open.map(({ taskId }) => taskId), ...queue]);
    const tasks = await Promise.all([...ids].map((id) => this.#reader.task(block, id)));
    return tasks
      .filter((task) => task !== undefined && task.openUnits > 0 && task.deadline > block.timestamp)
      .map((task) => ({
        units: task?.openUnits ?? 0,
        bids: new Map(
          task?.classes.map(({ classId, surcharge }) => [
            names.get(classId) ?? String(classId),
            Number(formatEther(task.maxPrice - surcharge)),
          ]),
        ),
      }));
  }
}
