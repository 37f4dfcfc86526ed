/* Indices run over arrays of one length: every "!" in this file is an element that exists. */
import { MAX_CLASSES, MAX_PRICE, MAX_TASK_CLASSES, MAX_UNITS, TICKS } from "../money/units.ts";
import { classLabel, nodeColumns, type Round, type RoundClass, type RoundTask } from "./model.ts";
import type { NodeColumns } from "./node-columns.ts";
import { RefusalError, requireThat, requireWhole } from "./refusal.ts";

const MAX_ID = 2 ** 32 - 1;

/**
 * Checks that a snapshot is one that the contracts can have frozen, so that nothing after it needs to ask whether a
 * number is a number: all are integers within the protocol's bounds, no id comes twice, the places of a tick are
 * 0 … n - 1, and the classes are those that the tasks accept.
 *
 * O(n) in nodes and accepted classes. Messages are only made up for what is refused: a round may list 100,000 nodes.
 *
 * @throws Refusal `InvalidRound`.
 */
export function validateRound(round: Round): void {
  const name = `Round ${String(round.roundId)}`;
  requireWhole(round.roundId, 0, MAX_ID, "the round's id");
  check(typeof round.seed === "string" && /^0x[0-9a-f]{64}$/i.test(round.seed), () => `${name} has no 32-byte seed.`);

  const accepted = new Set<number>();
  const listed = new Set(round.classes.map(({ id }) => id));
  const taskIds = new Set<number>();
  for (const task of round.tasks) {
    validateTask(task);
    check(!taskIds.has(task.id), () => `${name} has task ${task.id} twice.`);
    taskIds.add(task.id);
    for (const { classId } of task.classes) {
      check(listed.has(classId), () => `Task ${task.id} accepts class ${classId}, which the round does not have.`);
      accepted.add(classId);
    }
  }

  ascending(
    round.classes.map(({ id }) => id),
    () => `The classes of ${name} are not in ascending order.`,
  );
  const checked = round.classes.map((each) => {
    check(accepted.has(each.id), () => `No task of ${name} accepts ${classLabel(each)}: leave it out.`);
    return validateClass(each);
  });
  const seen = new IdSet(
    round.classes.reduce((sum, { nodes }) => sum + nodes.length, 0),
    checked.reduce((highest, { highestId }) => Math.max(highest, highestId), 0),
  );
  round.classes.forEach((each, k) => {
    validatePlaces(each, checked[k]!, seen, name);
  });
}

function validateTask({ id, units, maxPrice, classes }: RoundTask): void {
  requireWhole(id, 1, MAX_ID, "a task's id");
  requireWhole(units, 1, MAX_UNITS, `the units of task ${id}`);
  requireWhole(maxPrice, 1, MAX_PRICE, `the maximum price of task ${id}`);
  requireWhole(classes.length, 1, MAX_TASK_CLASSES, `the number of classes of task ${id}`);
  ascending(
    classes.map(({ classId }) => classId),
    () => `The classes of task ${id} are not in ascending order.`,
  );
  for (const { classId, surcharge } of classes) {
    requireWhole(classId, 0, MAX_CLASSES - 1, `a class's id of task ${id}`);
    requireWhole(surcharge, 0, MAX_PRICE, `the surcharge of task ${id} in class ${classId}`);
  }
}

/** A class's nodes, once their values have been checked. */
interface Checked {
  readonly columns: NodeColumns;
  /** Nodes at each tick. */
  readonly countAt: Uint32Array;
  readonly highestId: number;
}

function validateClass(each: RoundClass): Checked {
  const label = classLabel(each);
  requireWhole(each.id, 0, MAX_CLASSES - 1, "a class's id");
  requireWhole(each.tickSize, 1, Math.floor(MAX_PRICE / (TICKS - 1)), `the tick size of ${label}`);
  const columns = nodeColumns(each);
  const { ids, ticks, units } = columns;
  const countAt = new Uint32Array(TICKS);
  let [total, highestId] = [0, 0];
  for (let i = 0; i < ids.length; i++) {
    countAt[ticks[i]!]! += 1;
    total += units[i]!;
    if (ids[i]! > highestId) highestId = ids[i]!;
  }
  requireWhole(total, 0, MAX_ID, `the units listed in ${label}`);
  return { columns, countAt, highestId };
}

/** Checks that the places of each tick are 0 … n - 1, and that no node's id has come before. */
function validatePlaces(each: RoundClass, { columns, countAt }: Checked, seen: IdSet, name: string): void {
  const { ids, ticks, positions } = columns;
  /** Where each tick's places begin in an array of all. */
  const first = new Uint32Array(TICKS);
  for (let tick = 1; tick < TICKS; tick++) first[tick] = first[tick - 1]! + countAt[tick - 1]!;
  const taken = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const [tick, position] = [ticks[i]!, positions[i]!];
    const count = countAt[tick]!;
    const place = first[tick]! + position;
    if (position >= count || taken[place] === 1) {
      const where = `tick ${tick} of ${classLabel(each)}`;
      const why = `The positions at ${where} are not 0 to ${count - 1}: read the listings again at one block.`;
      throw new RefusalError("InvalidRound", why);
    }
    taken[place] = 1;
    if (!seen.add(ids[i]!)) throw new RefusalError("InvalidRound", `${name} has node ${ids[i]!} twice.`);
  }
}

/** Bits that are spent on each node to tell whether its id came before. */
const BITS_EACH = 64;

/**
 * Node ids that have come. Those that the chain gives run from 1 without gaps, so that one bit for each is enough; where
 * they are far apart, a set takes the place of the bits.
 */
class IdSet {
  readonly #bits: Uint32Array | undefined;
  readonly #set = new Set<number>();

  constructor(count: number, highest: number) {
    if (highest < BITS_EACH * count) this.#bits = new Uint32Array((highest >>> 5) + 1);
  }

  /** @returns Whether the id is new. */
  add(id: number): boolean {
    if (!this.#bits) return this.#set.size < this.#set.add(id).size;
    const word = this.#bits[id >>> 5]!;
    const next = word | (1 << (id & 31));
    this.#bits[id >>> 5] = next;
    return next >>> 0 !== word;
  }
}

function check(condition: boolean, message: () => string): void {
  requireThat(condition, "InvalidRound", message);
}

function ascending(ids: readonly number[], message: () => string): void {
  check(
    ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? id)),
    message,
  );
}
