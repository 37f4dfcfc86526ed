import { readFileSync } from "node:fs";

import type { BlockReference } from "@verai/client/block-reference";
import { readEnergyParts } from "@verai/client/energy-parts";
import type { EnergySummary, Lease, Task } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import { readClassEnergy } from "@verai/client/telemetry";
import { carbonByHour, type HourlyTable, parseHourly } from "@verai/protocol/energy/hourly";
import { regionOf } from "@verai/protocol/energy/intensity";
import { CommandError } from "../errors.ts";
import { firstBlock } from "../session/lease-ends.ts";

/** Operational carbon by the hours in which energy was used. */
export interface HourlyCarbon {
  readonly grams: number;
  /** Share of the energy that the table covers, 0 to 1; the rest counts by the grid's average. */
  readonly share: number;
}

/** The table in a file; undefined where none is named. */
export function hourlyIn(file: string): HourlyTable | undefined {
  if (file === "") return undefined;
  try {
    return parseHourly(readFileSync(file, "utf8"));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandError("OPTION_INVALID", `--hourly ${file}: ${said}`);
  }
}

/** A task's carbon by a table. Reads what reports said in the table's hours: O(blocks / range) requests. */
export async function readHourly(
  session: Session,
  block: BlockReference,
  task: Task,
  leases: readonly Lease[],
  energy: EnergySummary,
  classNames: ReadonlyMap<number, string>,
  table: HourlyTable,
): Promise<HourlyCarbon> {
  const own = new Map(leases.filter(({ taskId }) => taskId === task.id).map((lease) => [lease.id, lease]));
  const since = await firstBlock(session, block, Math.max(task.submittedAt, table.from));
  const nodeIds = [...new Set([...own.values()].map(({ nodeId }) => nodeId))];
  const parts = await readEnergyParts(session, task.id, nodeIds, since, block.number);
  const averages = new Map<number, number>();
  for (const classId of new Set([...own.values()].map((lease) => lease.classId))) {
    averages.set(classId, (await readClassEnergy(session.reader, block, classId)).gridIntensity / 1000);
  }
  const emitting = parts.flatMap(({ leaseId, from, until, joules, renewableJoules }) => {
    const classId = own.get(leaseId)?.classId;
    if (classId === undefined) return [];
    const region = regionOf(classNames.get(classId) ?? "");
    return [{ from, until, joules: joules - renewableJoules, region, average: averages.get(classId) ?? 0 }];
  });
  return carbonByHour(
    table,
    emitting,
    Number(energy.carbonMilligrams) / 1000,
    Number(energy.joules - energy.renewableJoules),
  );
}
