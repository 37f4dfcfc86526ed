import { parseSpec, specBytes, type TaskSpecInput } from "@verai/executor/spec";
import { CommandError } from "../errors.ts";

/** A Python program that is to be run, as the command line names it. */
export interface PythonProgram {
  /** File name of the script, in the folder that is packed. */
  readonly script: string;
  /** CID of that folder. */
  readonly code: string;
  /** CID of the data, if there is any. */
  readonly data: string | undefined;
  /** Undefined: the Python of a machine that has the trainer {@link LOCAL_PYTHON}. */
  readonly image: string | undefined;
  readonly confidential: boolean;
  /** What the image is pulled with, if its registry wants that. */
  readonly registry?: { readonly username: string; readonly password: string } | undefined;
  readonly args: readonly string[];
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly scratchMiB: number;
  readonly outputs: readonly string[];
  /** Seconds. */
  readonly checkpointInterval: number;
  readonly unitSeconds: number;
  /** Steps from one local checkpoint to the next; left out: the program chooses. */
  readonly everySteps?: number;
  /** Its units train one model; left out: each one of its own. */
  readonly exchange?: NonNullable<TaskSpecInput["exchange"]>;
}

/** Names of a program's inputs below DRMP_INPUT_DIR. */
const [CODE, DATA] = ["code", "data"];
/** Name of the trainer by which nodes of a network on one machine run scripts with that machine's Python. */
export const LOCAL_PYTHON = "python";
/** Where an image's containers have their inputs. */
const INPUT = "/verai/input";

/** The spec of a Python program in an image of PyTorch: its folder and its data are inputs. Pure. */
export function programSpec(program: PythonProgram): Uint8Array {
  const { script, code, data, image, args, cpus, memoryMiB, gpus, scratchMiB, outputs } = program;
  if (data === code)
    throw new CommandError(
      "OPTION_INVALID",
      "The data is the script's own folder: leave --data out, or name another folder.",
    );
  return specBytes({
    version: 1,
    name: script.slice(0, 100),
    ...(image === undefined
      ? { trainer: LOCAL_PYTHON, args: [`${CODE}/${script}`, ...args] }
      : // The image's entry point, its init, stays.
        { image, args: ["python3", `${INPUT}/${CODE}/${script}`, ...args] }),
    ...(program.confidential && { confidential: true }),
    ...(program.registry && { registry: program.registry }),
    inputs: { [code]: CODE, ...(data === undefined ? {} : { [data]: DATA }) },
    resources: {
      cpus,
      memoryMiB,
      gpus,
      ...(image !== undefined && {
        ephemeralMiB: scratchMiB,
        // Workers of a loader hand over batches there.
        shmMiB: Math.floor(memoryMiB / 4),
      }),
    },
    checkpoint: {
      intervalSeconds: program.checkpointInterval,
      ...(program.everySteps !== undefined && { everySteps: program.everySteps }),
    },
    ...(program.exchange && { exchange: program.exchange }),
    outputs: [...outputs],
    timeouts: { unitSeconds: program.unitSeconds, graceSeconds: 60 },
  });
}

/**
 * Adds inputs to a spec.
 *
 * @param inputs Such as `bafy…=data,bafk…=words.txt`; "" for none.
 * @throws Error that names what is wrong, or what `parseSpec` throws.
 */
export function withInputs(spec: Uint8Array, inputs: string): Uint8Array {
  const parsed = parseSpec(spec);
  if (inputs === "") return spec;
  const added: Record<string, string> = {};
  for (const each of inputs.split(",")) {
    const [cid = "", path = "", ...more] = each.split("=");
    if (cid === "" || path === "" || more.length > 0) {
      throw new CommandError(
        "OPTION_INVALID",
        `--input has "${each}": write <CID>=<path below DRMP_INPUT_DIR>, several of them with commas.`,
      );
    }
    if (cid in added || cid in parsed.inputs)
      throw new CommandError("OPTION_INVALID", `--input has ${cid}, which the spec has already: leave it out.`);
    added[cid] = path;
  }
  return specBytes({ ...(parsed as TaskSpecInput), inputs: { ...parsed.inputs, ...added } });
}
