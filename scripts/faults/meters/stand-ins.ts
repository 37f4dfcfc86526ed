import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { MeterEvent } from "@verai/agent/power/fallback";
import { MachineMeter, type MachineOptions } from "@verai/agent/power/machine";

/** Range of the counters of most processors, microjoules. */
export const RANGE = 262_143_328_850;

/** Estimated power of the processor in these cases, watts, so that an estimate can be told from what is counted. */
export const ESTIMATED_WATTS = 10;

/** Estimated power of an idle GPU of the class gpu-80g, watts. */
export const ESTIMATED_GPU_WATTS = 46;

/** Maximum watts that the machine of these cases declares. */
export const MAX_WATTS = 400;

/** A powercap tree like that of a real machine, in a directory. */
export class PowercapTree {
  readonly root: string;

  constructor(directory: string) {
    this.root = join(directory, "powercap");
  }

  /** Writes a zone. Joules, or any text, for its counter; the range in microjoules, or any text, or none at all. */
  async zone(zone: string, name: string, counter: number | string, range: number | string | undefined = RANGE) {
    await mkdir(join(this.root, zone), { recursive: true });
    await writeFile(join(this.root, zone, "name"), `${name}\n`);
    if (range === undefined) await rm(join(this.root, zone, "max_energy_range_uj"), { force: true });
    else await writeFile(join(this.root, zone, "max_energy_range_uj"), `${String(range)}\n`);
    await this.count(zone, counter);
  }

  /** Sets a zone's counter. Joules, or any text. */
  async count(zone: string, counter: number | string) {
    const text = typeof counter === "number" ? String(Math.round(counter * 1e6)) : counter;
    await rm(join(this.root, zone, "energy_uj"), { recursive: true, force: true });
    await writeFile(join(this.root, zone, "energy_uj"), `${text}\n`);
  }

  /** A counter that cannot be read. Root reads whatever the mode is, so it is a directory. */
  async lock(zone: string) {
    await rm(join(this.root, zone, "energy_uj"), { recursive: true, force: true });
    await mkdir(join(this.root, zone, "energy_uj"));
  }

  async remove(zone = "") {
    await rm(join(this.root, zone), { recursive: true, force: true });
  }

  async rename(from: string, to: string) {
    await rename(join(this.root, from), join(this.root, to));
  }
}

/** A GPU as the stand-in lists it. */
export interface FakeGpu {
  readonly uuid: string;
  /** What it shows: millijoules or watts, or any text. */
  readonly value: number | string;
}

/** UUID of the n-th GPU. */
export const uuid = (n: number): string => `GPU-${String(n).repeat(8)}-0000-4000-8000-000000000000`;

/** A program that answers like nvidia-smi; fields that it does not know are refused in the tool's own words. */
export class FakeNvidiaSmi {
  readonly path: string;

  constructor(directory: string) {
    this.path = join(directory, "nvidia-smi");
  }

  /** Lists these GPUs for one field; `--id` chooses among them. `noise` comes before, `code` after. */
  async lists(
    gpus: readonly FakeGpu[],
    { field = "total_energy_consumption", noise = "", code = 0, end = "\n", indices = gpus.map((_, i) => i) } = {},
  ) {
    const lines = gpus.map(({ uuid: id, value }, i) => `${String(indices[i])}, ${id}, ${String(value)}`);
    await writeFile(`${this.path}.list`, `${noise}${lines.join("\n")}${lines.length > 0 ? end : ""}`);
    await this.does(`
case "$1" in --query-gpu=index,uuid,${field}) ;; *) echo "Field \\"$1\\" is not a valid field to query."; exit 2;; esac
case "$3" in --id=*) grep -F "\${3#--id=}" "${this.path}.list";; *) cat "${this.path}.list";; esac
exit ${String(code)}`);
  }

  /** Does anything else: the body of a shell script. */
  async does(body: string) {
    await rm(this.path, { force: true });
    await writeFile(this.path, `#!/bin/sh\n${body}\n`);
    await chmod(this.path, 0o755);
  }

  async remove() {
    await rm(this.path, { force: true });
  }
}

/** A machine with a powercap tree and a GPU tool of its own, and a clock that is set by hand. */
export class FakeMachine {
  readonly tree: PowercapTree;
  readonly smi: FakeNvidiaSmi;
  readonly events: MeterEvent[] = [];
  /** Milliseconds. */
  now = 0;
  #meter: MachineMeter | undefined;

  constructor(directory: string) {
    this.tree = new PowercapTree(directory);
    this.smi = new FakeNvidiaSmi(directory);
  }

  /** Opens the meter of a node, as an agent does that is told of no particular tree. */
  async open(changes: Partial<MachineOptions> = {}): Promise<MachineMeter> {
    return (this.#meter = await MachineMeter.open({
      kind: "cpu",
      cpus: 2,
      slice: false,
      powercap: this.tree.root,
      nvidiaSmi: this.smi.path,
      watts: { idle: ESTIMATED_WATTS, max: ESTIMATED_WATTS },
      maxWatts: MAX_WATTS,
      cpuLoad: () => 0,
      gpuLoad: () => 0,
      onLocked: (problem) => this.events.push({ kind: "failed", part: "the processor", why: problem.message }),
      onEvent: (event) => this.events.push(event),
      now: () => this.now,
      ...changes,
    }));
  }

  /** Reads after so many seconds: method and joules, to a thousandth. */
  async after(seconds: number): Promise<{ method: string; joules: number }> {
    if (!this.#meter) throw new Error("open it first");
    this.now += seconds * 1000;
    const { method, joules } = await this.#meter.read();
    return { method, joules: Math.round(joules * 1000) / 1000 };
  }

  /** Problems that were told. */
  get problems(): string[] {
    return this.events.flatMap((event) => (event.kind === "failed" ? [event.why] : []));
  }

  close(): void {
    this.#meter?.close();
  }
}
