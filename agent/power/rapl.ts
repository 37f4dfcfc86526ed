import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { EnergyCounter } from "./counter.ts";
import { type EnergyMeter, type EnergyReading, PowerError } from "./meter.ts";

/** Watts that no processor package exceeds. */
const PACKAGE_MAX_WATTS = 1_000;

const MICROJOULES = 1e6;

/**
 * Control types that show packages, the better one first. They show the same packages: only the first that has any counts.
 * AMD's processors are also found under `intel-rapl`.
 */
const CONTROL_TYPES = ["intel-rapl", "intel-rapl-mmio"] as const;

/** What is known of the machine that the counters are on. */
export interface RaplOptions {
  /** Maximum watts that the machine can draw; no package is believed to have used more. */
  readonly maxWatts?: number | undefined;
  /** Packages that must exist, because they did before. */
  readonly expected?: readonly string[];
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** A package and where its counter is. */
interface Zone {
  readonly name: string;
  readonly folder: string;
}

interface CountedZone extends Zone {
  readonly counter: EnergyCounter;
}

/**
 * The energy of the processor packages, from Linux' powercap tree.
 *
 * Zones overlap: a package holds its cores and, on some machines, its memory; `psys` holds the package; and
 * `intel-rapl-mmio` shows the same packages a second time. So only packages are summed, each name once, those of
 * `intel-rapl` where it has any. The counters wrap around, after minutes at full power where the range is small: they have
 * to be read more often than that. They also start again (after a suspend, with the driver); see {@link EnergyCounter}.
 *
 * They cover the processor only (with its memory controller), not disks, memory modules, fans or the power supply's loss.
 */
export class RaplMeter implements EnergyMeter {
  readonly method = "rapl";
  readonly source: string;
  readonly #zones: readonly CountedZone[];
  readonly #now: () => number;

  private constructor(zones: readonly CountedZone[], now: () => number) {
    this.#zones = zones;
    this.#now = now;
    this.source = `RAPL ${this.packages.join(", ")}`;
  }

  /**
   * Looks for packages.
   *
   * @param root The powercap tree, `/sys/class/powercap` on Linux.
   * @returns Undefined if the machine has none (virtual machines, other processors).
   * @throws PowerError if there are counters, but they cannot be read, or if a package is missing that was there before.
   */
  static async open(root: string, options: RaplOptions = {}): Promise<RaplMeter | undefined> {
    const { maxWatts = PACKAGE_MAX_WATTS, expected = [], now = () => performance.now() } = options;
    const zones = await findPackages(root);
    const missing = expected.filter((name) => !zones.some((zone) => zone.name === name));
    if (missing.length > 0) {
      throw new PowerError(
        `${root} no longer shows ${missing.join(", ")}: load the module intel_rapl_msr (intel_rapl_common), or restart ` +
          `the agent if the processor was taken out.`,
      );
    }
    if (zones.length === 0) return undefined;
    const opened = await Promise.all(
      zones.map(async (zone) => {
        const kind = {
          perJoule: MICROJOULES,
          maxWatts: Math.min(maxWatts, PACKAGE_MAX_WATTS),
          range: await readRange(zone.folder),
        };
        const value = await readEnergy(zone.folder);
        checkRange(zone, value, kind.range);
        return { ...zone, counter: new EnergyCounter(kind, value, now()) };
      }),
    );
    return new RaplMeter(opened, now);
  }

  /** Names of the packages. */
  get packages(): readonly string[] {
    return this.#zones.map(({ name }) => name);
  }

  async read(): Promise<EnergyReading> {
    // All are read before any is taken over, so that a failure loses nothing.
    const values = await Promise.all(
      this.#zones.map(async (zone) => {
        const name = await readName(zone.folder);
        if (name !== zone.name) {
          throw new PowerError(`${zone.folder} was ${zone.name}, and is now ${name === "" ? "gone" : `"${name}"`}.`);
        }
        const value = await readEnergy(zone.folder);
        checkRange(zone, value, await readRange(zone.folder));
        return { value, at: this.#now() };
      }),
    );
    let joules = 0;
    const doubts: string[] = [];
    this.#zones.forEach(({ counter, folder }, i) => {
      const { value, at } = values[i] ?? { value: 0, at: 0 };
      const step = counter.next(value, at);
      joules += step.joules;
      if (step.doubt !== undefined) doubts.push(`the energy counter in ${folder} ${step.doubt}`);
    });
    const reading = { joules, method: this.method, source: this.source } as const;
    if (doubts.length === 0) return reading;
    return { ...reading, uncovered: { share: doubts.length / this.#zones.length, why: doubts.join("; ") } };
  }
}

/** The packages of the first control type that has any, each name once, in the order of their numbers. */
async function findPackages(root: string): Promise<Zone[]> {
  const entries = await readdir(root).catch(() => []);
  for (const type of CONTROL_TYPES) {
    const zones = new Map<string, Zone>();
    // Children are named intel-rapl:0:1; the control type itself is intel-rapl.
    const numbers = entries
      .flatMap((entry) => (entry.startsWith(`${type}:`) ? [entry.slice(type.length + 1)] : []))
      .filter((number) => /^\d{1,6}$/.test(number))
      .sort((a, b) => Number(a) - Number(b));
    for (const number of numbers) {
      const folder = join(root, `${type}:${number}`);
      const name = await readName(folder);
      if (/^package-\d+/.test(name) && !zones.has(name)) zones.set(name, { name, folder });
    }
    if (zones.size > 0) return [...zones.values()];
  }
  return [];
}

async function readName(folder: string): Promise<string> {
  return (await readFile(join(folder, "name"), "utf8").catch(() => "")).trim();
}

/** The largest value of a counter; undefined where the system does not tell: then a counter that falls has restarted. */
async function readRange(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, "max_energy_range_uj"), "utf8").catch(() => "");
  const range = wholeNumber(text);
  return range === undefined || range === 0 ? undefined : range;
}

async function readEnergy(folder: string): Promise<number> {
  const file = join(folder, "energy_uj");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PowerError(
      `The energy counter ${file} cannot be read. Most systems let root alone read it: give the agent's user access ` +
        `(chmod or a udev rule), or set "power.powercap" to "" in the configuration to have the energy estimated.`,
      { cause },
    );
  }
  const value = wholeNumber(text);
  if (value === undefined) {
    const shown = text.trim().slice(0, 40);
    throw new PowerError(`The energy counter ${file} holds "${shown}", which is no number of microjoules.`);
  }
  return value;
}

function checkRange({ folder }: Zone, value: number, range: number | undefined): void {
  if (range === undefined || value <= range) return;
  throw new PowerError(
    `The energy counter in ${folder} holds ${value} microjoules, more than its own maximum of ${range}.`,
  );
}

/** Digits alone, and no more than can be told apart from their neighbours. */
function wholeNumber(text: string): number | undefined {
  const digits = text.trim();
  const value = Number(digits);
  return /^\d{1,16}$/.test(digits) && Number.isSafeInteger(value) ? value : undefined;
}
