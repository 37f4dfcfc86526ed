import { Gauge, type Registry } from "prom-client";

import type { Reader } from "../../chain/readers.ts";
import type { Round } from "../../protocol/allocation/model.ts";
import type { RoundPlan } from "../../protocol/allocation/plan.ts";

/** What the last settled round says of a class. */
export interface ClassOutcome {
  readonly className: string;
  /** Clearing price: what one more unit of capacity is worth at the margin (the LP's dual), VER. */
  readonly price: number;
  /** Units that stayed open and that this class could serve; a unit counts in each class that its task accepts. */
  readonly unmet: number;
}

/** The market of a class now. Units. */
export interface ClassMarket extends ClassOutcome {
  /** Units under live leases. */
  readonly leased: number;
  /** Capacity of the nodes that take work. */
  readonly capacity: number;
}

/** A node as far as the market counts it. */
export interface MarketNode {
  readonly className: string;
  readonly owner: string;
  readonly active: boolean;
  readonly capacity: number;
  readonly leased: number;
}

/** What a settled round says of each of its classes. O(tasks × classes). */
export function outcomeOf(round: Round, plan: Pick<RoundPlan, "clearing" | "openUnits">): ClassOutcome[] {
  const open = new Map(plan.openUnits.map(({ taskId, units }) => [taskId, units]));
  return plan.clearing.map(({ classId, price }) => ({
    className: round.classes.find(({ id }) => id === classId)?.name ?? String(classId),
    // Scaled by 1024, in micro-VER.
    price: Number(price) / 1024 / 1e6,
    unmet: round.tasks
      .filter(({ classes }) => classes.some((accepted) => accepted.classId === classId))
      .reduce((sum, { id }) => sum + (open.get(id) ?? 0), 0),
  }));
}

/** The market by class. O(nodes). @param waiting Whether tasks are waiting: what was open is else served, or gone. */
export function marketsOf(
  outcomes: readonly ClassOutcome[],
  nodes: readonly MarketNode[],
  waiting: boolean,
): ClassMarket[] {
  return outcomes.map((outcome) => {
    const own = nodes.filter(({ className }) => className === outcome.className);
    return {
      ...outcome,
      unmet: waiting ? outcome.unmet : 0,
      leased: own.reduce((sum, { leased }) => sum + leased, 0),
      capacity: own.reduce((sum, { active, capacity }) => sum + (active ? capacity : 0), 0),
    };
  });
}

/**
 * Units of capacity that are worth having, for somebody whom a unit costs so much: while one more is worth more than it
 * costs, those that are missing besides those in use; else those in use alone. What autoscalers are to aim at. Pure.
 *
 * @param cost VER for a unit.
 */
export function wantedUnits(
  { price, unmet, leased }: Pick<ClassMarket, "price" | "unmet" | "leased">,
  cost: number,
): number {
  return leased + (price > cost ? unmet : 0);
}

/** Milliseconds for which an answer is good: autoscalers ask often. */
const FRESH_MS = 10_000;

/** The market as the chain shows it now, as JSON and as metrics. */
export class Market {
  readonly #reader: Pick<Reader, "pin" | "nodes" | "classes" | "queue">;
  readonly #outcomes = new Map<string, ClassOutcome>();
  #nodes: { at: number; nodes: MarketNode[]; waiting: boolean } | undefined;

  constructor(reader: Pick<Reader, "pin" | "nodes" | "classes" | "queue">, registry: Registry) {
    this.#reader = reader;
    const gauge = (name: string, help: string, value: (market: ClassMarket) => number) => {
      const read = () => this.classes();
      new Gauge({
        name,
        help,
        labelNames: ["class"],
        registers: [registry],
        async collect() {
          for (const market of await read().catch(() => [])) this.set({ class: market.className }, value(market));
        },
      });
    };
    gauge("drmp_class_unmet_units", "Units left open that the class could serve", ({ unmet }) => unmet);
    gauge("drmp_class_leased_units", "Units of the class under live leases", ({ leased }) => leased);
    gauge("drmp_class_capacity_units", "Units that the active nodes of the class offer", ({ capacity }) => capacity);
  }

  /** Notes what a round has shown; classes that were not in it stay as they were. */
  note(outcomes: readonly ClassOutcome[]): void {
    for (const outcome of outcomes) this.#outcomes.set(outcome.className, outcome);
  }

  /** All classes that rounds have shown. @param owner Count the leases and the capacity of this owner's nodes alone. */
  async classes(owner?: string): Promise<ClassMarket[]> {
    const { nodes, waiting } = await this.#look();
    const own = owner === undefined ? nodes : nodes.filter((node) => node.owner.toLowerCase() === owner.toLowerCase());
    return marketsOf([...this.#outcomes.values()], own, waiting);
  }

  /**
   * The page `/market`: every class; with `?class=cpu/eu&cost=0.012` (and `&owner=0x…`) that class, with `wanted`, the units
   * that are worth having at this cost.
   */
  async page(query: URLSearchParams): Promise<object> {
    const classes = await this.classes(query.get("owner") ?? undefined);
    const [name, cost] = [query.get("class"), query.get("cost")];
    if (name === null) return { classes };
    const known = classes.find(({ className }) => className === name);
    // Before the first round nothing is known to be missing.
    const market = known ?? { className: name, price: 0, unmet: 0, leased: 0, capacity: 0 };
    return cost === null ? market : { ...market, cost: Number(cost), wanted: wantedUnits(market, Number(cost)) };
  }

  async #look(): Promise<{ nodes: MarketNode[]; waiting: boolean }> {
    if (this.#nodes && Date.now() - this.#nodes.at < FRESH_MS) return this.#nodes;
    const pin = await this.#reader.pin();
    const [classes, nodes, queue] = await Promise.all([
      this.#reader.classes(pin),
      this.#reader.nodes(pin),
      this.#reader.queue(pin, 1),
    ]);
    const names = new Map(classes.map(({ id, name }) => [id, name]));
    this.#nodes = {
      at: Date.now(),
      waiting: queue.length > 0,
      nodes: nodes.map(({ classId, owner, status, capacity, leased }) => ({
        className: names.get(classId) ?? String(classId),
        owner,
        active: status === "active",
        capacity,
        leased,
      })),
    };
    return this.#nodes;
  }
}
