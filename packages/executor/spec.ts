import { CID } from "multiformats/cid";
import { z } from "zod";

import { MAX_CHECKPOINT_NUMBER } from "./checkpoint-number.ts";
import { environmentNameProblem } from "./environment.ts";
import { WorkloadError } from "./errors.ts";
import { MAX_EXCHANGE_FILE_MIB, MAX_EXCHANGE_UNITS } from "./exchange.ts";
import { isSealed, parseEnvelope } from "./sealed/envelope.ts";
import { collidingPaths, relativePathProblem } from "./paths.ts";

/** Longest task spec, in bytes. */
export const MAX_SPEC_BYTES = 64 * 1024;

const DAY = 86_400;

/** Image by digest; a tag may stand before the digest, for people to read. Docker's reference grammar. */
const IMAGE =
  /^(?:[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?@sha256:[0-9a-f]{64}$/;

/** What a message says where a value is of the wrong type, or out of bounds. */
const whole = (min: number, max: number, what: string) => {
  const error = `has to be ${what}: a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
const line = (max: number, what: string) => {
  const error = `has to be ${what}: text of at most ${max} characters`;
  // NUL would end the text for the operating system.
  return z
    .string({ error })
    .max(max, { error })
    .refine((value) => !value.includes("\0"), { error: "has a NUL character: remove it" });
};
const path = line(255, "a relative path").superRefine((value, context) => {
  const problem = relativePathProblem(value);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** Whether a variable is named as secrets are. */
function isSecretName(name: string): boolean {
  return /_(?:KEY|TOKEN|SECRET|PASSWORD)$/i.test(name) || /^(?:KEY|TOKEN|SECRET|PASSWORD)$/i.test(name);
}

/** Schema of a task spec; see {@link TaskSpec} for the meaning of its fields. Unknown keys are errors. */
const taskSpec = z
  .strictObject({
    version: z.literal(1, { error: "has to be 1, the only version there is" }),
    name: line(100, "the task's name, for people to read").min(1, { error: "is empty: name the task" }),
    image: z
      .string({ error: "has to be an image by digest" })
      .regex(IMAGE, { error: "has to be an image by digest, such as registry.example/trainer@sha256:<64 hex digits>" })
      .optional(),
    registry: z
      .strictObject({
        username: line(255, "the user that may pull the image").min(1, { error: "is empty: name the user" }),
        password: line(8192, "the user's password or token").min(1, { error: "is empty: give the password" }),
      })
      .optional(),
    trainer: z
      .string({ error: 'has to be the name of a built-in trainer, such as "digits"' })
      .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'has to be the name of a built-in trainer, such as "digits"' })
      .optional(),
    command: z
      .array(line(4096, "a word of the command"))
      .min(1, { error: "is empty: leave it out" })
      .max(64)
      .optional(),
    args: z.array(line(4096, "an argument")).max(256).default([]),
    env: z.record(z.string(), line(16_384, "a variable's value")).default({}),
    inputs: z.record(z.string(), path).default({}),
    resources: z.strictObject({
      cpus: z
        .number({ error: "has to be a number of CPUs from 0.1 to 1024" })
        .min(0.1, { error: "has to be at least 0.1 CPUs" })
        .max(1024, { error: "has to be at most 1024 CPUs" }),
      memoryMiB: whole(64, 16 * 1024 * 1024, "the memory limit in MiB"),
      gpus: whole(0, 64, "the number of GPUs").default(0),
      gpuMemoryMiB: whole(1, 16 * 1024 * 1024, "the MiB of memory that each GPU needs").optional(),
      ephemeralMiB: whole(16, 1024 * 1024, "the MiB for the log and /tmp").optional(),
      shmMiB: whole(1, 16 * 1024 * 1024, "the MiB of shared memory, /dev/shm").optional(),
    }),
    checkpoint: z.strictObject({
      intervalSeconds: whole(1, 7 * DAY, "the seconds from one checkpoint to the next"),
      everySteps: whole(1, MAX_CHECKPOINT_NUMBER, "the steps from one local checkpoint to the next").optional(),
    }),
    exchange: z
      .strictObject({
        fileMiB: whole(1, MAX_EXCHANGE_FILE_MIB, "the MiB of the largest file that a unit exchanges"),
        quorum: whole(1, MAX_EXCHANGE_UNITS, "the units that a round needs").default(1),
        graceSeconds: whole(0, 3600, "the seconds for which a round waits for more units than it needs").default(30),
      })
      .optional(),
    outputs: z.array(path).min(1, { error: "is empty: name what the program leaves in DRMP_OUTPUT_DIR" }).max(64),
    timeouts: z.strictObject({
      unitSeconds: whole(1, 14 * DAY, "the longest time of one attempt at a unit, in seconds"),
      graceSeconds: whole(0, 3600, "the time to write a last checkpoint, in seconds").default(20),
    }),
    maxRestarts: whole(0, 100, "how often a unit may be restarted on one node").default(3),
    retryableExitCodes: z
      .array(whole(1, 255, "an exit code"))
      .max(255)
      .default([]),
    confidential: z.boolean({ error: "has to be true or false" }).optional(),
    public: z.boolean({ error: "has to be true or false" }).optional(),
    readers: z
      .array(
        z
          .string({ error: "has to be an address" })
          .regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address: 0x and 40 hexadecimal digits" }),
      )
      .max(32)
      .optional(),
    network: z.enum(["none", "outbound"], { error: 'has to be "none" (the default) or "outbound"' }).default("none"),
  })
  .superRefine((spec, context) => {
    const issue = (where: (string | number)[], message: string) => {
      context.addIssue({ code: "custom", path: where, message });
    };
    if ((spec.image === undefined) === (spec.trainer === undefined)) {
      issue([], 'has to name exactly one program: "image" (by digest) or "trainer" (built in)');
    }
    if (spec.trainer !== undefined) {
      if (spec.command) issue(["command"], "is for images: a built-in trainer takes args and env only");
      if (spec.network !== "none") issue(["network"], 'has to be "none" for a built-in trainer: it needs no network');
    }
    if (spec.registry !== undefined && spec.image === undefined) {
      issue(["registry"], "is for pulling an image, and the spec names none: leave it out");
    }
    if (spec.registry !== undefined && spec.confidential !== true) {
      issue(["registry"], 'is a secret, and all nodes of the task read the spec: set "confidential": true');
    }
    const { gpus, gpuMemoryMiB, memoryMiB, shmMiB = 0 } = spec.resources;
    if (gpuMemoryMiB !== undefined && gpus === 0) {
      issue(["resources", "gpuMemoryMiB"], "is for GPUs, and resources.gpus is 0: leave it out, or ask for GPUs");
    }
    if (shmMiB > memoryMiB) {
      issue(["resources", "shmMiB"], `has to be at most resources.memoryMiB (${memoryMiB}), as what lies there counts`);
    }
    if (spec.confidential === true && spec.public === true) {
      issue(["public"], "cannot be true for a confidential task: leave one of the two out");
    }
    for (const name of Object.keys(spec.env)) {
      const problem = environmentNameProblem(name, spec.trainer);
      if (problem !== undefined) issue(["env", name], problem);
      else if (spec.confidential !== true && isSecretName(name)) {
        issue(
          ["env", name],
          'is the name of a secret, and all nodes of the task read the spec: set "confidential": true, or rename it',
        );
      }
    }
    for (const cid of Object.keys(spec.inputs)) {
      const problem = cidProblem(cid);
      if (problem !== undefined) issue(["inputs", cid], problem);
    }
    for (const [key, paths] of [["inputs", Object.values(spec.inputs)] as const, ["outputs", spec.outputs] as const]) {
      const clash = collidingPaths(paths);
      if (clash) issue([key], `has "${clash[0]}" and "${clash[1]}", which cannot exist side by side: rename one`);
    }
    if (spec.retryableExitCodes.includes(143)) {
      issue(["retryableExitCodes"], "has 143, which says that the program was drained: leave it out");
    }
  });

/**
 * What a developer wants run, and how: the same for every unit of a task.
 *
 * - `image` or `trainer`: an image by digest, or a program built into the agent; exactly one
 * - `registry`: `username` and `password` that the image is pulled with; in confidential specs only
 * - `command`, `args`, `env`: as usual; DRMP_* are the agent's, and a built-in trainer takes only variables that bear
 *   its name (`DIGITS_*`) and no command
 * - `inputs`: CID → path below DRMP_INPUT_DIR
 * - `resources`: `cpus`, `memoryMiB`, `gpus`, `gpuMemoryMiB` of each; `ephemeralMiB` for its log and /tmp, `shmMiB` for
 *   /dev/shm, where it needs more than it gets anyway
 * - `checkpoint.intervalSeconds`: how often the program means to write one, below DRMP_CHECKPOINT_DIR
 * - `checkpoint.everySteps`: it numbers checkpoints by step and writes one at each multiple, whose digest its node keeps
 * - `exchange`: the task's units train one model: `fileMiB` bounds each file that they exchange, a round needs `quorum` units
 *   and waits `graceSeconds` for the others
 * - `outputs`: paths below DRMP_OUTPUT_DIR that exist when it has ended well
 * - `timeouts`: `unitSeconds` for an attempt, `graceSeconds` between SIGTERM and SIGKILL
 * - `maxRestarts`, `retryableExitCodes`: see `restarts.ts`
 * - `network`: "none" or "outbound"
 * - `confidential`: spec, inputs, checkpoints and results are sealed under a key that only the task's nodes are given
 * - `public`: anyone who asks may read spec, inputs, checkpoints and results; `readers`: addresses that may, beside the developer
 */
export type TaskSpec = z.output<typeof taskSpec>;

/** A task spec as people write it: what has a default may be left out. */
export type TaskSpecInput = z.input<typeof taskSpec>;

/**
 * Reads and checks a task spec.
 *
 * @param bytes UTF-8 JSON of at most {@link MAX_SPEC_BYTES}.
 * @throws {@link WorkloadError} `SPEC_INVALID`; each finding names its path, the value and the remedy.
 */
export function parseSpec(bytes: Uint8Array): TaskSpec {
  if (bytes.byteLength > MAX_SPEC_BYTES) {
    throw new WorkloadError(
      "SPEC_INVALID",
      `The task spec has ${bytes.byteLength} bytes, but at most ${MAX_SPEC_BYTES} are allowed: move data to inputs.`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new WorkloadError("SPEC_INVALID", `The task spec is not JSON in UTF-8: ${String(cause)}`, { cause });
  }
  return check(json);
}

/** CIDs of the inputs of a spec, be it sealed or not, each once. @throws {@link WorkloadError} `SPEC_INVALID` as {@link parseSpec} does. */
export function inputsOf(bytes: Uint8Array): string[] {
  return isSealed(bytes) ? [...new Set(parseEnvelope(bytes).inputs)] : Object.keys(parseSpec(bytes).inputs);
}

/**
 * The bytes of a task spec to publish: canonical JSON (defaults filled in, keys sorted, no blanks), so that specs that
 * mean the same have the same CID.
 *
 * @throws {@link WorkloadError} `SPEC_INVALID` as {@link parseSpec} does.
 */
export function specBytes(spec: TaskSpecInput): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(sortKeys(check(spec))));
  parseSpec(bytes);
  return bytes;
}

function check(json: unknown): TaskSpec {
  const parsed = taskSpec.safeParse(json);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) => `- ${describe(issue, json)}`);
  throw new WorkloadError("SPEC_INVALID", `The task spec does not fit:\n${findings.join("\n")}`);
}

function describe(issue: z.core.$ZodIssue, json: unknown): string {
  const at = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .map((key) => `${at ? `${at}.` : ""}${key} is unknown: correct its spelling or remove it`)
      .join("\n- ");
  }
  if (issue.path.length === 0) return `the spec ${issue.message}`;
  const value = valueAt(json, issue.path);
  if (value === undefined) return `${at} is missing: it ${issue.message}`;
  // Messages are logged, and these are secrets.
  if (issue.path[0] === "registry") return `${at} ${issue.message}`;
  const shown = JSON.stringify(value);
  return `${at} is ${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown}: it ${issue.message}`;
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function cidProblem(text: string): string | undefined {
  try {
    const cid = CID.parse(text);
    const known = cid.version === 1 && cid.multihash.code === 0x12 && (cid.code === 0x55 || cid.code === 0x70);
    if (known && cid.toString() === text) return undefined;
  } catch {
    // not a CID at all: the same remedy
  }
  return "is under a key that is no CIDv1 (sha2-256, raw or dag-pb) in base32: use one such as bafybei… or bafkrei…";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
}
