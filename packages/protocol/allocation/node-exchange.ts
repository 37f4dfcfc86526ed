import { effect, type Exchange } from "./exchange.ts";
import type { Problem, Round } from "./model.ts";

/** Units of a task that a node runs. */
export interface Placement {
  readonly taskId: number;
  readonly nodeId: number;
  readonly units: number;
}

/** Units of a task that change places. Places are ids of nodes; undefined: they are, or stay, open. */
export interface NodeMove {
  readonly taskId: number;
  readonly units: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** A change that makes an allocation cheaper, told by its nodes. Made as a whole. */
export interface NodeExchange {
  readonly moves: readonly NodeMove[];
  /** What it saves in all: micro-VER × 1024, dither included. Above 0. */
  readonly saving: bigint;
  /** Such as "3 units of task 7 move from node 12 to node 4: saves 0.006 VER". */
  readonly words: string;
}

/** Units on one node, of a task or of none. */
interface Piece {
  readonly taskId: number;
  readonly nodeId: number;
  readonly price: number;
  units: number;
}

/** Moves that words name before they only count. */
const NAMED = 8;

/**
 * Tells an exchange between classes as one between nodes: who leaves a class gives up the dearest node that its task has
 * there, and who comes takes what has been given up, or the cheapest units that nobody uses. Where a class ends up with
 * fewer units, its dearest node is left: if it is another task that stands there, that one moves to the node given up.
 *
 * O(placements × moves + nodes × log(nodes)).
 *
 * @param placements - In each class the cheapest units are used; their sums are the solution that the exchange improves.
 */
export function betweenNodes(
  round: Round,
  problem: Problem,
  placements: readonly Placement[],
  exchange: Exchange,
): NodeExchange {
  const { units } = exchange;
  const supply = suppliesOf(round, placements);
  const columnAt = (task: number, place: number | undefined): number | undefined =>
    place === undefined ? undefined : problem.tasks[task]?.choices[place]?.column;
  const taskId = (task: number): number => problem.tasks[task]?.id ?? 0;

  const given = exchange.moves.map(({ task, from }) => {
    const column = columnAt(task, from);
    return column === undefined
      ? undefined
      : take(supply[column]?.used ?? [], units, (each) => each.taskId === taskId(task));
  });
  /** What can be taken in each class. */
  const free = new Map<number, Piece[]>();
  exchange.moves.forEach(({ task, from }, i) => {
    const column = columnAt(task, from);
    if (column !== undefined)
      free.set(column, [...(free.get(column) ?? []), ...(given[i] ?? []).map((each) => ({ ...each }))]);
  });
  if (exchange.draws !== undefined) free.set(exchange.draws, take(supply[exchange.draws]?.unused ?? [], units));
  const moves: NodeMove[] = [];
  if (exchange.returns !== undefined) {
    moves.push(...fillUp(free.get(exchange.returns) ?? [], supply[exchange.returns]?.used ?? []));
  }
  exchange.moves.forEach(({ task, to }, i) => {
    const column = columnAt(task, to);
    const taken = column === undefined ? undefined : take(free.get(column) ?? [], units);
    moves.push(...pair(taskId(task), units, given[i], taken));
  });
  const { saving, money } = exchange;
  return { moves, saving, words: wordsOf(moves, money) };
}

/** An exchange, told by its moves and what they save, micro-VER. */
export function wordsOf(moves: readonly NodeMove[], money: bigint): string {
  const named = moves.slice(0, NAMED).map(describe);
  const more = moves.length - named.length;
  if (more > 0) named.push(`and ${more} more ${more === 1 ? "move" : "moves"} like these`);
  return `${named.join(", ")}: ${effect(money)}`;
}

/** Of each class what is used, dearest first, and what is not, cheapest first. */
function suppliesOf(round: Round, placements: readonly Placement[]): { used: Piece[]; unused: Piece[] }[] {
  const byNode = Map.groupBy(placements, ({ nodeId }) => nodeId);
  return round.classes.map(({ nodes, tickSize }) => {
    const sorted = nodes.toSorted((a, b) => a.tick - b.tick || a.position - b.position);
    const used: Piece[] = [];
    const unused: Piece[] = [];
    for (const { id: nodeId, tick, units } of sorted) {
      const price = tick * tickSize;
      const held = byNode.get(nodeId) ?? [];
      used.push(...held.map(({ taskId, units: its }) => ({ taskId, nodeId, price, units: its })));
      const left = held.reduce((sum, each) => sum - each.units, units);
      if (left > 0) unused.push({ taskId: 0, nodeId, price, units: left });
    }
    return { used: used.reverse(), unused };
  });
}

/** Takes units from the first pieces that fit. */
function take(pieces: Piece[], units: number, fits: (piece: Piece) => boolean = () => true): Piece[] {
  const taken: Piece[] = [];
  let left = units;
  for (const piece of pieces) {
    if (left === 0) break;
    if (piece.units === 0 || !fits(piece)) continue;
    const amount = Math.min(piece.units, left);
    piece.units -= amount;
    left -= amount;
    taken.push({ ...piece, units: amount });
  }
  return taken;
}

/** Moves units from nodes that are dearer to what was given up on cheaper ones. */
function fillUp(given: Piece[], used: Piece[]): NodeMove[] {
  const moves: NodeMove[] = [];
  for (const hole of given.sort((a, b) => a.price - b.price)) {
    for (const dearer of take(used, hole.units, ({ price }) => price > hole.price)) {
      hole.units -= dearer.units;
      moves.push({ taskId: dearer.taskId, units: dearer.units, from: dearer.nodeId, to: hole.nodeId });
    }
  }
  return moves;
}

/** One move for each pair of nodes that a task's units leave and come to. */
function pair(taskId: number, units: number, from: Piece[] | undefined, to: Piece[] | undefined): NodeMove[] {
  const moves: NodeMove[] = [];
  const queue = (pieces: Piece[] | undefined): { nodeId: number | undefined; units: number }[] =>
    pieces?.map(({ nodeId, units: its }) => ({ nodeId, units: its })) ?? [{ nodeId: undefined, units }];
  const [leaving, coming] = [queue(from), queue(to)];
  for (let [a, b] = [leaving.shift(), coming.shift()]; a && b;) {
    const amount = Math.min(a.units, b.units);
    // A unit that leaves a node for the same node stays where it is.
    if (a.nodeId !== b.nodeId) moves.push({ taskId, units: amount, from: a.nodeId, to: b.nodeId });
    a.units -= amount;
    b.units -= amount;
    if (a.units === 0) a = leaving.shift();
    if (b.units === 0) b = coming.shift();
  }
  return moves;
}

function describe({ taskId, units, from, to }: NodeMove): string {
  const one = units === 1;
  const who = `${units} ${from === undefined ? "open " : ""}${one ? "unit" : "units"} of task ${taskId}`;
  if (from === undefined) return `${who} ${one ? "goes" : "go"} to node ${to ?? 0}`;
  if (to === undefined) return `${who} ${one ? "leaves" : "leave"} node ${from} and ${one ? "stays" : "stay"} open`;
  return `${who} ${one ? "moves" : "move"} from node ${from} to node ${to}`;
}
