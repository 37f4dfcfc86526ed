import { EstimatedMeter } from "./estimate.ts";
import { type EnergyMeter, type EnergyMethod, type EnergyReading, PowerError } from "./meter.ts";
import { NvidiaMeter } from "./nvidia.ts";
import { RaplMeter } from "./rapl.ts";
import { powerRange } from "./table.ts";

/** What a node's energy is made of. */
export interface MachineOptions {
  /** Kind of hardware: what comes before the "/" of the node's class. GPUs count for kinds that begin with "gpu". */
  readonly kind: string;
  /** Hardware threads of the machine, or CPUs of the slice of it that the node is. */
  readonly cpus: number;
  /** GPUs that are assumed where none can be asked. */
  readonly gpus: number;
  /** Whether the node is a slice of the machine: the package meter then tells too much and is not used. */
  readonly slice: boolean;
  /** Root of the powercap tree; empty: do not look. */
  readonly powercap: string;
  /** Path of `nvidia-smi`; empty: do not look. */
  readonly nvidiaSmi: string;
  /** Idle and maximum watts of the processor, if the owner knows better than the table. */
  readonly watts?: { readonly idle: number; readonly max: number } | undefined;
  /** Utilisation of the processor, and that of the GPUs as far as it is known, since the call before; from 0 to 1. */
  readonly cpuLoad: () => number;
  readonly gpuLoad: () => number;
  /** Told of counters in the powercap tree that are locked, and makes do with an estimate; without, they are an error. */
  readonly onLocked?: ((problem: PowerError) => void) | undefined;
}

/**
 * A node's energy: its processor's and, for GPU classes, its GPUs', each by the most trustworthy meter there is.
 *
 * The whole counts as measured only if every part is.
 */
export class MachineMeter implements EnergyMeter {
  readonly method: EnergyMethod;
  readonly source: string;
  readonly #parts: readonly EnergyMeter[];

  private constructor(parts: readonly EnergyMeter[]) {
    this.#parts = parts;
    const methods = parts.map(({ method }) => method);
    this.method = methods.includes("estimated") ? "estimated" : methods.includes("nvml") ? "nvml" : "rapl";
    this.source = parts.map(({ source }) => source).join("; ");
  }

  /** @throws PowerError if there is a meter that cannot be read, with the remedy. */
  static async open(options: MachineOptions): Promise<MachineMeter> {
    const { kind, cpus, gpus, slice, nvidiaSmi, watts } = options;
    const rapl = slice ? undefined : await openRapl(options);
    const parts: EnergyMeter[] = [rapl ?? estimateCpu(cpus, watts, options.cpuLoad)];
    if (kind.startsWith("gpu")) {
      const nvidia = nvidiaSmi === "" ? undefined : await NvidiaMeter.open(nvidiaSmi);
      parts.push(nvidia ?? estimateGpu(kind, gpus, options.gpuLoad));
    }
    return new MachineMeter(parts);
  }

  async read(): Promise<EnergyReading> {
    const readings = await Promise.all(this.#parts.map((part) => part.read()));
    const joules = readings.reduce((sum, reading) => sum + reading.joules, 0);
    return { joules, method: this.method, source: this.source };
  }

  close(): void {
    for (const part of this.#parts) part.close?.();
  }
}

async function openRapl({ powercap, onLocked }: MachineOptions): Promise<RaplMeter | undefined> {
  if (powercap === "") return undefined;
  try {
    return await RaplMeter.open(powercap);
  } catch (error) {
    if (!onLocked || !(error instanceof PowerError)) throw error;
    onLocked(error);
    return undefined;
  }
}

function estimateCpu(cpus: number, watts: MachineOptions["watts"], load: () => number): EnergyMeter {
  const { idle, max } = powerRange("cpu") ?? { idle: 0, max: 0 };
  const range = watts ?? { idle: idle * cpus, max: max * cpus };
  return new EstimatedMeter(`${String(cpus)} hardware thread${cpus === 1 ? "" : "s"}`, range, load);
}

function estimateGpu(kind: string, gpus: number, load: () => number): EnergyMeter {
  // An unknown kind is taken for the most powerful one: rather too much than too little.
  const { idle, max } = powerRange(kind) ?? powerRange("gpu-80g") ?? { idle: 0, max: 0 };
  const words = `${String(gpus)} ${kind} GPU${gpus === 1 ? "" : "s"}`;
  return new EstimatedMeter(words, { idle: idle * gpus, max: max * gpus }, load);
}
