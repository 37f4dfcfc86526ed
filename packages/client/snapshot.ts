import type { ListedNode, Round, RoundClass, RoundTask } from "@verai/protocol/allocation/model";
import type { Node, NodeClass } from "./entities.ts";
import { RpcUnavailableError } from "./errors.ts";
import { bitsOf, safe } from "./internal/convert.ts";
import type { BlockReference } from "./block-reference.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

/** A round as it is planned from, and the block at which it was read. */
export interface RoundSnapshot extends Round {
  readonly block: BlockReference;
}

/**
 * The open round, if it has its seed and waits to be settled; undefined otherwise.
 *
 * The listings stand still while a round is open, so whatever block it is read at gives the same plan.
 * O(nodes / page) + O(tasks of the round) calls.
 *
 * @throws RpcUnavailableError also when the endpoint's answers do not belong to one state.
 */
export async function roundSnapshot(reader: Reader, at?: BlockReference): Promise<RoundSnapshot | undefined> {
  const block = at ?? (await reader.block());
  const round = await reader.round(block);
  if (round.status !== "settling") return undefined;
  const tasks = await Promise.all(round.demands.map(({ taskId, units }) => snapshotTask(reader, block, taskId, units)));
  const classes = await supplySnapshot(reader, block, round.classIds);
  return { block, roundId: round.id, seed: round.seed, tasks, classes };
}

/** What is listed now in these classes (default: in all), as a round opened at this block would find it. */
export async function supplySnapshot(
  reader: Reader,
  block: BlockReference,
  classIds?: readonly number[],
): Promise<RoundClass[]> {
  const classes = await reader.classes(block);
  return groupListings(
    classIds ? classes.filter(({ id }) => classIds.includes(id)) : classes,
    await reader.nodes(block),
  );
}

/** A task as a round takes it, with this many units. */
export async function snapshotTask(
  reader: Reader,
  block: BlockReference,
  taskId: number,
  units: number,
): Promise<RoundTask> {
  const task = await answer(reader.contracts.tasks.roundTask(taskId, blockTag(block)));
  // Copied, because ethers' results throw where an array has nothing; it is empty if all are zero.
  const surcharges = [...task.surcharges];
  return {
    id: taskId,
    units,
    maxPrice: safe(task.maxPrice),
    classes: bitsOf(task.classes).map((classId, i) => ({ classId, surcharge: safe(surcharges[i] ?? 0n) })),
  };
}

/**
 * Groups listed nodes by class, each by ascending tick and position. Pure; O(n log n).
 *
 * @throws RpcUnavailableError if the places of a tick are not 0 … n - 1: pages then come from different states.
 */
export function groupListings(classes: readonly NodeClass[], nodes: readonly Node[]): RoundClass[] {
  const byClass = new Map<number, ListedNode[]>(classes.map(({ id }) => [id, []]));
  for (const { id, listing } of nodes) {
    if (!listing) continue;
    const { classId, tick, units, position } = listing;
    byClass.get(classId)?.push({ id, tick, units, position });
  }
  return classes.map(({ id, name, tickSize }) => {
    const listed = (byClass.get(id) ?? []).sort((a, b) => a.tick - b.tick || a.position - b.position);
    listed.forEach((node, i) => {
      const before = listed[i - 1];
      const expected = before?.tick === node.tick ? before.position + 1 : 0;
      if (node.position === expected) return;
      throw new RpcUnavailableError(
        "behind",
        `Node ${String(node.id)} stands at place ${String(node.position)} of tick ${String(node.tick)} where place ` +
          `${String(expected)} was expected: the endpoint's answers come from different blocks. Try again.`,
      );
    });
    return { id, name, tickSize, nodes: listed };
  });
}
