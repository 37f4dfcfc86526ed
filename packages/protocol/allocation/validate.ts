import { MAX_CLASSES, MAX_PRICE, MAX_TASK_CLASSES, MAX_UNITS, TICKS } from "../money/units.ts";
import { classLabel, type Round, type RoundClass, type RoundTask } from "./model.ts";
import { requireThat } from "./refusal.ts";

const MAX_ID = 2 ** 32 - 1;

/**
 * Checks that a snapshot is one that the contracts can have frozen, so that nothing after it needs to ask whether a
 * number is a number: all are integers within the protocol's bounds, no id comes twice, the places of a tick are
 * 0 … n - 1, and the classes are those that the tasks accept.
 *
 * O(n) in nodes and accepted classes.
 *
 * @throws Refusal `InvalidRound`.
 */
export function validateRound(round: Round): void {
  const name = `Round ${String(round.roundId)}`;
  whole(round.roundId, 0, MAX_ID, "the round's id");
  check(typeof round.seed === "string" && /^0x[0-9a-f]{64}$/i.test(round.seed), () => `${name} has no 32-byte seed.`);

  const accepted = new Set<number>();
  const listed = new Set(round.classes.map(({ id }) => id));
  distinct(round.tasks, (id) => `${name} has task ${id} twice.`);
  for (const task of round.tasks) {
    validateTask(task);
    for (const { classId } of task.classes) {
      check(listed.has(classId), () => `Task ${task.id} accepts class ${classId}, which the round does not have.`);
      accepted.add(classId);
    }
  }

  ascending(
    round.classes.map(({ id }) => id),
    () => `The classes of ${name} are not in ascending order.`,
  );
  for (const each of round.classes) {
    validateClass(each);
    check(accepted.has(each.id), () => `No task of ${name} accepts ${classLabel(each)}: leave it out.`);
  }
  const nodes = round.classes.flatMap((each) => each.nodes);
  distinct(nodes, (id) => `${name} has node ${id} twice.`);
}

function validateTask({ id, units, maxPrice, classes }: RoundTask): void {
  whole(id, 1, MAX_ID, "a task's id");
  whole(units, 1, MAX_UNITS, `the units of task ${id}`);
  whole(maxPrice, 1, MAX_PRICE, `the maximum price of task ${id}`);
  whole(classes.length, 1, MAX_TASK_CLASSES, `the number of classes of task ${id}`);
  ascending(
    classes.map(({ classId }) => classId),
    () => `The classes of task ${id} are not in ascending order.`,
  );
  for (const { classId, surcharge } of classes) {
    whole(classId, 0, MAX_CLASSES - 1, `a class's id of task ${id}`);
    whole(surcharge, 0, MAX_PRICE, `the surcharge of task ${id} in class ${classId}`);
  }
}

function validateClass(each: RoundClass): void {
  const label = classLabel(each);
  whole(each.id, 0, MAX_CLASSES - 1, "a class's id");
  whole(each.tickSize, 1, Math.floor(MAX_PRICE / (TICKS - 1)), `the tick size of ${label}`);
  const placesAt = new Map<number, number[]>();
  let total = 0;
  for (const { id, tick, units, position } of each.nodes) {
    whole(id, 1, MAX_ID, `a node's id in ${label}`);
    whole(tick, 0, TICKS - 1, `the tick of node ${id}`);
    whole(units, 1, MAX_ID, `the units of node ${id}`);
    whole(position, 0, MAX_ID, `the position of node ${id}`);
    const places = placesAt.get(tick);
    if (places) places.push(position);
    else placesAt.set(tick, [position]);
    total += units;
  }
  whole(total, 0, MAX_ID, `the units listed in ${label}`);
  for (const [tick, places] of placesAt) {
    const count = places.length;
    check(
      new Set(places).size === count && places.every((place) => place < count),
      () =>
        `The positions at tick ${tick} of ${label} are not 0 to ${count - 1}: read the listings again at one block.`,
    );
  }
}

function check(condition: boolean, message: () => string): void {
  requireThat(condition, "InvalidRound", message);
}

function whole(value: number, least: number, most: number, what: string): void {
  check(
    Number.isInteger(value) && value >= least && value <= most,
    () => `${String(value)} is impossible for ${what}: it is a whole number from ${least} to ${most}.`,
  );
}

function distinct(items: readonly { readonly id: number }[], message: (id: number) => string): void {
  const seen = new Set<number>();
  for (const { id } of items) {
    check(!seen.has(id), () => message(id));
    seen.add(id);
  }
}

function ascending(ids: readonly number[], message: () => string): void {
  check(
    ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? id)),
    message,
  );
}
