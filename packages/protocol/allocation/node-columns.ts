/* Indices run over arrays of one length, and ticks are checked before they index: every "!" in this file exists. */
import { TICKS } from "../money/units.ts";
import { requireWhole } from "./refusal.ts";

/** A node as it is listed: frozen while a round is open. */
export interface ListedNode {
  readonly id: number;
  /** Tick of its ask: the price is tick × tick size. */
  readonly tick: number;
  /** Free units that are listed, at least 1. */
  readonly units: number;
  /** Place in the array of its class's nodes at its tick, from 0. */
  readonly position: number;
}

/** Ids, units and positions are stored with 32 bits, on chain and here. */
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * The nodes of a class, value by value, in the order of its list. Planning goes through all nodes several times; columns
 * are read in sequence where objects lie scattered in memory.
 */
export interface NodeColumns {
  readonly ids: Uint32Array;
  readonly ticks: Uint16Array;
  readonly units: Uint32Array;
  readonly positions: Uint32Array;
}

const kept = new WeakMap<readonly ListedNode[], NodeColumns>();

/**
 * The columns of a class's nodes, made once for each list. O(nodes).
 *
 * @param label - What messages call the class.
 * @throws Refusal `InvalidRound` if a value is no whole number within the protocol's bounds.
 */
export function columnsOf(nodes: readonly ListedNode[], label: () => string): NodeColumns {
  const known = kept.get(nodes);
  if (known) return known;
  const columns: NodeColumns = {
    ids: new Uint32Array(nodes.length),
    ticks: new Uint16Array(nodes.length),
    units: new Uint32Array(nodes.length),
    positions: new Uint32Array(nodes.length),
  };
  const { ids, ticks, units, positions } = columns;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    ids[i] = node.id;
    ticks[i] = node.tick;
    units[i] = node.units;
    positions[i] = node.position;
    // What is no whole number of these widths is stored as another one.
    const same =
      ids[i] === node.id && ticks[i] === node.tick && units[i] === node.units && positions[i] === node.position;
    if (!same || node.id === 0 || node.units === 0 || node.tick >= TICKS) refuseNode(node, label());
  }
  kept.set(nodes, columns);
  return columns;
}

function refuseNode({ id, tick, units, position }: ListedNode, label: string): void {
  requireWhole(id, 1, MAX_UINT32, `a node's id in ${label}`);
  requireWhole(tick, 0, TICKS - 1, `the tick of node ${id}`);
  requireWhole(units, 1, MAX_UINT32, `the units of node ${id}`);
  requireWhole(position, 0, MAX_UINT32, `the position of node ${id}`);
}
