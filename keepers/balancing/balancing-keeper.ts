import { answer, blockTag, type Reader } from "@verai/client/readers";
import { readClassEnergy, readCoolingUntil, readShifts, readTotals } from "@verai/client/telemetry";
import { Mirror } from "../mirror.ts";
import type { Logger } from "@verai/process/logger";
import { type BalancingWorth, MoveBudget } from "@verai/protocol/balancing/worth";
import type { KeeperConfig } from "../config.ts";
import type { Sender } from "../sender.ts";
import { type BalancingPlan, type BalancingView, planBalancing } from "./balancing-plan.ts";

/** Moves in one transaction; what is left is planned again in the next cycle. */
const MOST_MOVES = 16;

/**
 * Gas of all transactions of one move: its share of the plan's, the hand-over, and its part in opening and drawing a batch
 * of reassignments.
 */
const MOVE_GAS = 600_000;

/** What moving is worth and costs, by a keeper's configuration. Pure. */
export function worthOf(config: KeeperConfig["balancing"]): BalancingWorth {
  return {
    point: config.pointValue,
    hours: config.lasting / 3600,
    transactions: MOVE_GAS * config.gasPrice * 1e-9 * config.verPerEth,
    pause: config.pause / 3600,
  };
}

/** What the balancing keeper works with. */
export interface BalancingContext {
  readonly reader: Reader;
  readonly sender: Sender;
  readonly logger: Logger;
  /** What the chain has; left out: one of its own. */
  readonly mirror?: Mirror | undefined;
  /** Basis points beyond the band from which on a node gives or takes. */
  readonly hysteresis: number;
  readonly worth: BalancingWorth;
  /** Share of the granted units that moves for their load. */
  readonly movedShare: number;
}

/**
 * Has work moved away from nodes that are loaded too much, or throttled, and finishes moves whose grace is over. Who takes the
 * work is drawn, with the ranges of failed leases: see the failover keeper.
 *
 * Open to anyone, without a bounty. Two keepers at once do no harm: the second one's plan fails in its simulation.
 */
export class BalancingKeeper {
  readonly #context: BalancingContext;
  readonly #mirror: Mirror;
  /** When each lease was first seen, chain time. */
  readonly #seen = new Map<number, number>();
  readonly #budget: MoveBudget;
  /** Units of leases that were first seen since the last plan, where nobody had their range before. */
  #granted = 0;
  #lastWhy = "";

  constructor(context: BalancingContext) {
    this.#context = context;
    this.#budget = new MoveBudget(context.movedShare);
    this.#mirror = context.mirror ?? new Mirror(context.reader);
  }

  /**
   * What it would do now, and why. Sends nothing.
   *
   * Calls: those of the mirror; what is read at its block goes out together, O(nodes outside the band) views, or O(nodes that report)
   * while one of them is throttled, and O(leases of those that give). In memory O(nodes + leases).
   */
  async look(): Promise<BalancingPlan> {
    const { hysteresis, worth } = this.#context;
    const view = await this.#view();
    const leased = view.leases.reduce((sum, { count }) => sum + count, 0);
    const mostUnits = this.#budget.after(this.#granted, leased);
    this.#granted = 0;
    return planBalancing(view, { hysteresis, most: MOST_MOVES, worth, mostUnits });
  }

  /** One look and what follows from it. @returns Whether a transaction went through. */
  async cycle(): Promise<boolean> {
    const { reader, sender, logger } = this.#context;
    const { balancer, leases } = reader.contracts;
    const { moves, handOvers, why } = await this.look();
    let sent = false;
    for (const id of handOvers) {
      logger.info({ lease: id }, "handing over, its grace is over");
      sent = (await sender.send(`hand over ${id}`, () => leases.handOver.populateTransaction(id))) || sent;
    }
    if (moves.length === 0) {
      if (why !== this.#lastWhy) logger.info({ why }, "waiting");
      this.#lastWhy = why;
      return sent;
    }
    logger.info({ moves, why }, "move");
    let units = 0;
    const posted = await sender.send(`move ${moves.length} leases`, async () => {
      // Planned again right before it is sent: reports may have come meanwhile.
      const now = await this.look();
      if (now.moves.length === 0) return null;
      units = now.moves.reduce((sum, move) => sum + (move.cause === "load" ? move.units : 0), 0);
      return balancer.move.populateTransaction(now.moves.map(({ leaseId, units }) => ({ leaseId, units })));
    });
    if (posted) this.#budget.spend(units);
    return posted || sent;
  }

  async #view(): Promise<BalancingView> {
    const { reader } = this.#context;
    const { block, nodes, leases, tasks } = await this.#mirror.look();
    const all = [...nodes.values()];
    const reportStates = all.map(({ reportState }) => reportState);
    const [totals, values, frozen, classes] = await Promise.all([
      readTotals(reader, block),
      reader.parameters(block),
      answer(reader.contracts.supply.frozen(blockTag(block))),
      reader.classes(block),
    ]);
    const live = [...leases.values()].filter(({ status }) => status === "active" || status === "moving");
    for (const { id, parent, count } of live) {
      if (this.#seen.has(id)) continue;
      this.#seen.set(id, block.timestamp);
      if (parent === 0) this.#granted += count;
    }
    for (const id of this.#seen.keys()) if (!leases.has(id)) this.#seen.delete(id);
    const average = totals.capacity === 0 ? 0 : totals.load / totals.capacity;
    // Only those that might give need a closer look at their leases, and those outside the band at what is on its way.
    const outside = reportStates.filter(
      ({ load, counted, throttled }) => counted && (throttled || Math.abs(load - average) > values.balanceBand),
    );
    const throttled = outside.some((reportState) => reportState.throttled);
    const looked = throttled ? reportStates.filter(({ counted }) => counted) : outside;
    const shifts = await readShifts(
      reader,
      block,
      looked.map(({ nodeId }) => nodeId),
    );
    const givers = new Set(
      outside.filter(({ load, throttled: hot }) => hot || load > average).map(({ nodeId }) => nodeId),
    );
    const given = live.filter(({ nodeId, status }) => status === "active" && givers.has(nodeId));
    const cooling = new Map(
      await Promise.all(
        given.map(async ({ id }) => {
          const [until, free] = await Promise.all([
            readCoolingUntil(reader, block, id),
            answer(reader.contracts.releaseFees.isFree(id, blockTag(block))),
          ]);
          // Without headway it does not move, and a move that is refused takes the whole plan with it.
          return [id, free ? until : Infinity] as const;
        }),
      ),
    );
    const energies = await Promise.all(
      (throttled ? classes : []).map(async ({ id }) => [id, await readClassEnergy(reader, block, id)] as const),
    );
    const joules = new Map(
      energies.flatMap(([id, { baselineJoules }]) => (baselineJoules > 0 ? [[id, baselineJoules] as const] : [])),
    );
    const tickSizes = new Map(classes.map(({ id, tickSize }) => [id, tickSize]));
    return {
      now: block.timestamp,
      load: totals.load,
      counted: totals.capacity,
      band: values.balanceBand,
      loadFloor: values.loadFloor,
      reportTimeout: values.reportTimeout,
      minLeaseTime: values.minLeaseTime,
      frozen,
      nodes: all.map(({ node, reportState }) => {
        const tickSize = tickSizes.get(node.listing?.classId ?? -1) ?? 0;
        const { outgoing = 0, incoming = 0 } = shifts.get(node.id) ?? {};
        return { ...node, reportState, ask: (node.listing?.tick ?? 0) * tickSize, outgoing, incoming };
      }),
      leases: live.map((lease) => ({
        ...lease,
        coolingUntil: cooling.get(lease.id) ?? Infinity,
        seenAt: this.#seen.get(lease.id) ?? block.timestamp,
      })),
      tasks,
      joules,
    };
  }
}
