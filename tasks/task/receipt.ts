import type { BlockReference } from "@verai/client/block-reference";
import type { EnergySummary, Lease, Task } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import { readEnergy } from "@verai/client/telemetry";
import { devicesOf, type Embodied, embodiedGrams, embodiedOf, LIFESPAN } from "@verai/protocol/energy/embodied";
import type { HourlyTable } from "@verai/protocol/energy/hourly";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import type { Output } from "../session/output.ts";
import { type HourlyCarbon, readHourly } from "./hourly-carbon.ts";

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
  /** Grams of CO2 equivalent of the electricity used: the operational part of SCI (ISO/IEC 21031), by a table by hour where one is given. */
  readonly carbonGrams: number;
  /** Share of the energy that counts by the table by hour; undefined if none is given. The rest counts by the grid's average. */
  readonly hourlyShare: number | undefined;
  /** Of making the devices, for the hours that they were used: SCI's embodied part. Undefined if it is not known for all of them. */
  readonly embodiedGrams: number | undefined;
  /** What that comes from, by kind of device. */
  readonly embodied: readonly (Embodied & { readonly kind: string })[];
  /** Kinds of devices of which no embodied carbon is known. */
  readonly embodiedUnknown: readonly string[];
  /** Both parts for each unit that was paid: SCI's functional unit. Undefined if none was, or a part is unknown. */
  readonly carbonGramsPerUnit: number | undefined;
}

/** What the carbon of a receipt leaves out. */
const LEFT_OUT = "networks, storage elsewhere and the chain are left out";

/**
 * Draws a task's receipt up. Pure. O(leases).
 *
 * @param classNames By class id.
 * @param given Embodied carbon of devices, kilograms by kind, in place of the table's.
 * @param hourly Operational carbon by hour, in place of that by the grid's average.
 */
export function receiptOf(
  task: Pick<Task, "id" | "submittedAt" | "paidUnits">,
  leases: readonly Pick<Lease, "taskId" | "status" | "count" | "price" | "parent" | "classId" | "result">[],
  energy: Pick<EnergySummary, "joules" | "carbonMilligrams" | "unitSeconds">,
  classNames: ReadonlyMap<number, string>,
  given: Readonly<Record<string, number>> = {},
  hourly?: HourlyCarbon,
): TaskReceipt {
  const own = leases.filter(({ taskId }) => taskId === task.id);
  const paid = own
    .filter(({ status }) => status === "paid")
    .reduce((sum, { count, price }) => sum + microToWei(BigInt(count) * BigInt(price)), 0n);
  const ends = own.flatMap(({ result }) => (result ? [result.deliveredAt] : []));
  const units = task.paidUnits;
  const carbonGrams = hourly?.grams ?? Number(energy.carbonMilligrams) / 1000;
  const devices = deviceHoursOf(own, Number(energy.unitSeconds) / 3600, classNames);
  const deviceHours = [...devices.values()].reduce((sum, hours) => sum + hours, 0);
  const kinds = [...devices.keys()].map((kind) => ({ kind, found: embodiedOf(kind, given) }));
  const embodied = kinds.flatMap(({ kind, found }) => (found ? [{ kind, ...found }] : []));
  const embodiedUnknown = kinds.flatMap(({ kind, found }) => (found ? [] : [kind]));
  const made =
    embodiedUnknown.length > 0
      ? undefined
      : embodied.reduce((sum, each) => sum + embodiedGrams(each, devices.get(each.kind) ?? 0), 0);
  return {
    paid,
    perUnit: units === 0 ? 0n : paid / BigInt(units),
    deviceHours,
    perDeviceHour: deviceHours === 0 ? undefined : perHour(paid, deviceHours),
    hours: ends.length === 0 ? undefined : (Math.max(...ends) - task.submittedAt) / 3600,
    handovers: own.filter(({ parent }) => parent !== 0).length,
    joules: Number(energy.joules),
    carbonGrams,
    hourlyShare: hourly?.share,
    embodiedGrams: made,
    embodied,
    embodiedUnknown,
    carbonGramsPerUnit: units === 0 || made === undefined ? undefined : (carbonGrams + made) / units,
  };
}

/**
 * Hours of devices by their kind: a unit of `gpu-80g-x8` uses eight at a time. Reports have a task's hours in all; where it ran in
 * classes of several kinds, they are dealt out by units.
 */
function deviceHoursOf(
  leases: readonly Pick<Lease, "count" | "classId">[],
  unitHours: number,
  classNames: ReadonlyMap<number, string>,
): Map<string, number> {
  const units = leases.reduce((sum, { count }) => sum + count, 0);
  const hours = new Map<string, number>();
  for (const { count, classId } of leases) {
    const { kind, count: devices } = devicesOf(classNames.get(classId) ?? `class ${String(classId)}`);
    hours.set(kind, (hours.get(kind) ?? 0) + ((unitHours * count) / units) * devices);
  }
  return hours;
}

/** Wei for an hour; rounded to a thousandth of a second. */
export function perHour(wei: bigint, hours: number): bigint {
  return (wei * 3_600_000n) / BigInt(Math.max(1, Math.round(hours * 3_600_000)));
}

/** A task's receipt by the chain at a block. @param table Carbon intensity by hour. */
export async function readReceipt(
  session: Session,
  block: BlockReference,
  task: Task,
  given: Readonly<Record<string, number>> = {},
  table?: HourlyTable,
): Promise<TaskReceipt> {
  const { reader } = session;
  const [leases, energy, classes] = await Promise.all([
    reader.leases(block),
    readEnergy(reader, block, "task", task.id),
    reader.classes(block),
  ]);
  const names = new Map(classes.map(({ id, name }) => [id, name]));
  const hourly = table && (await readHourly(session, block, task, leases, energy, names, table));
  return receiptOf(task, leases, energy, names, given, hourly);
}

/** Shows a receipt. */
export function showReceipt(output: Output, receipt: TaskReceipt): void {
  const { paid, perUnit, deviceHours, perDeviceHour, hours, handovers, joules, carbonGrams, carbonGramsPerUnit } =
    receipt;
  const { embodiedGrams: made, embodied, embodiedUnknown, hourlyShare } = receipt;
  const reported = deviceHours > 0;
  output.facts([
    ["cost", `${formatVer(paid)} VER, ${formatVer(perUnit)} a unit`],
    [
      "device-hours",
      reported
        ? `${figure(deviceHours)}${perDeviceHour === undefined ? "" : `, ${formatVer(rounded(perDeviceHour))} VER each`}`
        : "none reported yet: nodes report hours and energy once their lease is over, and task:status then shows them",
    ],
    ["took", hours === undefined ? undefined : `${figure(hours)} h from the submission to the last delivery`],
    ["changed hands", handovers === 1 ? "once" : `${String(handovers)} times`],
    ["energy", reported ? `${figure(joules / 3_600_000)} kWh, as reported by nodes` : undefined],
    ["carbon, operational", reported ? `${figure(carbonGrams)} g of CO2 equivalent, ${basis(hourlyShare)}` : undefined],
    [
      "carbon, embodied",
      !reported
        ? undefined
        : made === undefined
          ? `not known for ${embodiedUnknown.join(", ")}: name it by --embodied ${embodiedUnknown[0] ?? ""}=<kilograms>`
          : `${figure(made)} g over ${String(LIFESPAN.hours)} hours of use (${embodied
              .map(({ kind, kilograms, source }) => `${kind}: ${figure(kilograms)} kg a device, ${source}`)
              .join("; ")})`,
    ],
    [
      "carbon a unit",
      reported && carbonGramsPerUnit !== undefined
        ? `${figure(carbonGramsPerUnit)} g, both parts; ${LEFT_OUT}`
        : undefined,
    ],
  ]);
}

/** What operational carbon is by. */
function basis(hourlyShare: number | undefined): string {
  const average = "by the grid's average";
  if (hourlyShare === undefined) return average;
  if (hourlyShare === 1) return "by the hours in which it was used";
  return `by hour for ${figure(hourlyShare * 100)} % of the energy, ${average} for the rest, for which the table has no hour`;
}

/** Three significant digits. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** To a whole micro-VER. */
export function rounded(wei: bigint): bigint {
  return (wei / PRICE_UNIT) * PRICE_UNIT;
}
