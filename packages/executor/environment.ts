import { WorkloadError } from "./errors.ts";

/** Prefix of the variables that belong to the workload contract; a spec may not set them. */
const RESERVED_PREFIX = "DRMP_";

/** Which unit of which task a program runs, and for the how-manieth time. */
export interface UnitIdentity {
  readonly taskId: number;
  /** Index of the unit in its task, 0 … unitCount − 1. */
  readonly unitIndex: number;
  /** Units of the whole task. */
  readonly unitCount: number;
  /** Starts of this unit under the lease at hand, this one included. */
  readonly attempt: number;
  /** Step at which it stops with its state written; left out: it runs to its end. */
  readonly stopAt?: number;
}

/** Absolute paths as the workload sees them; in a container they differ from the agent's. */
export interface WorkloadDirectories {
  /** Checkpoints; the newest is already restored there. See `checkpoints.ts` for its rules. */
  readonly checkpoint: string;
  /** Inputs of the spec, to be read only. */
  readonly input: string;
  /** Where results go. */
  readonly output: string;
  /** What units of one task exchange; see `exchange.ts` for its rules. Undefined if they exchange nothing. */
  readonly exchange?: string;
}

/** How units that exchange files agree on a round: the spec's `exchange`. */
export interface ExchangeTerms {
  /** Units that a round needs. */
  readonly quorum: number;
  /** Seconds for which it waits for more. */
  readonly graceSeconds: number;
}

/** What of a spec a program is told. */
interface ToldSpec {
  readonly env: Readonly<Record<string, string>>;
  readonly exchange?: ExchangeTerms | undefined;
  readonly checkpoint?: { readonly everySteps?: number | undefined } | undefined;
}

/** What a program learns from its environment. */
export interface UnitEnvironment extends UnitIdentity {
  readonly directories: WorkloadDirectories;
  /** Undefined if its units exchange nothing. */
  readonly exchange?: ExchangeTerms;
  /**
   * Steps from one local checkpoint to the next, which are then written at each multiple, and kept until the agent has taken note
   * of them; undefined if the program chooses.
   */
  readonly checkpointSteps?: number;
}

/**
 * The whole environment of a unit. Nothing is taken over from the agent's own environment, where keys and tokens may be:
 * locale and time zone are fixed, which also keeps results the same on every machine, and there is no PATH, as an image
 * brings its own and a built-in trainer may start no program.
 *
 * @param spec The variables of the contract win over those that it sets.
 */
export function unitEnvironment(
  { env, exchange, checkpoint }: ToldSpec,
  unit: UnitIdentity,
  directories: WorkloadDirectories,
): Record<string, string> {
  const everySteps = checkpoint?.everySteps;
  return {
    LANG: "C.UTF-8",
    TZ: "UTC",
    ...env,
    DRMP_TASK_ID: String(unit.taskId),
    DRMP_UNIT_INDEX: String(unit.unitIndex),
    DRMP_UNIT_COUNT: String(unit.unitCount),
    DRMP_ATTEMPT: String(unit.attempt),
    DRMP_CHECKPOINT_DIR: directories.checkpoint,
    DRMP_INPUT_DIR: directories.input,
    DRMP_OUTPUT_DIR: directories.output,
    ...(everySteps === undefined ? {} : { DRMP_CHECKPOINT_STEPS: String(everySteps) }),
    ...(unit.stopAt === undefined ? {} : { DRMP_STOP_AT: String(unit.stopAt) }),
    ...(exchange === undefined || directories.exchange === undefined
      ? {}
      : {
          DRMP_EXCHANGE_DIR: directories.exchange,
          DRMP_EXCHANGE_QUORUM: String(exchange.quorum),
          DRMP_EXCHANGE_GRACE: String(exchange.graceSeconds),
        }),
  };
}

/**
 * The other end of {@link unitEnvironment}, for programs.
 *
 * @throws {@link WorkloadError} `ENVIRONMENT_INVALID` if a variable is missing or makes no sense.
 */
export function readUnitEnvironment(env: Readonly<Record<string, string | undefined>>): UnitEnvironment {
  const exchange = env["DRMP_EXCHANGE_DIR"];
  const [steps, stopAt] = [env["DRMP_CHECKPOINT_STEPS"], env["DRMP_STOP_AT"]];
  const unit = {
    taskId: whole(env, "DRMP_TASK_ID"),
    unitIndex: whole(env, "DRMP_UNIT_INDEX"),
    unitCount: whole(env, "DRMP_UNIT_COUNT"),
    attempt: whole(env, "DRMP_ATTEMPT"),
    directories: {
      checkpoint: text(env, "DRMP_CHECKPOINT_DIR"),
      input: text(env, "DRMP_INPUT_DIR"),
      output: text(env, "DRMP_OUTPUT_DIR"),
      ...(exchange === undefined ? {} : { exchange }),
    },
    ...(steps === undefined ? {} : { checkpointSteps: whole(env, "DRMP_CHECKPOINT_STEPS") }),
    ...(stopAt === undefined ? {} : { stopAt: whole(env, "DRMP_STOP_AT") }),
    ...(exchange === undefined
      ? {}
      : {
          exchange: {
            quorum: whole(env, "DRMP_EXCHANGE_QUORUM"),
            graceSeconds: whole(env, "DRMP_EXCHANGE_GRACE"),
          },
        }),
  };
  if (unit.unitIndex >= unit.unitCount) {
    throw new WorkloadError(
      "ENVIRONMENT_INVALID",
      `DRMP_UNIT_INDEX is ${unit.unitIndex}, but DRMP_UNIT_COUNT is ${unit.unitCount}: indices start at 0.`,
    );
  }
  if (unit.checkpointSteps === 0) {
    throw new WorkloadError("ENVIRONMENT_INVALID", "DRMP_CHECKPOINT_STEPS is 0: it has to be at least 1.");
  }
  return unit;
}

/**
 * Why a spec may not set a variable; undefined if it may.
 *
 * @param trainer The built-in trainer that the spec names. Such a trainer runs as a plain process, where variables such
 *   as NODE_OPTIONS, OPENSSL_CONF or LD_PRELOAD would undo its isolation; so it gets those alone that bear its name.
 */
export function environmentNameProblem(name: string, trainer?: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) || name === "__proto__") {
    return "is no name for a variable: use letters, digits and _, not starting with a digit, at most 128 of them";
  }
  if (name.toUpperCase().startsWith(RESERVED_PREFIX)) return `is reserved: only the agent sets ${RESERVED_PREFIX}*`;
  if (trainer === undefined) return undefined;
  const prefix = `${trainer.toUpperCase().replaceAll("-", "_")}_`;
  if (!name.startsWith(prefix)) return `is not for the trainer "${trainer}": its variables start with ${prefix}`;
  return undefined;
}

function text(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new WorkloadError("ENVIRONMENT_INVALID", `${name} is not set: the program has to be started by an agent.`);
  }
  return value;
}

function whole(env: Readonly<Record<string, string | undefined>>, name: string): number {
  const value = text(env, name);
  if (!/^\d{1,15}$/.test(value)) {
    throw new WorkloadError("ENVIRONMENT_INVALID", `${name} is "${value}": it has to be a whole number.`);
  }
  return Number(value);
}
