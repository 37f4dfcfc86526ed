/** Seconds. */
const HOUR = 3_600;
/** Lines of a table at most: a year of hours in twenty regions. */
const MAX_LINES = 200_000;
const HEAD = "hour,region,gramsPerKwh";

/** Carbon intensity of electricity by hour, as a grid operator or a service has measured it. */
export interface HourlyTable {
  /** First second that it covers, and the first after it, seconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** Grams of CO2 equivalent for a kilowatt-hour by region and by the hour's first second. */
  readonly hours: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** Energy that emits, over a span of time: what a report says of a lease, less its renewable part. */
export interface EmittingEnergy {
  /** Seconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly joules: number;
  readonly region: string;
  /** Grams for a kilowatt-hour that it was booked with: the region's yearly average. */
  readonly average: number;
}

/**
 * Reads a table by hour: lines of an hour in UTC, a region of class names, and grams of CO2 equivalent for a kilowatt-hour.
 *
 * @param text CSV that begins with `hour,region,gramsPerKwh`; a line is like `2026-11-30T14:00Z,eu,187.5`.
 * @throws RangeError that names the first line that is wrong
 */
export function parseHourly(text: string): HourlyTable {
  const lines = text.trimEnd().split(/\r?\n/);
  if (lines[0]?.trim() !== HEAD) throw new RangeError(`its first line is "${lines[0] ?? ""}"; write "${HEAD}"`);
  if (lines.length > MAX_LINES + 1)
    throw new RangeError(`it has ${String(lines.length - 1)} lines, at most ${String(MAX_LINES)} are read`);
  if (lines.length === 1) throw new RangeError("it has no hour");
  const hours = new Map<string, Map<number, number>>();
  let [from, until] = [Infinity, 0];
  for (const [i, line] of lines.slice(1).entries()) {
    const [, time = "", region = "", grams = ""] =
      /^(\d{4}-\d\d-\d\dT\d\d:00(?::00)?Z),([a-z0-9-]+),(\d+(?:\.\d+)?)$/.exec(line.trim()) ?? [];
    const hour = Date.parse(time) / 1000;
    if (!Number.isSafeInteger(hour)) {
      throw new RangeError(
        `its line ${String(i + 2)} is "${line}"; write an hour, a region and grams: 2026-11-30T14:00Z,eu,187.5`,
      );
    }
    const own = hours.get(region) ?? new Map<number, number>();
    if (own.has(hour))
      throw new RangeError(`its line ${String(i + 2)} says a second time what holds for ${region} at ${time}`);
    hours.set(region, own.set(hour, Number(grams)));
    [from, until] = [Math.min(from, hour), Math.max(until, hour + HOUR)];
  }
  return { from, until, hours };
}

/**
 * Carbon by the hour in which energy was used: a report's energy is spread evenly over its span. Pure; O(hours of all spans).
 *
 * @param booked Grams by yearly averages, of all energy; what the table does not cover keeps its share of it.
 * @param emitting Joules that emit in all.
 * @returns Grams, and the share of the energy that the table covers, 0 to 1.
 */
export function carbonByHour(
  table: HourlyTable,
  parts: readonly EmittingEnergy[],
  booked: number,
  emitting: number,
): { readonly grams: number; readonly share: number } {
  let [grams, covered] = [booked, 0];
  for (const { from, until, joules, region, average } of parts) {
    const own = table.hours.get(region);
    const span = Math.max(1, until - from);
    const start = until - span;
    for (let hour = Math.floor(start / HOUR) * HOUR; own && hour < until; hour += HOUR) {
      const measured = own.get(hour);
      if (measured === undefined) continue;
      const used = (joules * (Math.min(until, hour + HOUR) - Math.max(start, hour))) / span;
      covered += used;
      grams += (used / 3_600_000) * (measured - average);
    }
  }
  return { grams: Math.max(0, grams), share: emitting === 0 ? 1 : Math.min(1, covered / emitting) };
}
