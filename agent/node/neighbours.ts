import type { Lease, Node } from "@verai/client/entities";
import { FINAL_LEASE_STATUSES } from "@verai/client/enums";
import { FIRST_NEIGHBOURS } from "@verai/checkpoint-store/peers";
import { rankHolders } from "../replication/holders.ts";

/** Leases for which holders are reckoned; each takes a hash for each active node. */
const MAX_RANKED = 8;
/** Holders of each of the own leases: those that are asked first. */
const HOLDERS = 3;

/** What neighbours are chosen by. */
export interface NeighbourView {
  /** The own node. */
  readonly nodeId: number;
  readonly nodes: readonly Pick<Node, "id" | "status" | "endpoint">[];
  readonly leases: readonly Pick<Lease, "id" | "taskId" | "nodeId" | "status">[];
  /** Leases whose checkpoints this node holds copies of. */
  readonly held: ReadonlySet<number>;
}

/**
 * The nodes to be connected to, the most important first: those that hold the checkpoints of this node's leases, those
 * whose checkpoints it holds itself, those that worked or work on the same tasks; {@link FIRST_NEIGHBOURS} at most by
 * reason, and after them all others, of which the store takes a few at random. Pure; O(nodes + leases).
 */
export function chooseNeighbours({ nodeId, nodes, leases, held }: NeighbourView): number[] {
  const reachable = nodes.filter(
    ({ id, status, endpoint }) => id !== nodeId && endpoint !== "" && (status === "active" || status === "draining"),
  );
  const known = new Set(reachable.map(({ id }) => id));
  const active = reachable.filter(({ status }) => status === "active").map(({ id }) => id);
  const own = leases.filter((lease) => lease.nodeId === nodeId && !FINAL_LEASE_STATUSES.includes(lease.status));
  const tasks = new Set(own.map(({ taskId }) => taskId));
  const byReason = [
    ...own.slice(-MAX_RANKED).flatMap(({ id }) => rankHolders(id, nodeId, active).slice(0, HOLDERS)),
    ...leases.filter(({ id }) => held.has(id)).map((lease) => lease.nodeId),
    // The newest first: a range that changed hands is resumed from its last node's checkpoints.
    ...leases
      .filter(({ taskId }) => tasks.has(taskId))
      .map((lease) => lease.nodeId)
      .reverse(),
  ];
  const first = [...new Set(byReason)].filter((id) => known.has(id)).slice(0, FIRST_NEIGHBOURS);
  const chosen = new Set(first);
  return [...first, ...reachable.map(({ id }) => id).filter((id) => !chosen.has(id))];
}

/** Leases of which a store holds copies, by the labels of its pins. */
export function heldLeases(pins: readonly { readonly labels: readonly string[] }[]): Set<number> {
  const ids = pins.flatMap(({ labels }) => labels.map((label) => /^(?:attested|replica)-(\d+)$/.exec(label)?.[1]));
  return new Set(ids.filter((id) => id !== undefined).map(Number));
}
