import type { BlockReference } from "@verai/client/block-reference";
import type { EnergySummary, Lease, Task } from "@verai/client/entities";
import type { Reader } from "@verai/client/readers";
import { readEnergy } from "@verai/client/telemetry";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import type { Output } from "../session/output.ts";

/** What a task took, as people compare it. */
export interface TaskReceipt {
  /** Paid to nodes for units, wei. */
  readonly paid: bigint;
  /** Of each unit that was paid, wei; 0 if none was. */
  readonly perUnit: bigint;
  /** Hours of devices that nodes have reported for it, restarts and lost work included; 0 as long as none has. */
  readonly deviceHours: number;
  /** Paid for a device-hour, wei; undefined where no hours are reported. */
  readonly perDeviceHour: bigint | undefined;
  /** From the submission to the last delivery, hours; undefined before it. */
  readonly hours: number | undefined;
  /** Times that work changed hands: it went on from its last checkpoint. */
  readonly handovers: number;
  readonly joules: number;
  /** Grams of CO2 equivalent of the electricity used. */
  readonly carbonGrams: number;
  /** The same for each unit that was paid: the functional unit of SCI (ISO/IEC 21031). Undefined if none was. */
  readonly carbonGramsPerUnit: number | undefined;
}

/** What the carbon of a receipt leaves out. */
const LEFT_OUT = "embodied carbon of the machines, networks, and the chain are left out";

/** Draws a task's receipt up. Pure. O(leases). */
export function receiptOf(
  task: Pick<Task, "id" | "submittedAt" | "paidUnits">,
  leases: readonly Pick<Lease, "taskId" | "status" | "count" | "price" | "parent" | "result">[],
  energy: Pick<EnergySummary, "joules" | "carbonMilligrams" | "unitSeconds">,
): TaskReceipt {
  const own = leases.filter(({ taskId }) => taskId === task.id);
  const paid = own
    .filter(({ status }) => status === "paid")
    .reduce((sum, { count, price }) => sum + microToWei(BigInt(count) * BigInt(price)), 0n);
  const ends = own.flatMap(({ result }) => (result ? [result.deliveredAt] : []));
  const units = task.paidUnits;
  const carbonGrams = Number(energy.carbonMilligrams) / 1000;
  return {
    paid,
    perUnit: units === 0 ? 0n : paid / BigInt(units),
    deviceHours: Number(energy.unitSeconds) / 3600,
    perDeviceHour: energy.unitSeconds === 0n ? undefined : (paid * 3600n) / energy.unitSeconds,
    hours: ends.length === 0 ? undefined : (Math.max(...ends) - task.submittedAt) / 3600,
    handovers: own.filter(({ parent }) => parent !== 0).length,
    joules: Number(energy.joules),
    carbonGrams,
    carbonGramsPerUnit: units === 0 ? undefined : carbonGrams / units,
  };
}

/** A task's receipt by the chain at a block. */
export async function readReceipt(reader: Reader, block: BlockReference, task: Task): Promise<TaskReceipt> {
  const [leases, energy] = await Promise.all([reader.leases(block), readEnergy(reader, block, "task", task.id)]);
  return receiptOf(task, leases, energy);
}

/** Shows a receipt. */
export function showReceipt(output: Output, receipt: TaskReceipt): void {
  const { paid, perUnit, deviceHours, perDeviceHour, hours, handovers, joules, carbonGrams, carbonGramsPerUnit } =
    receipt;
  const reported = deviceHours > 0;
  output.facts([
    ["cost", `${formatVer(paid)} VER, ${formatVer(perUnit)} a unit`],
    [
      "device-hours",
      reported
        ? `${figure(deviceHours)}${perDeviceHour === undefined ? "" : `, ${formatVer(rounded(perDeviceHour))} VER each`}`
        : "none reported yet",
    ],
    ["took", hours === undefined ? undefined : `${figure(hours)} h from the submission to the last delivery`],
    ["changed hands", `${String(handovers)} times`],
    ["energy", reported ? `${figure(joules / 3_600_000)} kWh, as reported by nodes` : undefined],
    [
      "carbon",
      reported && carbonGramsPerUnit !== undefined
        ? `${figure(carbonGrams)} g of CO2 equivalent, ${figure(carbonGramsPerUnit)} g a unit; ${LEFT_OUT}`
        : undefined,
    ],
  ]);
}

/** Three significant digits. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** To a whole micro-VER. */
function rounded(wei: bigint): bigint {
  return (wei / PRICE_UNIT) * PRICE_UNIT;
}
