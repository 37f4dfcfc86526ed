import { FIRST_NEIGHBOURS } from "@verai/checkpoint-store/peers";

/** A node as far as being connected to it goes. */
export interface Neighbour {
  readonly nodeId: number;
  /** Multiaddrs, comma-separated. */
  readonly endpoint: string;
}

/** What neighbours are chosen by; in each list the most important first. */
export interface NeighbourView {
  /** The own node. */
  readonly nodeId: number;
  /** Those who may sign for the checkpoints of this node's leases. */
  readonly holders: readonly Neighbour[];
  /** Those whose checkpoints this node holds. */
  readonly producers: readonly Neighbour[];
  /** Some others of the network: latency is measured to them. */
  readonly sample: readonly Neighbour[];
}

/**
 * The nodes to be connected to: those that have to do with this node's work, at most {@link FIRST_NEIGHBOURS}, and after them
 * a sample of the others. Pure; O(neighbours), whatever the network's size.
 *
 * @returns Their addresses, the most important first.
 */
export function chooseNeighbours({ nodeId, holders, producers, sample }: NeighbourView): string[] {
  const chosen = new Map<number, string>();
  const add = (nodes: readonly Neighbour[], most: number): void => {
    for (const node of nodes) {
      if (chosen.size >= most) return;
      if (node.nodeId !== nodeId && node.endpoint !== "" && !chosen.has(node.nodeId))
        chosen.set(node.nodeId, node.endpoint);
    }
  };
  // Neither kind may take all the places.
  add(holders, FIRST_NEIGHBOURS / 2);
  add(producers, FIRST_NEIGHBOURS);
  add(holders, FIRST_NEIGHBOURS);
  add(sample, chosen.size + sample.length);
  return [...chosen.values()].flatMap((endpoint) => endpoint.split(",").filter((address) => address !== ""));
}

/** Leases of which a store holds copies, by the labels of its pins. */
export function heldLeases(pins: readonly { readonly labels: readonly string[] }[]): Set<number> {
  const ids = pins.flatMap(({ labels }) => labels.map((label) => /^(?:attested|replica)-(\d+)$/.exec(label)?.[1]));
  return new Set(ids.filter((id) => id !== undefined).map(Number));
}

/** Ids of a sample of nodes, at random and without the own one. Pure but for `random`. @param random Below 1. */
export function sampleIds(nodeCount: number, own: number, most: number, random: () => number = Math.random): number[] {
  const ids = new Set<number>();
  // All of a small network; of a large one hardly any is drawn twice.
  if (nodeCount <= 2 * most) for (let id = 1; id <= nodeCount; id++) ids.add(id);
  else for (let tries = 0; tries < 4 * most && ids.size < most; tries++) ids.add(drawn(own, nodeCount, random));
  ids.delete(own);
  return [...ids];
}

/** Any node but the own one: its neighbour is drawn in its place. */
function drawn(own: number, nodeCount: number, random: () => number): number {
  const id = 1 + Math.floor(random() * nodeCount);
  return id === own ? (id % nodeCount) + 1 : id;
}

/**
 * Whether a sample may soon be a better one: a network that has just begun has more nodes in a moment. In a large one some of those drawn
 * have left, and others would have as well. Pure.
 *
 * @param found Nodes of the sample that can be connected to.
 */
export function isSampleShort(nodeCount: number, found: number, most: number): boolean {
  return found === 0 || (nodeCount <= 2 * most && found < most);
}
