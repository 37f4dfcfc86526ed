import { z } from "zod";

const whole = z.number().int().positive();

/** Plain processes: for the trainers that come with the agent alone. */
const processes = z.strictObject({
  kind: z.literal("process"),
  /**
   * More trainers by name, run with the agent owner's rights on this machine but for what Node's permission model takes
   * away: network and signals stay open to them. For programs that you have written or read yourself; never for strangers'.
   */
  unsafeTrainersWithoutContainer: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'has to be a trainer\'s name, such as "my-trainer"' }),
      z.strictObject({
        /** Absolute path of the module to run. */
        entry: z.string().startsWith("/"),
        /** Absolute paths that it may read. */
        readable: z.array(z.string().startsWith("/")).default([]),
      }),
    )
    .default({}),
});

/** Containers of the Docker or Podman on this machine. */
const containers = z.strictObject({
  kind: z.literal("container"),
  /** Path of the engine's socket; by default Docker's or Podman's, whichever is found. */
  socket: z.string().optional(),
  /** Image of the built-in trainers (deploy/images/trainer.Dockerfile), by digest or as built here. Without one, only images are run. */
  trainerImage: z.string().optional(),
  /** `uid:gid` that programs run as, if the agent is root; never root. */
  user: z.string().optional(),
  /** Processes and threads of a unit. */
  pids: whole.optional(),
  /** MiB of /tmp in a unit's memory. */
  tmpMiB: whole.optional(),
  /** MiB of disk for a unit's checkpoints and outputs. */
  diskMiB: whole.optional(),
  /** The engine's network for tasks that want one; without it they are refused. A program there reaches what you reach from it. */
  outboundNetwork: z.string().optional(),
  /** Another runtime than the engine's default, such as gVisor's "runsc". */
  runtime: z.string().optional(),
  /** GPUs for rent, by index or UUID. */
  gpus: z.array(z.string()).default([]),
  /** Bounds on images that are pulled for tasks. */
  images: z
    .strictObject({ totalMiB: whole.optional(), eachMiB: whole.optional(), pullSeconds: whole.optional() })
    .prefault({}),
});

/** How units are run. By default in containers, on a local chain as processes. */
export const executorConfig = z.discriminatedUnion("kind", [processes, containers]).optional();

export type ExecutorConfig = NonNullable<z.output<typeof executorConfig>>;
