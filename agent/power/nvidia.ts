import { EnergyCounter } from "./counter.ts";
import { type EnergyMeter, type EnergyReading, PowerError } from "./meter.ts";
import { type AnswerShape, firstWords, type ListedGpu, parseGpus } from "./nvidia-answer.ts";
import { Tool } from "./tool.ts";

/** A query takes some 50 ms, a second for each GPU without persistence mode; a driver that hangs must not hold a report up. */
const TIMEOUT_MS = 10_000;
/** Milliseconds between two samples of the power where there is no counter. */
const SAMPLE_MS = 1_000;
/** Watts that no GPU exceeds. */
const GPU_MAX_WATTS = 1_500;
/** GPUs that are asked one by one when the tool lists none because one of them is lost. */
const MOST_SINGLE_QUERIES = 16;

const COUNTER = "total_energy_consumption";
/** The energy counter first (millijoules), then the power: an average over a second where the driver has it. */
const FIELDS = [COUNTER, "power.draw.average", "power.draw"] as const;

/** Which GPUs a meter is for, and what is known of them. */
export interface NvidiaOptions {
  /** GPUs by index or UUID; left out or empty: all that are visible. */
  readonly gpus?: readonly string[] | undefined;
  /** How many there are, where none are named; more visible ones are a mistake, as nobody knows which are meant. */
  readonly count?: number | undefined;
  /** Maximum watts that the machine can draw; no GPU is believed to have used more. */
  readonly maxWatts?: number | undefined;
  /** UUIDs of GPUs that were named by index, kept over openings: the others' indices change when a GPU is lost. */
  readonly known?: Map<string, string>;
  /** Time between two samples of the power; 0 samples at each reading only. */
  readonly sampleMs?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
  /** Time for one query, milliseconds. */
  readonly timeoutMs?: number;
}

/** What is known of one GPU since the last reading. */
interface Gpu {
  readonly counter: EnergyCounter | undefined;
  /** Last power, watts, and its time. */
  watts: number;
  at: number;
  joules: number;
  /** It had no value at the last sample: what comes next also covers a time that was given as not covered. */
  missed: boolean;
}

/**
 * The energy of NVIDIA GPUs, as NVML tells it through `nvidia-smi`: of those that are named, each known by its UUID.
 *
 * Where the tool knows NVML's energy counter, that is read; else the power is sampled each second and integrated by the
 * trapezoidal rule. Both cover the whole board. NVIDIA states ±5 W for the power of most boards. A GPU that gives no number,
 * or one that cannot be, is named as not covered, and the others go on.
 */
export class NvidiaMeter implements EnergyMeter {
  readonly method = "nvml";
  readonly #tool: Tool;
  readonly #field: (typeof FIELDS)[number];
  readonly #shape: AnswerShape;
  readonly #options: NvidiaOptions;
  readonly #now: () => number;
  readonly #gpus = new Map<string, Gpu>();
  /** GPUs that the meter is for, by id; grows where all visible ones are. */
  readonly #wanted: Set<string>;
  readonly #all: boolean;
  readonly #uncovered = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> | undefined;
  /** GPUs had to be asked one by one: too costly for each second. */
  #degraded = false;
  #lines = 0;

  private constructor(tool: Tool, field: (typeof FIELDS)[number], shape: AnswerShape, options: NvidiaOptions) {
    this.#tool = tool;
    this.#field = field;
    this.#shape = shape;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#all = (options.gpus ?? []).length === 0;
    // Those that an earlier meter has found: they can be asked for one by one if the tool lists none.
    const known = (options.gpus ?? []).flatMap((name) => options.known?.get(name.trim().toLowerCase()) ?? []);
    this.#wanted = new Set(known);
  }

  /**
   * Looks for GPUs.
   *
   * @param tool Path of `nvidia-smi`.
   * @returns Undefined if there is no such tool, no driver, no GPU, or none that tells its power.
   */
  static async open(
    tool: string,
    sampleMs = SAMPLE_MS,
    now: () => number = () => performance.now(),
    options: NvidiaOptions = {},
  ): Promise<NvidiaMeter | undefined> {
    return NvidiaMeter.find(tool, { ...options, sampleMs, now }).catch(() => undefined);
  }

  /**
   * Looks for the GPUs that are named, or for all.
   *
   * @throws PowerError if none of them can be measured, with the reason and what helps.
   */
  static async find(path: string, options: NvidiaOptions = {}): Promise<NvidiaMeter> {
    const tool = new Tool(path, options.timeoutMs ?? TIMEOUT_MS);
    let last = new PowerError(`${path} lists no GPU.`);
    let valueless: PowerError | undefined;
    for (const shape of ["byUuid", "byLine"] as const) {
      for (const field of FIELDS) {
        const meter = new NvidiaMeter(tool, field, shape, options);
        try {
          await meter.#begin();
          return meter;
        } catch (error) {
          // Without an answer in time, or without the tool, other questions have none either.
          if (!(error instanceof NoValueError)) throw error;
          if (error.what === "value") valueless = error;
          last = valueless ?? error;
          if (error.what === "driver" || (valueless && field === FIELDS.at(-1))) throw last;
        }
      }
    }
    throw last;
  }

  get source(): string {
    const measured = [...this.#gpus.values()].filter(({ missed }) => !missed).length;
    const of = measured === this.#size ? String(measured) : `${String(measured)} of ${String(this.#size)}`;
    const count = `${of} GPU${of === "1" ? "" : "s"}`;
    return this.#counts ? `NVML energy counter of ${count}` : `NVML ${this.#field} of ${count}, integrated`;
  }

  /** GPUs that the meter is for, whether they can be measured or not. */
  get size(): number {
    return this.#size;
  }

  async read(): Promise<EnergyReading> {
    // What a failed sample misses is in the next one, which also covers its time.
    await this.#sampleOnce();
    let joules = 0;
    for (const [id, gpu] of this.#gpus) {
      if (!this.#uncovered.has(id)) joules += gpu.joules;
      gpu.joules = 0;
    }
    const reading = { joules, method: this.method, source: this.source } as const;
    const missing = Math.max(this.#uncovered.size, this.#size - this.#gpus.size);
    if (missing === 0) return reading;
    const why = [...this.#uncovered.values()].join("; ") || `${this.#tool.path} lists ${String(this.#gpus.size)} GPUs`;
    const share = Math.min(1, missing / Math.max(1, this.#size));
    this.#forgetUnlisted();
    return { ...reading, uncovered: { share, why: `${why}. ${REMEDY}` } };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #counts(): boolean {
    return this.#field === COUNTER;
  }

  get #size(): number {
    const named = this.#options.gpus?.length ?? 0;
    return named > 0 ? this.#wanted.size : Math.max(this.#wanted.size, this.#options.count ?? 0);
  }

  /** The first sample, from which all is counted. */
  async #begin(): Promise<void> {
    const listed = await this.#ask();
    this.#choose(listed);
    await this.#sample(listed);
    this.#uncovered.clear();
    for (const gpu of this.#gpus.values()) gpu.joules = 0;
    const { sampleMs = SAMPLE_MS } = this.#options;
    if (!this.#counts && sampleMs > 0) this.#start(sampleMs);
  }

  /** Settles which GPUs the meter is for. */
  #choose(listed: readonly ListedGpu[]): void {
    const { gpus = [], count, known = new Map<string, string>() } = this.#options;
    if (gpus.length === 0) {
      if (count !== undefined && listed.length > count) {
        throw new PowerError(
          `${this.#tool.path} lists ${String(listed.length)} GPUs where "power.gpus" is ${String(count)}: name those for ` +
            `rent in "executor.gpus", or correct "power.gpus".`,
        );
      }
      return;
    }
    for (const name of gpus) {
      const wanted = name.trim().toLowerCase();
      // As Docker does, a part of a UUID is enough.
      const found = listed.find(
        ({ index, id }) => index === wanted || (wanted.length > 4 && id.toLowerCase().startsWith(wanted)),
      );
      if (found && !known.has(wanted)) known.set(wanted, found.id);
      this.#wanted.add(known.get(wanted) ?? wanted);
    }
  }

  #start(sampleMs: number): void {
    this.#timer = setInterval(() => {
      if (this.#degraded || this.#sampling) return;
      // A reading that waits for it gets the error; without one, the next sample makes up for it.
      this.#sampleOnce().catch(() => undefined);
    }, sampleMs);
    this.#timer.unref();
  }

  /** The sample that is under way, or a new one: the tool never runs twice at once. */
  #sampleOnce(): Promise<void> {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  async #sample(given?: readonly ListedGpu[]): Promise<void> {
    const all = given ?? (await this.#ask());
    const at = this.#now();
    const listed = this.#all ? this.#counting(all) : all.filter(({ id }) => this.#wanted.has(id));
    if (!listed.some((gpu) => this.#valueOf(gpu) !== undefined)) {
      const found = listed.map(({ id, value, instead }) => `${instead ?? String(value)} for GPU ${id}`).join(", ");
      if (found !== "") throw new NoValueError(`${this.#tool.path} gives ${found} as ${this.#field}.`, "value");
      throw new NoValueError(
        `${this.#tool.path} lists none of the node's GPUs (${[...this.#wanted].join(", ")}).`,
        "driver",
      );
    }
    // Without UUIDs nobody knows which of the lines has gone: no counter goes on, and power counts as it is listed now.
    if (this.#shape === "byLine" && this.#lines !== 0 && this.#lines !== all.length) {
      for (const [id, gpu] of this.#gpus) {
        if (this.#counts) gpu.missed = true;
        else gpu.watts = listed.find((each) => each.id === id)?.value ?? gpu.watts;
      }
    }
    this.#lines = all.length;
    for (const gpu of listed) {
      if (this.#all) this.#wanted.add(gpu.id);
      this.#take(gpu, at);
    }
    for (const id of this.#wanted) {
      if (!listed.some((gpu) => gpu.id === id)) this.#miss(id, `GPU ${id} is not listed`);
    }
  }

  /** Where none is named: those that counted before, and others up to the declared number. */
  #counting(listed: readonly ListedGpu[]): readonly ListedGpu[] {
    const others = listed.filter(({ id }) => !this.#wanted.has(id));
    const more = Math.max(0, (this.#options.count ?? Infinity) - this.#wanted.size);
    const left = new Set(others.slice(more));
    return listed.filter((gpu) => !left.has(gpu));
  }

  #take(listed: ListedGpu, at: number): void {
    const { id, instead } = listed;
    const value = this.#valueOf(listed);
    if (value === undefined) {
      this.#miss(id, `GPU ${id} gives ${instead ?? String(listed.value)} as ${this.#field}`);
      return;
    }
    const gpu = this.#gpus.get(id);
    if (!gpu || gpu.missed) {
      if (gpu) this.#uncovered.set(id, `GPU ${id} is back`);
      const kind = { perJoule: 1_000, maxWatts: this.#maxWatts };
      const counter = this.#counts ? new EnergyCounter(kind, value, at) : undefined;
      this.#gpus.set(id, { counter, watts: value, at, joules: gpu?.joules ?? 0, missed: false });
      return;
    }
    if (gpu.counter) {
      const { joules, doubt } = gpu.counter.next(value, at);
      gpu.joules += joules;
      if (doubt !== undefined) this.#uncovered.set(id, `the energy counter of GPU ${id} ${doubt}`);
    } else {
      gpu.joules += (((value + gpu.watts) / 2) * Math.max(0, at - gpu.at)) / 1000;
    }
    gpu.watts = value;
    gpu.at = at;
  }

  #miss(id: string, why: string): void {
    this.#uncovered.set(id, why);
    const gpu = this.#gpus.get(id);
    if (gpu) gpu.missed = true;
    else this.#gpus.set(id, { counter: undefined, watts: 0, at: this.#now(), joules: 0, missed: true });
  }

  /** After a reading: where all visible GPUs count, one that has been taken away counts no longer. */
  #forgetUnlisted(): void {
    for (const [id, why] of this.#uncovered) {
      if (this.#all && why.endsWith("is not listed")) {
        this.#wanted.delete(id);
        this.#gpus.delete(id);
      }
    }
    this.#uncovered.clear();
  }

  get #maxWatts(): number {
    return Math.min(this.#options.maxWatts ?? GPU_MAX_WATTS, GPU_MAX_WATTS);
  }

  /** A number that can be: power within the maximum, a counter that can be told from its neighbours. */
  #valueOf({ value }: ListedGpu): number | undefined {
    if (value === undefined) return undefined;
    return value <= (this.#counts ? Number.MAX_SAFE_INTEGER : this.#maxWatts) ? value : undefined;
  }

  /** @throws PowerError if the tool does not answer, NoValueError if it answers with no GPU. */
  async #ask(): Promise<readonly ListedGpu[]> {
    const fields = this.#shape === "byUuid" ? `index,uuid,${this.#field}` : this.#field;
    const args = [`--query-gpu=${fields}`, "--format=csv,noheader,nounits"];
    // The exit code says little: it is 14 for a damaged infoROM, with all figures right.
    const { stdout, stderr, code } = await this.#tool.run(args);
    const listed = parseGpus(stdout, this.#shape);
    const lost = this.#all ? [] : [...this.#wanted].filter((id) => !listed.some((gpu) => gpu.id === id));
    this.#degraded = lost.length > 0 && this.#shape === "byUuid" && code !== 0;
    if (this.#degraded) {
      // One lost GPU keeps the tool from listing the others.
      for (const id of lost.slice(0, MOST_SINGLE_QUERIES)) {
        const single = await this.#tool.run([...args, `--id=${id}`]);
        listed.push(...parseGpus(single.stdout, this.#shape).filter((gpu) => gpu.id === id));
      }
    }
    if (listed.length > 0) return listed;
    const words = firstWords(stdout, stderr);
    throw new NoValueError(
      `${this.#tool.path} lists no GPU (exit code ${String(code)}${words === "" ? "" : `: ${words}`}).`,
      DRIVER_WORDS.test(words) ? "driver" : "field",
    );
  }
}

/** Words by which the tool says that it cannot answer anything, as opposed to "is not a valid field to query". */
const DRIVER_WORDS = /initialize nvml|communicate with the nvidia driver|no devices were found|mismatch/i;

const REMEDY =
  "Check the driver with nvidia-smi -q, and restart the machine after an update; the meter is tried again by itself.";

/** The tool answers, but has no number that counts: the driver does not work, the field is unknown, or it has no value. */
class NoValueError extends PowerError {
  readonly what: "driver" | "field" | "value";

  constructor(message: string, what: NoValueError["what"]) {
    super(`${message} ${REMEDY}`);
    this.what = what;
  }
}
