import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import type { Conditions } from "./conditions.ts";
import { type Machine, RAPL_RANGE_UJ, THREADS } from "./machines-worker.ts";

/**
 * Machines whose meters show what the schedule says: for each a procfs with `stat`, and a powercap tree with one package,
 * where the agents' configurations point to. A thread of its own writes them, so that nothing holds them up.
 */
export class Machines {
  readonly #machines: readonly Machine[];
  readonly #worker: Worker;
  #failure: string | undefined;

  private constructor(machines: readonly Machine[]) {
    this.#machines = machines;
    this.#worker = new Worker(new URL("./machines-worker.ts", import.meta.url), { workerData: machines });
    this.#worker.on("error", (error) => {
      this.#failure = `the machines' meters stand still: ${error instanceof Error ? error.message : String(error)}`;
    });
    this.#worker.unref();
  }

  /** Makes so many machines under a directory. Their meters stand still until {@link set}. */
  static async start(directory: string, count: number): Promise<Machines> {
    const machines = Array.from({ length: count }, (_, i) => {
      const root = join(directory, `machine-${String(i)}`);
      return {
        procfs: join(root, "proc"),
        powercap: join(root, "powercap"),
        zone: join(root, "powercap", "intel-rapl:0"),
      };
    });
    for (const { procfs, zone } of machines) {
      await mkdir(procfs, { recursive: true });
      await mkdir(zone, { recursive: true });
      const cpus = Array.from({ length: THREADS }, (_, i) => `cpu${String(i)} 0 0 0 0 0 0 0 0 0 0`);
      await writeFile(join(procfs, "stat"), `cpu  0 0 0 0 0 0 0 0 0 0\n${cpus.join("\n")}\n`);
      await writeFile(join(zone, "name"), "package-0\n");
      await writeFile(join(zone, "max_energy_range_uj"), `${String(RAPL_RANGE_UJ)}\n`);
      await writeFile(join(zone, "energy_uj"), "0\n");
    }
    return new Machines(machines);
  }

  /** What to put into an agent's configuration so that it reads this machine's meters. */
  configuration(index: number): { readonly telemetry: object; readonly power: object } {
    const machine = this.#machines[index];
    if (!machine) throw new RangeError(`there is no machine ${String(index)}`);
    return {
      telemetry: { procfs: machine.procfs, sampleEvery: 3 },
      power: { powercap: machine.powercap, nvidiaSmi: "" },
    };
  }

  /** What the meters show from now on. */
  set(conditions: readonly Conditions[]): void {
    this.#worker.postMessage(conditions);
  }

  /** Why the meters stand still; undefined while they run. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
