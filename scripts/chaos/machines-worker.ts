/** The thread that writes the meters of the machines of a chaos run; see machines.ts. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";

import type { Conditions } from "./conditions.ts";

/** Where a machine's meters are. */
export interface Machine {
  readonly procfs: string;
  readonly powercap: string;
  readonly zone: string;
}

/** Hardware threads that each machine shows. */
export const THREADS = 4;

/** Range of the energy counters, microjoules: of an older processor, so that they also wrap around in a long run. */
export const RAPL_RANGE_UJ = 65_532_610_987;

/** Time between two strokes of the meters, milliseconds. */
const STROKE_MS = 200;
/** USER_HZ. */
const TICKS_PER_SECOND = 100;

interface Meters {
  busy: number;
  idle: number;
  joules: number;
}

/** Brings meters forward by so many seconds. Pure but for the meters. */
export function advance(meters: Meters, { load, watts }: Pick<Conditions, "load" | "watts">, seconds: number): void {
  meters.busy += load * seconds * THREADS * TICKS_PER_SECOND;
  meters.idle += (1 - load) * seconds * THREADS * TICKS_PER_SECOND;
  meters.joules += watts * seconds;
}

/** The first lines of /proc/stat, as the kernel writes them. */
export function statOf({ busy, idle }: Meters): string {
  const line = (name: string, share: number) =>
    `${name} ${String(Math.round(busy * share))} 0 0 ${String(Math.round(idle * share))} 0 0 0 0 0 0`;
  const cpus = Array.from({ length: THREADS }, (_, i) => line(`cpu${String(i)}`, 1 / THREADS));
  return `${[line("cpu ", 1), ...cpus].join("\n")}\n`;
}

/** The counter of a package, microjoules. */
export function counterOf({ joules }: Pick<Meters, "joules">): number {
  return Math.round(joules * 1e6) % (RAPL_RANGE_UJ + 1);
}

/** Like the kernel's files, these are never seen half written. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const port = parentPort;
if (port) {
  const machines = workerData as readonly Machine[];
  const all = machines.map((): Meters => ({ busy: 0, idle: 0, joules: 0 }));
  let conditions: readonly Conditions[] = [];
  let last = performance.now();
  const stroke = () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    machines.forEach(({ procfs, zone }, i) => {
      const [meters, own] = [all[i], conditions[i]];
      if (!meters || !own) return;
      advance(meters, own, seconds);
      replace(join(procfs, "stat"), statOf(meters));
      replace(join(zone, "energy_uj"), `${String(counterOf(meters))}\n`);
    });
  };
  port.on("message", (next: readonly Conditions[]) => {
    // What has passed passed under what was shown before.
    stroke();
    conditions = next;
  });
  setInterval(stroke, STROKE_MS);
}
