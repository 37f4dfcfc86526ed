/** What the form of a spec asks for, as text. */
export interface SpecFields {
  readonly name: string;
  /** "trainer", or "image" by digest. */
  readonly kind: "trainer" | "image";
  readonly program: string;
  /** One a line. */
  readonly args: string;
  /** NAME=value, one a line. */
  readonly env: string;
  readonly cpus: string;
  readonly memoryMiB: string;
  readonly gpus: string;
  /** Seconds. */
  readonly interval: string;
  /** Steps from one of its states to the next, which audits need; empty: it chooses itself. */
  readonly everySteps: string;
  readonly unitSeconds: string;
  /** Paths, one a line. */
  readonly outputs: string;
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** A number where the text is one; the text itself where not, for the schema to say so. */
const numberOf = (text: string): number | string => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text);

/**
 * The spec that a form makes; what the form does not ask for is kept as the spec before had it. The schema judges the whole when it is
 * submitted. Pure.
 */
export function specOf(fields: SpecFields, before: string): string {
  const { name, kind, program, args, env, cpus, memoryMiB, gpus, interval, everySteps, unitSeconds, outputs } = fields;
  const old = objectOf(before);
  const { trainer: _, image: __, ...kept } = old;
  const variables = linesOf(env).map((line): [string, string] => {
    const at = line.indexOf("=");
    return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
  });
  const spec = {
    ...kept,
    version: 1,
    name,
    [kind]: program,
    args: linesOf(args),
    env: Object.fromEntries(variables),
    resources: {
      ...objectOf(kept["resources"]),
      ...{ cpus: numberOf(cpus), memoryMiB: numberOf(memoryMiB), gpus: numberOf(gpus) },
    },
    checkpoint: {
      ...objectOf(kept["checkpoint"]),
      intervalSeconds: numberOf(interval),
      // JSON leaves out what is undefined.
      everySteps: everySteps.trim() === "" ? undefined : numberOf(everySteps),
    },
    outputs: linesOf(outputs),
    timeouts: { ...objectOf(kept["timeouts"]), unitSeconds: numberOf(unitSeconds) },
  };
  return JSON.stringify(spec, null, 2);
}

/** What a spec says, for the form. Pure; what is missing or of another kind is empty. */
export function fieldsOf(text: string): SpecFields {
  const spec = objectOf(text);
  const [resources, checkpoint, timeouts] = [spec["resources"], spec["checkpoint"], spec["timeouts"]].map(objectOf);
  const isImage = typeof spec["image"] === "string";
  return {
    name: textOf(spec["name"]),
    kind: isImage ? "image" : "trainer",
    program: textOf(isImage ? spec["image"] : spec["trainer"]),
    args: listOf(spec["args"]),
    env: Object.entries(objectOf(spec["env"]))
      .map(([name, value]) => `${name}=${textOf(value)}`)
      .join("\n"),
    cpus: textOf(resources?.["cpus"]),
    memoryMiB: textOf(resources?.["memoryMiB"]),
    gpus: textOf(resources?.["gpus"] ?? 0),
    interval: textOf(checkpoint?.["intervalSeconds"]),
    everySteps: textOf(checkpoint?.["everySteps"]),
    unitSeconds: textOf(timeouts?.["unitSeconds"]),
    outputs: listOf(spec["outputs"]),
  };
}

/** Whether a text is JSON and an object: only then can single fields of it be changed. Pure. */
export function isJsonObject(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === "string") {
    try {
      return objectOf(JSON.parse(value) as unknown);
    } catch {
      return {};
    }
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function listOf(value: unknown): string {
  return Array.isArray(value) ? value.map(textOf).join("\n") : "";
}
