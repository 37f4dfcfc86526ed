import { PRICE_UNIT } from "@verai/protocol/money/units";
import type { Lease, Node, ReportState, Task } from "@verai/client/entities";
import type { BalancingLease, BalancingNode, Move } from "@verai/protocol/balancing/model";
import type { BalancingWorth } from "@verai/protocol/balancing/worth";
import { planMoves } from "@verai/protocol/balancing/moves";
import { planRelief } from "@verai/protocol/balancing/relief";

/** What the balancing keeper sees of the chain, at one block. Times in seconds, loads in basis points. */
export interface BalancingView {
  readonly now: number;
  /** Sum of the loads over units of capacity, and the units that it is the sum of. */
  readonly load: number;
  readonly counted: number;
  readonly band: number;
  /** Load up to which a node takes new work whatever the average is. */
  readonly loadFloor: number;
  readonly reportTimeout: number;
  readonly minLeaseTime: number;
  /** A round or a batch of reassignments holds the listings. */
  readonly frozen: boolean;
  readonly nodes: readonly BalancingViewNode[];
  /** Leases that run or move. */
  readonly leases: readonly BalancingViewLease[];
  readonly tasks: ReadonlyMap<number, Pick<Task, "deadline" | "classes" | "maxPrice">>;
  /** What governance says that a unit takes in a class, joules; a class without a figure is left out. */
  readonly joules: ReadonlyMap<number, number>;
}

/** A node with what its reports say of it. */
export interface BalancingViewNode extends Pick<
  Node,
  "id" | "owner" | "classId" | "capacity" | "eligible" | "listing"
> {
  readonly reportState: ReportState;
  /** What it asks for a unit, micro-VER. */
  readonly ask: number;
  /** Units on their way from and to it that its last report may not show. */
  readonly outgoing: number;
  readonly incoming: number;
}

/** A lease that might move. */
export interface BalancingViewLease extends Pick<
  Lease,
  "id" | "taskId" | "nodeId" | "count" | "price" | "status" | "due"
> {
  /** Until when its range may not move again. */
  readonly coolingUntil: number;
  /** When it was first seen with this node; a report that is older does not show it. */
  readonly seenAt: number;
}

/** What the balancing keeper should do, and why. */
export interface BalancingPlan {
  readonly moves: readonly (Move & { readonly cause: "load" | "power" })[];
  /** Moving leases whose grace is over. */
  readonly handOvers: readonly number[];
  readonly why: string;
}

/** How a plan is bounded. */
export interface BalancingLimits {
  /** Basis points beyond the band from which on a node gives or takes. */
  readonly hysteresis: number;
  /** Moves in one plan. */
  readonly most: number;
  /** What moving for load is worth and costs, and the units that may move for it. Left out: whatever it costs. */
  readonly worth?: BalancingWorth;
  readonly mostUnits?: number;
}

/**
 * Plans by the chain's own rules: work leaves nodes above the band for nodes below it, and throttled nodes for the most
 * efficient classes. Who takes it is drawn; a plan has only moves that somebody can be drawn for. What moves for its load has
 * to gain more than it costs; throttled nodes are relieved in any case. Pure and level-triggered.
 */
export function planBalancing(view: BalancingView, limits: BalancingLimits): BalancingPlan {
  const { hysteresis, most, worth, mostUnits } = limits;
  const handOvers = view.leases.filter(({ status, due }) => status === "moving" && view.now > due).map(({ id }) => id);
  const idle = (why: string): BalancingPlan => ({ moves: [], handOvers, why });
  if (view.frozen) return idle("the listings are frozen");
  if (view.counted === 0) return idle("no node reports");
  const average = view.load / view.counted;
  const words = `the average load is ${percent(average)}, the band ${percent(view.band)} to either side`;
  const relief = planThrottled(view, average);
  const taken = new Map<number, number>();
  for (const { to, units } of relief) taken.set(to, (taken.get(to) ?? 0) + units);
  const nodes = view.nodes
    .filter(({ id, reportState }) => isReporting(view, reportState) && !reportState.throttled && !taken.has(id))
    .map((node) => toNode(view, node));
  const moves = planMoves(nodes, movable(view), {
    average,
    threshold: view.band,
    hysteresis,
    ...(worth && { worth, refill: Math.max(view.loadFloor, average + view.band) }),
    ...(mostUnits !== undefined && { mostUnits }),
  });
  const all = [
    ...relief.map((move) => ({ ...move, cause: "power" as const })),
    ...moves.map((move) => ({ ...move, cause: "load" as const })),
  ].filter((move) => canBeDrawn(view, move));
  return {
    moves: all.slice(0, most),
    handOvers,
    why: all.length > 0 ? words : `nothing to move${worth ? " that gains more than it costs" : ""}: ${words}`,
  };
}

/**
 * Moves of the throttled nodes' work, with the node that each is planned for. O(nodes + leases), and O(nodes) for each node that
 * is throttled.
 */
function planThrottled(view: BalancingView, average: number): Move[] {
  const throttled = view.nodes.filter(({ reportState }) => reportState.throttled && isReporting(view, reportState));
  const room = new Map(
    view.nodes
      .filter(({ reportState, eligible }) => eligible && !reportState.throttled && isReporting(view, reportState))
      .map((node) => {
        const unit = 10_000 / node.capacity;
        const within = Math.floor((average + view.band - node.reportState.load - node.incoming * unit) / unit);
        return [node.id, Math.max(0, Math.min(node.listing?.units ?? 0, within))];
      }),
  );
  const ownOf = Map.groupBy(throttled.length === 0 ? [] : movable(view), ({ nodeId }) => nodeId);
  return throttled.flatMap((node) => {
    const joulesOf = (classId: number | undefined) => view.joules.get(classId ?? -1) ?? Infinity;
    const targets = view.nodes
      .filter(({ id }) => (room.get(id) ?? 0) > 0)
      .map(({ id, listing }) => ({ id, free: room.get(id) ?? 0, joules: joulesOf(listing?.classId) }));
    const own = ownOf.get(node.id) ?? [];
    const moves = planRelief(joulesOf(node.classId), own, targets);
    for (const { to, units } of moves) room.set(to, (room.get(to) ?? 0) - units);
    return moves;
  });
}

function toNode(view: BalancingView, node: BalancingViewNode): BalancingNode {
  const { id, capacity, eligible, listing, reportState, outgoing, incoming } = node;
  const shown = (indexOf(view).lastSeen.get(id) ?? -Infinity) < reportState.at;
  return {
    id,
    load: reportState.load,
    // A unit's worth as the contract reckons it.
    unitLoad: 10_000 / capacity,
    free: listing?.units ?? 0,
    settled: outgoing === 0 && incoming === 0 && shown,
    eligible: eligible && listing !== undefined,
  };
}

function movable(view: BalancingView): BalancingLease[] {
  return view.leases.map((lease) => {
    const task = view.tasks.get(lease.taskId);
    const inTime = task !== undefined && view.now + view.minLeaseTime <= task.deadline;
    return {
      id: lease.id,
      nodeId: lease.nodeId,
      units: lease.count,
      price: lease.price / 1e6,
      movable: lease.status === "active" && inTime && view.now >= lease.coolingUntil,
      accepts: (target) => mayTake(view, lease, lease.count, target),
    };
  });
}

/** Whether the draw for these units can come to the node that they are planned for. */
function canBeDrawn(view: BalancingView, { leaseId, to, units }: Move): boolean {
  const lease = indexOf(view).leases.get(leaseId);
  return lease !== undefined && mayTake(view, lease, units, to);
}

/**
 * Whether a node may take units of a lease: it is of another owner, of a class that the task accepts, and asks no more than the
 * lease is paid, or than one class alone lists the units for.
 */
function mayTake(view: BalancingView, lease: BalancingViewLease, units: number, target: number): boolean {
  const task = view.tasks.get(lease.taskId);
  const { nodes } = indexOf(view);
  const [node, source] = [nodes.get(target), nodes.get(lease.nodeId)];
  const accepted = task?.classes.find(({ classId }) => classId === node?.listing?.classId);
  if (!task || !node || !accepted || node.owner === source?.owner) return false;
  const cost = BigInt(node.ask) * PRICE_UNIT + accepted.surcharge;
  if (cost > task.maxPrice) return false;
  const market = marketOf(view, task, lease.nodeId, units) ?? marketOf(view, task, lease.nodeId, 1);
  return node.ask <= lease.price || (market !== undefined && cost <= market);
}

/** Lowest price in wei, surcharge included, at which one class alone lists this many units, the source's own left out. */
function marketOf(view: BalancingView, task: Pick<Task, "classes">, source: number, units: number): bigint | undefined {
  const prices = task.classes.flatMap(({ classId, surcharge }) => {
    let left = units;
    for (const { id, ask, listing } of indexOf(view).listed.get(classId) ?? []) {
      if (id === source) continue;
      left -= listing?.units ?? 0;
      if (left <= 0) return [BigInt(ask) * PRICE_UNIT + surcharge];
    }
    return [];
  });
  return prices.reduce<bigint | undefined>(
    (least, price) => (least === undefined || price < least ? price : least),
    undefined,
  );
}

interface ViewIndex {
  readonly nodes: ReadonlyMap<number, BalancingViewNode>;
  readonly leases: ReadonlyMap<number, BalancingViewLease>;
  /** When a lease of each node was last seen first. */
  readonly lastSeen: ReadonlyMap<number, number>;
  /** Listed nodes by class, the cheapest first. */
  readonly listed: ReadonlyMap<number | undefined, readonly BalancingViewNode[]>;
}

const indices = new WeakMap<BalancingView, ViewIndex>();

/** A view by its ids; made once, so that a plan is not quadratic in nodes and leases. */
function indexOf(view: BalancingView): ViewIndex {
  const known = indices.get(view);
  if (known) return known;
  const lastSeen = new Map<number, number>();
  for (const { nodeId, seenAt } of view.leases)
    lastSeen.set(nodeId, Math.max(seenAt, lastSeen.get(nodeId) ?? -Infinity));
  const listed = Map.groupBy(
    view.nodes.filter(({ listing }) => listing !== undefined).sort((a, b) => a.ask - b.ask),
    ({ listing }) => listing?.classId,
  );
  const index = {
    nodes: new Map(view.nodes.map((node) => [node.id, node])),
    leases: new Map(view.leases.map((lease) => [lease.id, lease])),
    ...{ lastSeen, listed },
  };
  indices.set(view, index);
  return index;
}

function isReporting(view: BalancingView, { counted, at }: ReportState): boolean {
  return counted && view.now <= at + view.reportTimeout;
}

function percent(bps: number): string {
  return `${(bps / 100).toFixed(1)} %`;
}
