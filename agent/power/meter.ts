import { DrmpError } from "@verai/errors/drmp-error";

/**
 * How a figure of energy came about, in order of trust:
 *
 * - `rapl`: counted by the processor's own meter (Intel's and AMD's RAPL)
 * - `nvml`: counted, or sampled as power, by NVIDIA's driver
 * - `estimated`: reckoned from utilisation and a table of idle and maximum power
 */
export type EnergyMethod = "rapl" | "nvml" | "estimated";

/** Energy that a part of the machine used since the reading before. */
export interface EnergyReading {
  readonly joules: number;
  readonly method: EnergyMethod;
  /** What was read, for people: "RAPL package-0, package-1". */
  readonly source: string;
  /** Present if a part of what the meter is for was not measured over the whole period; `joules` is without it. */
  readonly uncovered?: Uncovered;
}

/** A part of the machine that a meter did not measure. */
export interface Uncovered {
  /** Share of what the meter is for, above 0 and up to 1: one of four GPUs is 0.25. */
  readonly share: number;
  /** What happened and what helps, for people. */
  readonly why: string;
}

/** Measures, or estimates, the energy of a part of the machine. */
export interface EnergyMeter {
  readonly method: EnergyMethod;
  readonly source: string;
  /**
   * Energy since the last call (since it was opened, at the first call). Calls must not overlap.
   *
   * @throws PowerError if the meter gives no answer; the energy until then is part of the next reading.
   */
  read(): Promise<EnergyReading>;
  /** Ends sampling in the background, if there is any. */
  close?(): void;
}

/** A meter that cannot be read. The message says which and what helps. */
export class PowerError extends DrmpError {
  override readonly name = "PowerError";

  constructor(message: string, options?: ErrorOptions) {
    super("POWER_UNAVAILABLE", message, options);
  }
}
