import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { type EnergyMeter, type EnergyReading, PowerError } from "./meter.ts";

/** A package's counter. Microjoules. */
interface Zone {
  readonly name: string;
  readonly file: string;
  /** The counter starts again at 0 after this value. */
  readonly range: number;
  last: number;
}

/**
 * The energy of the processor packages, from Linux' powercap tree.
 *
 * Zones overlap: a package holds its cores and, on some machines, its memory; `psys` holds the package; and
 * `intel-rapl-mmio` shows the same packages a second time. So only the packages of `intel-rapl` are summed, which is also
 * where AMD's are found. The counters wrap around, after minutes at full power where the range is small: they have to be
 * read more often than that, and one wrap between two readings is made up for.
 *
 * They cover the processor only (with its memory controller), not disks, memory modules, fans or the power supply's loss.
 */
export class RaplMeter implements EnergyMeter {
  readonly method = "rapl";
  readonly source: string;
  readonly #zones: readonly Zone[];

  private constructor(zones: readonly Zone[]) {
    this.#zones = zones;
    this.source = `RAPL ${zones.map(({ name }) => name).join(", ")}`;
  }

  /**
   * Looks for packages.
   *
   * @param root The powercap tree, `/sys/class/powercap` on Linux.
   * @returns Undefined if the machine has none (virtual machines, other processors).
   * @throws PowerError if there are counters, but they cannot be read.
   */
  static async open(root: string): Promise<RaplMeter | undefined> {
    const entries = await readdir(root).catch(() => []);
    const zones: Zone[] = [];
    for (const entry of entries.sort()) {
      // Children are named intel-rapl:0:1; the control type itself is intel-rapl.
      if (!/^intel-rapl:\d+$/.test(entry)) continue;
      const folder = join(root, entry);
      const name = (await readFile(join(folder, "name"), "utf8").catch(() => "")).trim();
      if (!/^package-\d+/.test(name)) continue;
      const file = join(folder, "energy_uj");
      const range = await readCounter(join(folder, "max_energy_range_uj"));
      zones.push({ name, file, range, last: await readCounter(file) });
    }
    return zones.length === 0 ? undefined : new RaplMeter(zones);
  }

  async read(): Promise<EnergyReading> {
    // All are read before any is taken over, so that a failure loses nothing.
    const now = await Promise.all(this.#zones.map(({ file }) => readCounter(file)));
    let microjoules = 0;
    this.#zones.forEach((zone, i) => {
      const value = now[i] ?? zone.last;
      microjoules += value >= zone.last ? value - zone.last : value + zone.range - zone.last;
      zone.last = value;
    });
    return { joules: microjoules / 1e6, method: this.method, source: this.source };
  }
}

async function readCounter(file: string): Promise<number> {
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
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new PowerError(`The energy counter ${file} holds "${text.trim()}", which is no number of microjoules.`);
  }
  return value;
}
