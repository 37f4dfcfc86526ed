import type { Lease, Node, NodeStanding, Task } from "@verai/client/entities";
import type { BalanceLease, BalanceNode, Move } from "@verai/protocol/balance/moves";
import { planMoves } from "@verai/protocol/balance/moves";
import { planRelief } from "@verai/protocol/balance/relief";

/** What the balance keeper sees of the chain, at one block. Times in seconds, loads in basis points. */
export interface BalanceView {
  readonly now: number;
  /** Sum of the loads over units of capacity, and the units that it is the sum of. */
  readonly load: number;
  readonly counted: number;
  readonly band: number;
  readonly reportTimeout: number;
  readonly minLeaseTime: number;
  /** A round or a batch of reassignments holds the listings. */
  readonly frozen: boolean;
  readonly nodes: readonly BalanceViewNode[];
  /** Leases that run or move. */
  readonly leases: readonly BalanceViewLease[];
  readonly tasks: ReadonlyMap<number, Task>;
}

/** A node with what its reports say of it. */
export interface BalanceViewNode extends Pick<Node, "id" | "capacity" | "fit" | "listing"> {
  readonly standing: NodeStanding;
  /** What it asks for a unit, micro-VER. */
  readonly ask: number;
  /** Units on their way from and to it that its last report may not show. */
  readonly outgoing: number;
  readonly incoming: number;
}

/** A lease that might move. */
export interface BalanceViewLease extends Pick<Lease, "id" | "taskId" | "nodeId" | "count" | "status" | "due"> {
  /** Until when its range may not move again. */
  readonly coolingUntil: number;
  /** When it was first seen with this node; a report that is older does not show it. */
  readonly seenAt: number;
}

/** What the balance keeper should do, and why. */
export interface BalancePlan {
  readonly moves: readonly (Move & { readonly cause: "load" | "power" })[];
  /** Moving leases whose grace is over. */
  readonly handOvers: readonly number[];
  readonly why: string;
}

/**
 * Plans by the chain's own rules: work leaves nodes above the band for nodes below it, and throttled nodes for nodes that
 * are at least as efficient. Pure and level-triggered.
 *
 * @param hysteresis Basis points beyond the band from which on a node gives or takes.
 * @param most Moves in one plan.
 */
export function planBalance(view: BalanceView, hysteresis: number, most: number): BalancePlan {
  const handOvers = view.leases.filter(({ status, due }) => status === "moving" && view.now > due).map(({ id }) => id);
  const idle = (why: string): BalancePlan => ({ moves: [], handOvers, why });
  if (view.frozen) return idle("the listings are frozen");
  if (view.counted === 0) return idle("no node reports");
  const average = view.load / view.counted;
  const words = `the average load is ${percent(average)}, the band ${percent(view.band)} to either side`;
  const relief = planThrottled(view, average);
  const taken = new Map<number, number>();
  for (const { to, units } of relief) taken.set(to, (taken.get(to) ?? 0) + units);
  const nodes = view.nodes
    .filter(({ id, standing }) => isReporting(view, standing) && !standing.throttled && !taken.has(id))
    .map((node) => toNode(view, node));
  const moves = planMoves(nodes, movable(view), { average, threshold: view.band, hysteresis });
  const all = [
    ...relief.map((move) => ({ ...move, cause: "power" as const })),
    ...moves.map((move) => ({ ...move, cause: "load" as const })),
  ];
  return { moves: all.slice(0, most), handOvers, why: all.length > 0 ? words : `nothing to move: ${words}` };
}

/** Moves of the throttled nodes' work. */
function planThrottled(view: BalanceView, average: number): Move[] {
  const throttled = view.nodes.filter(({ standing }) => standing.throttled && isReporting(view, standing));
  const room = new Map(
    view.nodes
      .filter(({ standing, fit }) => fit && !standing.throttled && isReporting(view, standing))
      .map((node) => {
        const unit = 10_000 / node.capacity;
        const within = Math.floor((average + view.band - node.standing.load - node.incoming * unit) / unit);
        return [node.id, Math.max(0, Math.min(node.listing?.units ?? 0, within))];
      }),
  );
  const leases = movable(view);
  return throttled.flatMap((node) => {
    const targets = view.nodes
      .filter(({ id }) => (room.get(id) ?? 0) > 0)
      .map(({ id, standing }) => ({ id, free: room.get(id) ?? 0, unitPower: standing.unitPower }));
    const own = leases.filter(({ nodeId }) => nodeId === node.id);
    const moves = planRelief(node.standing.unitPower, own, targets);
    for (const { to, units } of moves) room.set(to, (room.get(to) ?? 0) - units);
    return moves;
  });
}

function toNode(view: BalanceView, node: BalanceViewNode): BalanceNode {
  const { id, capacity, fit, listing, standing, outgoing, incoming } = node;
  const shown = view.leases.every(({ nodeId, seenAt }) => nodeId !== id || seenAt < standing.at);
  return {
    id,
    load: standing.load,
    // A unit's worth as the contract reckons it.
    unitLoad: 10_000 / capacity,
    free: listing?.units ?? 0,
    settled: outgoing === 0 && incoming === 0 && shown,
    eligible: fit && listing !== undefined,
  };
}

function movable(view: BalanceView): BalanceLease[] {
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  return view.leases.map(({ id, nodeId, taskId, count, status, coolingUntil }) => {
    const task = view.tasks.get(taskId);
    const inTime = task !== undefined && view.now + view.minLeaseTime <= task.deadline;
    return {
      id,
      nodeId,
      units: count,
      movable: status === "active" && inTime && view.now >= coolingUntil,
      accepts: (target) => {
        const node = nodes.get(target);
        const accepted = task?.classes.find(({ classId }) => classId === node?.listing?.classId);
        return !!task && !!node && !!accepted && BigInt(node.ask) * 10n ** 12n + accepted.surcharge <= task.maxPrice;
      },
    };
  });
}

function isReporting(view: BalanceView, { counted, at }: NodeStanding): boolean {
  return counted && view.now <= at + view.reportTimeout;
}

function percent(bps: number): string {
  return `${(bps / 100).toFixed(1)} %`;
}
