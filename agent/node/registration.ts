import type { Node } from "@verai/client/entities";

/** What the agent's owner wants the node to be. Money in wei. */
export interface WantedNode {
  readonly endpoint: string;
  /** Why the machine can take no new leases for now; undefined if it can. */
  readonly ineligible?: string | undefined;
  /** Whether it is the owner who drains the node: then it stays so. */
  readonly drained?: boolean;
}

/** What has to be done for the node on chain to be what the agent needs. */
export type NodeStep =
  | { readonly kind: "setEndpoint"; readonly why: string }
  | { readonly kind: "drain"; readonly why: string }
  | { readonly kind: "resume"; readonly why: string }
  | { readonly kind: "sync"; readonly why: string };

/**
 * Compares the node on chain with what it should be. Pure.
 *
 * @param free Units that the node could list now: {@link freeUnits}.
 * @param now Chain time, seconds.
 * @param frozen Whether a round holds the listings.
 */
export function planNode(node: Node, wanted: WantedNode, free: number, now: number, frozen: boolean): NodeStep[] {
  const steps: NodeStep[] = [];
  if (node.endpoint !== wanted.endpoint) {
    steps.push({ kind: "setEndpoint", why: `peers are told ${node.endpoint === "" ? "nothing" : node.endpoint}` });
  }
  if (wanted.ineligible !== undefined) {
    return node.status === "active" ? [...steps, { kind: "drain", why: wanted.ineligible }] : steps;
  }
  if (node.status === "draining" && wanted.drained !== true) steps.push({ kind: "resume", why: "the agent is back" });
  const listed = node.listing?.units ?? 0;
  // What its reports keep out of new work is not listed, no matter who asks for it.
  if (node.status === "active" && node.eligible && !frozen && now >= node.cooldownUntil && listed < free) {
    steps.push({ kind: "sync", why: `${String(listed)} units are listed where ${String(free)} are free` });
  }
  return steps;
}

/** Units that a node could list: capacity not leased, as far as the stake covers it beside what is leased or undecided. */
export function freeUnits(node: Node, stakePerUnit: bigint): number {
  const covered = Number(node.stake / stakePerUnit);
  return Math.max(0, Math.min(node.capacity, covered - node.undecided) - node.leased);
}
