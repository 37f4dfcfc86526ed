import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { type EnergyMeter, type EnergyReading, PowerError } from "./meter.ts";

const run = promisify(execFile);

/** A query takes some 50 ms; a driver that hangs must not hold a report up. */
const TIMEOUT_MS = 10_000;
/** Milliseconds between two samples of the power where there is no counter. */
const SAMPLE_MS = 1_000;

/** Fields of the power, the better one first: an average over a second where the driver has it. */
const POWER_FIELDS = ["power.draw.average", "power.draw"] as const;

/**
 * The energy of all NVIDIA GPUs, as NVML tells it through `nvidia-smi`.
 *
 * Where the tool knows NVML's energy counter, that is read; else the power is sampled each second and integrated by the
 * trapezoidal rule. Both cover the whole board. NVIDIA states ±5 W for the power of most boards.
 */
export class NvidiaMeter implements EnergyMeter {
  readonly method = "nvml";
  readonly source: string;
  readonly #tool: string;
  readonly #field: string;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> | undefined;
  /** Last counters (millijoules), or last power (watts) and its time. */
  #last: readonly number[];
  #lastAt: number;
  #joules = 0;

  private constructor(tool: string, field: string, first: readonly number[], now: () => number) {
    this.#tool = tool;
    this.#field = field;
    this.#last = first;
    this.#now = now;
    this.#lastAt = now();
    const count = `${String(first.length)} GPU${first.length === 1 ? "" : "s"}`;
    this.source = this.#counts ? `NVML energy counter of ${count}` : `NVML ${field} of ${count}, integrated`;
  }

  /**
   * Looks for GPUs.
   *
   * @param tool Path of `nvidia-smi`.
   * @param sampleMs Time between two samples of the power; 0 samples at each reading only.
   * @param now Clock in milliseconds.
   * @returns Undefined if there is no such tool, no driver, no GPU, or none that tells its power.
   */
  static async open(
    tool: string,
    sampleMs = SAMPLE_MS,
    now: () => number = () => performance.now(),
  ): Promise<NvidiaMeter | undefined> {
    for (const field of ["total_energy_consumption", ...POWER_FIELDS]) {
      const first = await query(tool, field).catch(() => undefined);
      if (!first || first.length === 0) continue;
      const meter = new NvidiaMeter(tool, field, first, now);
      if (!meter.#counts && sampleMs > 0) meter.#start(sampleMs);
      return meter;
    }
    return undefined;
  }

  async read(): Promise<EnergyReading> {
    await this.#sampling;
    // What a failed sample misses is in the next one, which covers its time, too.
    await this.#sample();
    const joules = this.#joules;
    this.#joules = 0;
    return { joules, method: this.method, source: this.source };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #counts(): boolean {
    return this.#field === "total_energy_consumption";
  }

  #start(sampleMs: number): void {
    this.#timer = setInterval(() => {
      this.#sampling ??= this.#sample()
        .catch(() => undefined)
        .finally(() => {
          this.#sampling = undefined;
        });
    }, sampleMs);
    this.#timer.unref();
  }

  async #sample(): Promise<void> {
    const values = await query(this.#tool, this.#field).catch((cause: unknown) => {
      throw new PowerError(
        `${this.#tool} no longer answers: check the driver, or restart the agent to have the energy of the GPUs estimated.`,
        { cause },
      );
    });
    const at = this.#now();
    const seconds = (at - this.#lastAt) / 1000;
    values.forEach((value, i) => {
      const before = this.#last[i] ?? value;
      // A counter that goes back has been reset with the driver: what it holds now is new.
      if (this.#counts) this.#joules += (value >= before ? value - before : value) / 1000;
      else this.#joules += ((value + before) / 2) * seconds;
    });
    this.#last = values;
    this.#lastAt = at;
  }
}

/** One number for each GPU. @throws if the tool fails, or if a GPU has no such number. */
async function query(tool: string, field: string): Promise<number[]> {
  const args = [`--query-gpu=${field}`, "--format=csv,noheader,nounits"];
  const { stdout } = await run(tool, args, { timeout: TIMEOUT_MS });
  const lines = stdout.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const value = Number(line.trim());
    if (!Number.isFinite(value) || value < 0) throw new PowerError(`${tool} answers "${line.trim()}" for ${field}.`);
    return value;
  });
}
