import { EstimatedMeter } from "./estimate.ts";
import { FallbackMeter, type MeterEvent } from "./fallback.ts";
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
  /** GPUs of the node where none are named; left out: all that are visible, and one where none can be asked. */
  readonly gpus?: number | undefined;
  /** GPUs for rent, by index or UUID: only these count. Empty or left out: as `gpus` says. */
  readonly rented?: readonly string[] | undefined;
  /** Whether the node is a slice of the machine: the package meter then tells too much and is not used. */
  readonly slice: boolean;
  /** Root of the powercap tree; empty: do not look. */
  readonly powercap: string;
  /** Path of `nvidia-smi`; empty: do not look. */
  readonly nvidiaSmi: string;
  /** Idle and maximum watts of the processor, if the owner knows better than the table. */
  readonly watts?: { readonly idle: number; readonly max: number } | undefined;
  /** Maximum watts that the node can draw, as declared: nothing above it is believed, or estimated. */
  readonly maxWatts?: number | undefined;
  /** Utilisation of the processor, and that of the GPUs as far as it is known, since the call before; from 0 to 1. */
  readonly cpuLoad: () => number;
  readonly gpuLoad: () => number;
  /** Told of counters in the powercap tree that are locked, and makes do with an estimate; without, they are an error. */
  readonly onLocked?: ((problem: PowerError) => void) | undefined;
  /** Told of a meter that fails or works again, once each. */
  readonly onEvent?: ((event: MeterEvent) => void) | undefined;
  /** Monotonic clock in milliseconds. */
  readonly now?: (() => number) | undefined;
}

type Part = EstimatedMeter | FallbackMeter;

/**
 * A node's energy: its processor's and, for GPU classes, its GPUs', each by the most trustworthy meter there is.
 *
 * A reading counts as measured only if every part was measured over the whole of its period. A meter that fails is replaced
 * by the estimate until it works again: {@link read} never rejects.
 */
export class MachineMeter implements EnergyMeter {
  readonly #parts: readonly Part[];
  readonly #maxWatts: number;
  readonly #now: () => number;
  #last: number;

  private constructor(parts: readonly Part[], { maxWatts = Infinity, now = () => performance.now() }: MachineOptions) {
    this.#parts = parts;
    this.#maxWatts = maxWatts;
    this.#now = now;
    this.#last = now();
  }

  /** @throws PowerError if the processor's counters are locked and `onLocked` is left out, with the remedy. */
  static async open(options: MachineOptions): Promise<MachineMeter> {
    const parts = [await processorMeter(options)];
    if (options.kind.startsWith("gpu")) parts.push(await gpuMeter(options));
    return new MachineMeter(parts, options);
  }

  /** As of now; each reading has its own. */
  get method(): EnergyMethod {
    return weakest(this.#parts.map(({ method }) => method));
  }

  get source(): string {
    return this.#parts.map(({ source }) => source).join("; ");
  }

  /** Never rejects. */
  async read(): Promise<EnergyReading> {
    const readings = await Promise.all(this.#parts.map((part) => part.read()));
    const now = this.#now();
    const seconds = Math.max(0, now - this.#last) / 1000;
    this.#last = now;
    const sum = readings.reduce((total, reading) => total + reading.joules, 0);
    const method = weakest(readings.map((reading) => reading.method));
    return {
      // No machine uses more than its maximum, so no estimate says so.
      joules: method === "estimated" ? Math.min(sum, this.#maxWatts * seconds) : sum,
      method,
      source: readings.map(({ source }) => source).join("; "),
    };
  }

  close(): void {
    for (const part of this.#parts) if (part instanceof FallbackMeter) part.close();
  }
}

function weakest(methods: readonly EnergyMethod[]): EnergyMethod {
  return methods.includes("estimated") ? "estimated" : methods.includes("nvml") ? "nvml" : "rapl";
}

async function processorMeter(options: MachineOptions): Promise<Part> {
  const { cpus, watts, slice, powercap, maxWatts, onLocked, onEvent, now } = options;
  const { idle, max } = powerRange("cpu") ?? { idle: 0, max: 0 };
  const range = watts ?? { idle: idle * cpus, max: max * cpus };
  const words = `${String(cpus)} hardware thread${cpus === 1 ? "" : "s"}`;
  const estimate = new EstimatedMeter(words, range, options.cpuLoad, now);
  if (slice || powercap === "") return estimate;
  let expected: readonly string[] = [];
  const open = async () => {
    const meter = await RaplMeter.open(powercap, { maxWatts, expected, ...(now && { now }) });
    if (!meter) return undefined;
    expected = meter.packages;
    return meter;
  };
  let opened = false;
  const tell = (event: MeterEvent) => {
    if (opened || event.kind === "back" || !onLocked) onEvent?.(event);
    else onLocked(new PowerError(event.why));
  };
  const meter = await FallbackMeter.start({ part: "the processor", open, estimate, onEvent: tell, now }, !onLocked);
  opened = true;
  return meter;
}

async function gpuMeter(options: MachineOptions): Promise<Part> {
  const { kind, nvidiaSmi, rented = [], maxWatts, onEvent, now } = options;
  const named = [...new Set(rented.map((name) => name.trim().toLowerCase()))];
  const known = new Map<string, string>();
  const open = () =>
    NvidiaMeter.find(nvidiaSmi, { gpus: named, count: options.gpus, maxWatts, known, ...(now && { now }) });
  let count = named.length || options.gpus;
  if (nvidiaSmi === "") return estimateGpu(options, count ?? 1);
  // The first look tells how many there are, if nothing else does.
  const first = await open().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  if (first instanceof NvidiaMeter) count ??= first.size;
  const looks = [first];
  const meter = await FallbackMeter.start({
    part: `the ${kind} GPUs`,
    open: () => {
      const look = looks.pop();
      if (look instanceof NvidiaMeter) return Promise.resolve(look);
      return look ? Promise.reject(look) : open();
    },
    estimate: estimateGpu(options, count ?? 1),
    onEvent,
    now,
  });
  return meter;
}

function estimateGpu({ kind, gpuLoad, now }: MachineOptions, gpus: number): EstimatedMeter {
  // An unknown kind is taken for a powerful one: rather too much than too little.
  const { idle, max } = powerRange(kind) ?? powerRange("gpu-80g") ?? { idle: 0, max: 0 };
  const words = `${String(gpus)} ${kind} GPU${gpus === 1 ? "" : "s"}`;
  return new EstimatedMeter(words, { idle: idle * gpus, max: max * gpus }, gpuLoad, now);
}
