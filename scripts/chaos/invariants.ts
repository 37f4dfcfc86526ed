import type { Checkpoint, Lease, Node, Task } from "@verai/client/entities";

/** All that the invariants are about, at one block. Money in wei. */
export interface ChainState {
  readonly block: number;
  readonly tasks: readonly Task[];
  readonly nodes: readonly Node[];
  readonly leases: readonly Lease[];
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  /** Of each moving lease, by its id: how many of its units leave its node when it is handed over. */
  readonly departures?: ReadonlyMap<number, number>;
  readonly supply: bigint;
  /** VER that the vault holds. */
  readonly balance: bigint;
  readonly totals: {
    readonly escrow: bigint;
    readonly stake: bigint;
    readonly claimable: bigint;
    readonly bountyPool: bigint;
  };
  /** Each account of the ledgers added up. */
  readonly sums: { readonly escrow: bigint; readonly stake: bigint; readonly claimable: bigint };
}

/** Leases that hold their units. */
const HOLDING = ["active", "moving", "delivered", "disputed"];

/**
 * What is wrong with a state, and with how it came out of the one before; empty if nothing is. Pure;
 * O(units + leases + nodes).
 */
export function violations(state: ChainState, before: ChainState | undefined): string[] {
  return [
    ...money(state, before),
    ...state.tasks.flatMap((task) => unitsOf(task, state.leases)),
    ...fences(state.leases),
    ...state.nodes.flatMap((node) => capacity(node, state)),
    ...moves(state),
    ...(before ? progress(state, before) : []),
  ];
}

/**
 * Leases that expired, where none may: with a grace longer than any fault, nobody who comes back is to lose one. Pure; O(leases).
 */
export function expired(state: Pick<ChainState, "leases">): string[] {
  return state.leases
    .filter(({ status }) => status === "expired")
    .map(
      ({ id, nodeId }) => `lease ${String(id)} of node ${String(nodeId)} expired, though no fault outlasts the grace`,
    );
}

/**
 * Leases that expired since the state before, of nodes that nothing hit in the time in which it could have cost them the lease.
 * Pure; O(leases).
 *
 * @param wasInOrder Whether nothing hit a node for an interval and a grace.
 */
export function expiredInOrder(
  { leases }: Pick<ChainState, "leases">,
  before: Pick<ChainState, "leases"> | undefined,
  wasInOrder: (nodeId: number) => boolean,
): string[] {
  const known = new Set(before?.leases.filter(({ status }) => status === "expired").map(({ id }) => id));
  return leases
    .filter(({ id, nodeId, status }) => status === "expired" && !known.has(id) && wasInOrder(nodeId))
    .map(({ id, nodeId }) => `lease ${String(id)} expired, though nothing had hit its node ${String(nodeId)}`);
}

function money({ balance, totals, sums, supply }: ChainState, before: ChainState | undefined): string[] {
  const total = totals.escrow + totals.stake + totals.claimable + totals.bountyPool;
  const wrong: string[] = [];
  if (balance !== total) wrong.push(`the vault holds ${String(balance)} wei, its totals say ${String(total)}`);
  for (const name of ["escrow", "stake", "claimable"] as const) {
    if (sums[name] !== totals[name]) {
      wrong.push(`the accounts of ${name} add up to ${String(sums[name])}, its total says ${String(totals[name])}`);
    }
  }
  if (before && supply !== before.supply)
    wrong.push(`the supply went from ${String(before.supply)} to ${String(supply)}`);
  return wrong;
}

function unitsOf(task: Task, leases: readonly Lease[]): string[] {
  const name = `task ${String(task.id)}`;
  const wrong: string[] = [];
  const sum = task.openUnits + task.leasedUnits + task.paidUnits + task.refundedUnits;
  if (sum !== task.units) wrong.push(`${name} accounts for ${String(sum)} of its ${String(task.units)} units`);
  const holders = new Map<number, number>();
  let held = 0;
  let paid = 0;
  for (const { id, start, count, status, taskId } of leases) {
    if (taskId !== task.id || !(HOLDING.includes(status) || status === "paid")) continue;
    if (status === "paid") paid += count;
    else held += count;
    for (let unit = start; unit < start + count; unit++) {
      const other = holders.get(unit);
      if (other !== undefined)
        wrong.push(`unit ${String(unit)} of ${name} is held by leases ${String(other)} and ${String(id)}`);
      holders.set(unit, id);
      if (unit >= task.units) wrong.push(`lease ${String(id)} holds unit ${String(unit)} that ${name} does not have`);
    }
  }
  // Orphaned ranges count as leased, while no lease holds them.
  if (held > task.leasedUnits)
    wrong.push(`leases hold ${String(held)} units of ${name}, it counts ${String(task.leasedUnits)}`);
  if (paid !== task.paidUnits)
    wrong.push(`${String(paid)} units of ${name} are paid, it counts ${String(task.paidUnits)}`);
  return wrong;
}

function fences(leases: readonly Lease[]): string[] {
  const byId = new Map(leases.map((lease) => [lease.id, lease]));
  return leases.flatMap(({ id, parent, fence, start, count, taskId }) => {
    if (parent === 0) return [];
    const before = byId.get(parent);
    if (!before) return [`lease ${String(id)} comes after lease ${String(parent)}, which is not there`];
    const wrong: string[] = [];
    if (fence <= before.fence) {
      wrong.push(
        `lease ${String(id)} has fence ${String(fence)}, not above ${String(before.fence)} of lease ${String(parent)}`,
      );
    }
    if (HOLDING.includes(before.status) || before.status === "paid") {
      wrong.push(`lease ${String(id)} comes after lease ${String(parent)}, which is ${before.status}`);
    }
    if (before.taskId !== taskId || start < before.start || start + count > before.start + before.count) {
      wrong.push(`lease ${String(id)} has units that lease ${String(parent)} did not have`);
    }
    return wrong;
  });
}

/**
 * A node counts as leased: the units of its active leases, and those of its moving ones until they are handed over. Delivered
 * and disputed ones it counts apart.
 */
function capacity(node: Node, { leases }: ChainState): string[] {
  const name = `node ${String(node.id)}`;
  const own = leases.filter(({ nodeId }) => nodeId === node.id);
  const unitsIn = (...statuses: string[]) =>
    own.filter(({ status }) => statuses.includes(status)).reduce((sum, { count }) => sum + count, 0);
  const held = unitsIn("active", "moving");
  const undecided = unitsIn("delivered", "disputed");
  const wrong: string[] = [];
  if (undecided !== node.undecided) {
    wrong.push(`${name} has ${String(undecided)} units to be decided, it counts ${String(node.undecided)}`);
  }
  if (held !== node.leased) wrong.push(`${name} holds ${String(held)} units, it counts ${String(node.leased)}`);
  if (held > node.capacity) wrong.push(`${name} holds ${String(held)} units of ${String(node.capacity)} that it can`);
  if ((node.listing?.units ?? 0) + node.leased > node.capacity) {
    wrong.push(`${name} lists ${String(node.listing?.units ?? 0)} units beside ${String(held)} that it holds`);
  }
  return wrong;
}

function moves({ leases, departures = new Map() }: ChainState): string[] {
  return leases
    .filter(({ status }) => status === "moving")
    .flatMap(({ id, count }) => {
      const units = departures.get(id) ?? 0;
      return units >= 1 && units <= count
        ? []
        : [`lease ${String(id)} moves ${String(units)} of ${String(count)} units`];
    });
}

function progress({ checkpoints, leases }: ChainState, before: ChainState): string[] {
  const wrong: string[] = [];
  for (const [leaseId, was] of before.checkpoints) {
    const now = checkpoints.get(leaseId);
    if (!now || now.sequence < was.sequence || now.progress < was.progress) {
      wrong.push(`the newest checkpoint of lease ${String(leaseId)} went back`);
    }
  }
  if (leases.length < before.leases.length) wrong.push("leases have disappeared");
  return wrong;
}
