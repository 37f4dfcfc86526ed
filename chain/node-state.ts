import type { Hindrance, NodeState } from "../protocol/allocation/explain/node.ts";
import type { Node, NodeClass } from "./entities.ts";

/**
 * Nodes as explanations of a round take them. Pure; O(nodes + classes).
 *
 * @param now Time of the block that they were read at, seconds.
 */
export function nodeStates(nodes: readonly Node[], classes: readonly NodeClass[], now: number): NodeState[] {
  const byId = new Map(classes.map((each) => [each.id, each]));
  return nodes.map((node) => {
    const its = byId.get(node.classId);
    return {
      id: node.id,
      classId: node.classId,
      ...(its && { className: its.name }),
      ask: node.askTick * (its?.tickSize ?? 0),
      capacity: node.capacity,
      leased: node.leased,
      hindrances: hindrancesOf(node, now),
    };
  });
}

/** What keeps a node out of the market, as far as its registration says. */
function hindrancesOf({ status, cooldownUntil }: Node, now: number): Hindrance[] {
  const found: Hindrance[] = [];
  if (status === "draining") found.push({ kind: "draining" });
  else if (status !== "active") found.push({ kind: "gone" });
  if (cooldownUntil > now) found.push({ kind: "coolingDown", until: cooldownUntil });
  return found;
}
