import { LeaseIndex } from "@verai/client/lease-index";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import { readClassEnergy, readCoolingUntil, readShifts, readReportStates, readTotals } from "@verai/client/telemetry";
import type { Logger } from "@verai/process/logger";
import type { Sender } from "../sender.ts";
import { type BalancingPlan, type BalancingView, planBalancing } from "./balancing-plan.ts";

/** Moves in one transaction; what is left is planned anew in the next cycle. */
const MOST_MOVES = 16;

/** What the balance keeper works with. */
export interface BalancingContext {
  readonly reader: Reader;
  readonly sender: Sender;
  readonly logger: Logger;
  /** Basis points beyond the band from which on a node gives or takes. */
  readonly hysteresis: number;
}

/**
 * Has work moved away from nodes that are loaded too much, or throttled, and finishes moves whose grace is over. Who takes the
 * work is drawn, with the ranges of failed leases: see the failover keeper.
 *
 * Open to anyone, without a bounty. Two keepers at once do no harm: the second one's plan fails in its simulation.
 */
export class BalancingKeeper {
  readonly #context: BalancingContext;
  readonly #leases: LeaseIndex;
  /** When each lease was first seen, chain time. */
  readonly #seen = new Map<number, number>();
  #lastWhy = "";

  constructor(context: BalancingContext) {
    this.#context = context;
    this.#leases = new LeaseIndex(context.reader);
  }

  /** What it would do now, and why. Sends nothing. */
  async look(): Promise<BalancingPlan> {
    return planBalancing(await this.#view(), this.#context.hysteresis, MOST_MOVES);
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
    const posted = await sender.send(`move ${moves.length} leases`, async () => {
      // Planned anew right before it is sent: reports may have come meanwhile.
      const now = await this.look();
      if (now.moves.length === 0) return null;
      return balancer.move.populateTransaction(now.moves.map(({ leaseId, units }) => ({ leaseId, units })));
    });
    return posted || sent;
  }

  async #view(): Promise<BalancingView> {
    const { reader } = this.#context;
    const { block } = await this.#leases.refresh();
    const [all, reportStates, totals, values, frozen, classes] = await Promise.all([
      reader.nodes(block),
      readReportStates(reader, block),
      readTotals(reader, block),
      reader.parameters(block),
      answer(reader.contracts.supply.frozen(blockTag(block))),
      reader.classes(block),
    ]);
    const standingOf = new Map(reportStates.map((reportState) => [reportState.nodeId, reportState]));
    const live = this.#leases.live().filter(({ status }) => status === "active" || status === "moving");
    for (const { id } of live) if (!this.#seen.has(id)) this.#seen.set(id, block.timestamp);
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
    const cooling = new Map<number, number>();
    for (const { id, nodeId, status } of live) {
      if (status === "active" && givers.has(nodeId)) cooling.set(id, await readCoolingUntil(reader, block, id));
    }
    const tasks = new Map<number, NonNullable<Awaited<ReturnType<Reader["task"]>>>>();
    for (const taskId of new Set(live.filter(({ nodeId }) => givers.has(nodeId)).map((lease) => lease.taskId))) {
      const task = await reader.task(block, taskId);
      if (task) tasks.set(taskId, task);
    }
    const joules = new Map<number, number>();
    for (const { id } of throttled ? classes : []) {
      const { baselineJoules } = await readClassEnergy(reader, block, id);
      if (baselineJoules > 0) joules.set(id, baselineJoules);
    }
    return {
      now: block.timestamp,
      load: totals.load,
      counted: totals.capacity,
      band: values.balanceBand,
      reportTimeout: values.reportTimeout,
      minLeaseTime: values.minLeaseTime,
      frozen,
      nodes: all.flatMap((node) => {
        const reportState = standingOf.get(node.id);
        const tickSize = classes.find(({ id }) => id === node.listing?.classId)?.tickSize ?? 0;
        const { outgoing = 0, incoming = 0 } = shifts.get(node.id) ?? {};
        return reportState
          ? [{ ...node, reportState, ask: (node.listing?.tick ?? 0) * tickSize, outgoing, incoming }]
          : [];
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
