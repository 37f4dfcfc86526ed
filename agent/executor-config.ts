import { z } from "zod";

import { MAX_TIMER_SECONDS } from "@verai/system/clock";

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
      z.union([
        z.strictObject({
          /** Absolute path of the module to run. */
          entry: z.string().startsWith("/"),
          /** Absolute paths that it may read. */
          readable: z.array(z.string().startsWith("/")).default([]),
        }),
        z.strictObject({
          /**
           * Absolute path of an interpreter, such as /usr/bin/python3: runs the file among a task's inputs that its first argument
           * names, no matter whose, with all your rights. For a network on your own machine alone.
           */
          interpreter: z.string().startsWith("/"),
        }),
      ]),
    )
    .default({}),
});

/** Containers of the Docker or Podman on this machine. */
const containers = z.strictObject({
  kind: z.literal("container"),
  /** Path of the engine's socket; by default Docker's or Podman's, whichever is found. */
  socket: z.string().optional(),
  /**
   * Image of the built-in trainers (deploy/images/Dockerfile, target trainer), by digest or as built here. Without one, only
   * images are run.
   */
  trainerImage: z.string().optional(),
  /** `uid:gid` that programs run as, if the agent is root; never root. */
  user: z.string().optional(),
  /** Processes and threads of a unit. */
  pids: whole.optional(),
  /** MiB of /tmp and of /dev/shm in a unit's memory, where its spec does not ask for more. */
  tmpMiB: whole.optional(),
  /** Largest /tmp in MiB that a spec may ask for; what does not fit into tmpMiB lies on disk. */
  scratchMiB: whole.optional(),
  /** MiB of disk for a unit's checkpoints and outputs. */
  diskMiB: whole.optional(),
  /** The engine's network for tasks that want one; without it they are refused. A program there reaches what you reach from it. */
  outboundNetwork: z.string().optional(),
  /** Another runtime than the engine's default, such as gVisor's "runsc". */
  runtime: z.string().optional(),
  /** GPUs for rent, by index or UUID. */
  gpus: z.array(z.string()).default([]),
  /** Private registries that images may be pulled from with your credentials. */
  registries: z
    .array(
      z.strictObject({
        /** How images' names begin: the registry's host, and a path if not all of it is meant. */
        prefix: z.string().regex(/^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9._/-]+)?$/, {
          error: "has to be a registry's host, such as registry.example:5000, and a path if not all of it is meant",
        }),
        username: z.string().min(1),
        /** Absolute path of a file with the password or token; read before each pull. */
        passwordFile: z.string().startsWith("/"),
        /** Addresses whose tasks may use them, or "anyone": a program can hand on whatever its image has. */
        developers: z.union([
          z.literal("anyone"),
          z
            .array(
              z.string().regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address: 0x and 40 hexadecimal digits" }),
            )
            .min(1)
            .max(256),
        ]),
      }),
    )
    .max(32)
    .default([]),
  /** Bounds on images that are pulled for tasks. */
  images: z
    .strictObject({
      /** MiB of all pulled images together, above which the longest unused are removed. */
      totalMiB: whole.optional(),
      /** MiB of one image; larger ones are refused. */
      eachMiB: whole.optional(),
      /** Seconds for pulling one image. */
      pullSeconds: whole.max(MAX_TIMER_SECONDS).optional(),
    })
    .prefault({}),
});

/** Jobs of a Kubernetes cluster: one agent fronts all of it as one node. */
const kubernetes = z.strictObject({
  kind: z.literal("kubernetes"),
  /** Where the Jobs are made; the agent's own namespace, as they share a volume. */
  namespace: z.string(),
  /** A kubeconfig file; by default the service account of the agent's pod. */
  kubeconfig: z.string().optional(),
  /** The volume that the agent and its units share, mounted by all (ReadWriteMany). */
  volume: z.strictObject({
    /** Name of its claim. */
    claim: z.string(),
    /** Where the agent has it. */
    path: z.string().startsWith("/"),
    /** The volume's directory that the agent has there. */
    subPath: z.string().default(""),
  }),
  /** Image of the built-in trainers, by digest. Without one, only images are run. */
  trainerImage: z.string().optional(),
  /** MiB of /tmp in a unit's memory, where its spec does not ask for more on disk. */
  tmpMiB: whole.default(64),
  /** Largest /tmp in MiB that a spec may ask for. */
  scratchMiB: whole.default(10_240),
  /** MiB of the volume for a unit's checkpoints and outputs. */
  diskMiB: whole.default(10_240),
  /** PriorityClass of units' pods. */
  priorityClass: z.string().optional(),
  /**
   * LocalQueue of Kueue's in the namespace: Jobs are created suspended, with its name, and Kueue lets them begin as far as the queue's
   * quota goes.
   */
  queue: z.string().optional(),
  /** RuntimeClass of units' pods, such as gVisor's. */
  runtimeClass: z.string().optional(),
  /**
   * Names of Secrets of the namespace with which the cluster pulls images, for all tasks: of an account that has nothing of yours which
   * a stranger's program must not see.
   */
  imagePullSecrets: z.array(z.string()).max(16).default([]),
  /** Labels of the machines that units may run on. */
  nodeSelector: z.record(z.string(), z.string()).default({}),
  /** Let tasks that ask for it have the network, as far as the cluster's NetworkPolicies do. */
  allowOutbound: z.boolean().default(false),
  /** The cluster's resource name of a GPU. */
  gpuResource: z.string().default("nvidia.com/gpu"),
  /** What a unit of the node's class needs: what the cluster's capacity is counted in. */
  unitSize: z
    .strictObject({
      /** CPUs. */
      cpus: z.number().positive().default(1),
      /** MiB of memory. */
      memoryMiB: whole.default(2048),
      /** GPUs. */
      gpus: z.number().int().nonnegative().default(0),
    })
    .prefault({}),
});

/** How units are run. By default in containers, on a local chain as processes. */
export const executorConfig = z.discriminatedUnion("kind", [processes, containers, kubernetes]).optional();

export type ExecutorConfig = NonNullable<z.output<typeof executorConfig>>;
