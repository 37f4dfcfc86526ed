import type { Hindrance, NodeState } from "@verai/protocol/allocation/explain/node";
import type { Node, NodeClass } from "./entities.ts";

/**
 * Nodes as explanations of a round take them. Pure; O(nodes + classes).
 *
 * @param now Time of the block that they were read at, seconds.
 * @param throttled Ids of nodes that are throttled.
 */
export function nodeStates(
  nodes: readonly Node[],
  classes: readonly NodeClass[],
  now: number,
  throttled: ReadonlySet<number> = new Set(),
): NodeState[] {
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
      hindrances: hindrancesOf(node, now, throttled.has(node.id)),
    };
  });
}

/** What keeps a node out of the market: what its registration says, and its last report. */
function hindrancesOf({ status, cooldownUntil, eligible }: Node, now: number, throttled: boolean): Hindrance[] {
  const found: Hindrance[] = [];
  if (status === "draining") found.push({ kind: "draining" });
  else if (status !== "active") found.push({ kind: "gone" });
  if (cooldownUntil > now) found.push({ kind: "coolingDown", until: cooldownUntil });
  if (throttled) found.push({ kind: "throttled" });
  else if (!eligible) found.push({ kind: "ineligible" });
  return found;
}
