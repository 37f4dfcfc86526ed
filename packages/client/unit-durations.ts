import type { Lease, Task } from "./entities.ts";
import type { BlockReference } from "./block-reference.ts";
import type { Reader } from "./readers.ts";
import { readEnergy } from "./telemetry.ts";

/** Newest leases that are looked at, and tasks of a class whose units count. */
const [LEASES, TASKS] = [512, 16];

/** What units of a class took lately. */
export interface UnitDuration {
  /** Mean hours of a unit, as its nodes have reported them: restarts and lost work included. */
  readonly hours: number;
  /** Paid units that they come from, and their tasks. */
  readonly units: number;
  readonly tasks: number;
}

/** A task of which all paid units ran in one class. */
export interface MeasurableTask {
  readonly taskId: number;
  readonly classId: number;
  readonly paidUnits: number;
}

/**
 * The newest tasks that have ended, and whose units were all leased in one class: their reported hours are that class's. Pure.
 *
 * @param leases By ascending id; of a task that is to count, all.
 * @param most Tasks of each class.
 */
export function measurableTasks(
  leases: readonly Pick<Lease, "taskId" | "classId" | "status" | "count">[],
  tasks: readonly Pick<Task, "id" | "status" | "paidUnits">[],
  classIds: ReadonlySet<number>,
  most = TASKS,
): MeasurableTask[] {
  const found: MeasurableTask[] = [];
  const counts = new Map<number, number>();
  const known = new Map(tasks.map((task) => [task.id, task]));
  for (const [taskId, own] of [...Map.groupBy(leases, (lease) => lease.taskId)].reverse()) {
    const [first] = own;
    const task = known.get(taskId);
    if (!first || task?.status !== "ended" || task.paidUnits === 0) continue;
    const { classId } = first;
    const paid = own.filter(({ status }) => status === "paid").reduce((sum, { count }) => sum + count, 0);
    const isWhole = own.every((lease) => lease.classId === classId) && paid === task.paidUnits;
    const count = counts.get(classId) ?? 0;
    if (!isWhole || !classIds.has(classId) || count >= most) continue;
    counts.set(classId, count + 1);
    found.push({ taskId, classId, paidUnits: paid });
  }
  return found;
}

/**
 * What units of these classes took lately, by class id; none of a class of which nothing was reported. Units of other developers'
 * tasks: what a device-hour costs can be told from it, not how long another program takes. At most 512 leases and 16 tasks a class are read.
 */
export async function readUnitDurations(
  reader: Reader,
  at: BlockReference,
  classIds: readonly number[],
): Promise<ReadonlyMap<number, UnitDuration>> {
  const last = await reader.leaseCount(at);
  const leases = last === 0 ? [] : await reader.leases(at, Math.max(1, last - LEASES + 1), last);
  const tasks = await reader.tasksById(at, [...new Set(leases.map(({ taskId }) => taskId))]);
  const measurable = measurableTasks(leases, tasks, new Set(classIds));
  const seconds = await Promise.all(
    measurable.map(async ({ taskId }) => Number((await readEnergy(reader, at, "task", taskId)).unitSeconds)),
  );
  const reported = measurable.flatMap((task, i) => {
    const own = seconds[i] ?? 0;
    return own > 0 ? [{ ...task, seconds: own }] : [];
  });
  return new Map(
    [...Map.groupBy(reported, ({ classId }) => classId)].map(([classId, own]) => {
      const units = own.reduce((sum, { paidUnits }) => sum + paidUnits, 0);
      const hours = own.reduce((sum, task) => sum + task.seconds, 0) / 3600 / units;
      return [classId, { hours, units, tasks: own.length }];
    }),
  );
}
