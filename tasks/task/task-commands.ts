import type { CommandBuilder } from "../command.ts";
import { EXCHANGE_DEFAULTS } from "./exchange-defaults.ts";
import { plain, reading, writing } from "../session/options.ts";

const TASK = { name: "task", description: "the task's id", type: "int", defaultValue: 0 } as const;
/** One each, since a directory is one process's at a time, and results are fetched while `task:submit` still serves. */
export const storeIn = (folder: string) =>
  ({
    name: "store",
    description: "directory of this machine's checkpoint store, of one process at a time",
    defaultValue: `.data/developer/${folder}`,
  }) as const;
const UNITS = { name: "units", description: "units of work", type: "int", defaultValue: 0 } as const;
const MAX_PRICE = { name: "maxPrice", description: "maximum price of a unit, VER", defaultValue: "" } as const;
const CLASSES = {
  name: "classes",
  description:
    "classes that may run it, comma-separated, each with a surcharge in VER that steers and is not paid: cpu/eu,cpu/us=0.003",
  defaultValue: "",
} as const;

const AUDITS = {
  name: "audits",
  description:
    "chance with which each segment of the work is done again by another node, percent, 0.01 to 50; 0: no audits; left out: what the usual fee pays for if the program is a built-in trainer with checkpoint.everySteps and not confidential, else none",
  defaultValue: "",
} as const;

/** What commands that submit a task have in common. */
function submitting(builder: CommandBuilder): CommandBuilder {
  return builder
    .addOption(UNITS)
    .addOption(MAX_PRICE)
    .addOption(CLASSES)
    .addOption({
      name: "within",
      description: "time until the results must be delivered, such as 24h",
      defaultValue: "24h",
    })
    .addOption({
      name: "replicas",
      description: "other nodes that must hold a checkpoint before it counts, 0 to 4",
      type: "int",
      defaultValue: 1,
    })
    .addOption(AUDITS)
    .addOption({ name: "interval", description: "time between two checkpoints, such as 10m", defaultValue: "10m" })
    .addOption({
      name: "unitTime",
      description:
        "longest time that a unit may take, such as 12h; left out: a day, or until --within if that is sooner",
      defaultValue: "",
    })
    .addOption({
      name: "trainers",
      description: "trainers beside the built-in ones that the nodes are known to have, comma-separated",
      defaultValue: "",
    })
    .addOption(storeIn("store"))
    .addOption({
      name: "submission",
      description:
        "name of this submission: run again with the same spec, terms and name, it is not paid for again; name another to submit it once more",
      defaultValue: "1",
    })
    .addOption({
      name: "keyHosts",
      description:
        "hosts that give the key of a confidential task to its nodes (task:keys), comma-separated multiaddrs; none: this command, while it runs",
      defaultValue: "",
    })
    .addFlag({
      name: "detach",
      description:
        "end as soon as nodes have signed that they hold spec and inputs; the task goes on without this machine",
    });
}

/** Tasks of developers. */
export const taskCommands = [
  reading(
    "task:quote",
    "What a task would cost now: solves the allocation with it, sends nothing",
    "--units 4 --max-price 0.02 --classes cpu/eu,cpu/us=0.003",
  )
    .addOption(UNITS)
    .addOption(MAX_PRICE)
    .addOption(CLASSES)
    .addOption(AUDITS)
    .addFlag({ name: "queue", description: "together with the tasks that wait before it" })
    .setAction(() => import("./quote.ts"))
    .build(),

  plain(
    "task:verify",
    "Whether a program is reproducible: runs a unit twice on this machine, once interrupted, and compares its states to the bit; sends nothing",
    "--spec docs/examples/digits.json --units 3",
  )
    .addOption({
      name: "spec",
      description: "the task's spec (JSON file), with checkpoint.everySteps",
      defaultValue: "",
    })
    .addOption({ name: "unit", description: "index of the unit that is run", type: "int", defaultValue: 0 })
    .addOption({ name: "units", description: "units that the task would have", type: "int", defaultValue: 1 })
    .addOption({
      name: "local",
      description:
        "inputs from this machine by their place below DRMP_INPUT_DIR, comma-separated: data=./points.csv,code=./src; those of the spec that are not named come from --store",
      defaultValue: "",
    })
    .addOption(storeIn("store"))
    .addOption({
      name: "executor",
      description: "process or container; by default containers for images, processes for built-in trainers",
      defaultValue: "",
    })
    .addOption({
      name: "trainerImage",
      description: "image of the built-in trainers, to run these in containers",
      defaultValue: "",
    })
    .addOption({
      name: "interpreter",
      description:
        'path of a Python that runs specs with the trainer "python", with all your rights, as on a network of this machine',
      defaultValue: "",
    })
    .addOption({
      name: "work",
      description: "directory for the runs; what they leave is kept where they differ",
      defaultValue: ".data/developer/verify",
    })
    .addOption({
      name: "keep",
      description: "MiB of the first run's states that are kept, to say what differs",
      type: "int",
      defaultValue: 4096,
    })
    .setAction(() => import("./verify.ts"))
    .build(),

  submitting(
    writing(
      "task:submit",
      "Submits a task, serves its spec and inputs, and follows it to its end; its escrow is taken by permit in the same transaction",
      "--spec .data/devnet/spec.json --units 4 --max-price 0.02 --classes cpu/eu --interval 5s --within 1h",
    )
      .addOption({ name: "spec", description: "the task's spec (JSON file)", defaultValue: "" })
      .addOption({
        name: "input",
        description: "inputs beside those of the spec, of data:add: CID=path below DRMP_INPUT_DIR, comma-separated",
        defaultValue: "",
      }),
  )
    .setAction(() => import("./submit.ts"))
    .build(),

  submitting(
    writing(
      "task:run",
      "Packs a Python script with its folder and data, submits it, follows it, fetches and verifies its results, and accepts them",
      "train.py --data ./data --image lab.example/trainer-python@sha256:0000000000000000000000000000000000000000000000000000000000000000 --units 1 --max-price 0.02 --class cpu/eu",
    )
      .addPositional({ name: "script", description: "the script; all of its folder goes with it", defaultValue: "" })
      .addOption({ name: "class", description: "the same as --classes", defaultValue: "" })
      .addFlag({
        name: "confidential",
        description: "seal script, data, checkpoints and results under a key that only the task's nodes are given",
      })
      .addOption({
        name: "data",
        description: "a file or folder, which it finds as DRMP_INPUT_DIR/data",
        defaultValue: "",
      })
      .addOption({
        name: "image",
        description:
          "image with PyTorch, by digest; on a network of this machine none: it runs in the machine's own Python",
        defaultValue: "",
      })
      .addOption({
        name: "registryUser",
        description: "user that may pull the image from its private registry; with --confidential",
        defaultValue: "",
      })
      .addOption({
        name: "registryPasswordFile",
        description: "file with that user's password or token, sealed for the task's nodes",
        defaultValue: "",
      })
      .addOption({ name: "args", description: "the script's arguments, separated by blanks", defaultValue: "" })
      .addOption({ name: "cpus", description: "CPUs of a unit", defaultValue: "1" })
      .addOption({ name: "memory", description: "memory of a unit, MiB", type: "int", defaultValue: 4096 })
      .addOption({ name: "gpus", description: "GPUs of a unit", type: "int", defaultValue: 0 })
      .addOption({
        name: "scratch",
        description: "room of a unit in /tmp and its home, MiB",
        type: "int",
        defaultValue: 1024,
      })
      .addOption({
        name: "everySteps",
        description:
          "steps from one local checkpoint to the next, for reproducible programs (task:verify); 0: the script chooses",
        type: "int",
        defaultValue: 0,
      })
      .addOption({
        name: "exchange",
        description:
          "all units train one model (drmp.diloco): the largest file that they exchange, MiB; 0: each unit works by itself",
        type: "int",
        defaultValue: EXCHANGE_DEFAULTS.exchange,
      })
      .addOption({
        name: "quorum",
        description: "units that a round of one model needs; with --exchange",
        type: "int",
        defaultValue: EXCHANGE_DEFAULTS.quorum,
      })
      .addOption({
        name: "grace",
        description: "how long such a round waits for more units; with --exchange",
        defaultValue: EXCHANGE_DEFAULTS.grace,
      })
      .addOption({
        name: "outputs",
        description: "what it leaves in DRMP_OUTPUT_DIR, comma-separated",
        defaultValue: "result.json",
      })
      .addOption({ name: "out", description: "directory that results are fetched to", defaultValue: "results" }),
  )
    .setAction(() => import("./run.ts"))
    .build(),

  reading("task:watch", "Follows a task live until it has ended", "--task 1")
    .addOption(TASK)
    .setAction(() => import("./watch.ts"))
    .build(),

  reading("task:status", "How a task stands and, if it waits, why; without --task, all tasks", "--task 1")
    .addOption(TASK)
    .addOption({
      name: "embodied",
      description:
        "embodied carbon of devices, kilograms of CO2 equivalent by kind, in place of the built-in table's: cpu=16.8,gpu-80g=585",
      defaultValue: "",
    })
    .addOption({
      name: "hourly",
      description:
        "CSV of the grid's carbon intensity by hour, hour,region,gramsPerKwh with lines like 2026-11-30T14:00Z,eu,187.5: the electricity counts by the hours in which it was used",
      defaultValue: "",
    })
    .setAction(() => import("./status.ts"))
    .build(),

  writing(
    "task:logs",
    "The workloads' logs as of their last checkpoints or, with --follow, from the nodes while they run; the developer's key shows that they may be read",
    "--task 1 --follow",
  )
    .addOption(TASK)
    .addFlag({ name: "follow", description: "show what is written, from now until the task has ended" })
    .addOption({ name: "unit", description: "one unit only", type: "int", defaultValue: -1 })
    .addOption(storeIn("store-logs"))
    .setAction(() => import("./logs.ts"))
    .build(),

  writing(
    "task:keys",
    "Gives the keys of this machine's confidential tasks to the nodes that have leases of them, until it is ended; where it runs elsewhere, copy the key files there",
    "--listen /ip4/0.0.0.0/tcp/4100",
  )
    .addOption({
      name: "listen",
      description: "multiaddr to listen on; that, and the peer id which it prints, are what --key-hosts takes",
      defaultValue: "/ip4/0.0.0.0/tcp/4100",
    })
    .addOption(storeIn("store-keys"))
    .setAction(() => import("./serve-keys.ts"))
    .build(),

  writing(
    "task:result",
    "Fetches a task's results by CID and verifies them block by block",
    "--task 1 --out results --accept",
  )
    .addOption(TASK)
    .addOption({ name: "out", description: "directory to write to", defaultValue: "results" })
    .addFlag({ name: "accept", description: "accept what was fetched and verified, so that it is paid" })
    .addOption(storeIn("store-results"))
    .setAction(() => import("./result.ts"))
    .build(),

  writing(
    "task:dispute",
    "Refuses the result of a lease within the dispute window: locks a bond until an arbiter has ruled",
    "--lease 1",
  )
    .addOption({ name: "lease", description: "the lease's id", type: "int", defaultValue: 0 })
    .setAction(() => import("./dispute.ts"))
    .build(),

  writing(
    "task:raise-price",
    "Raises the maximum price of a task that waits, which keeps its place and pays no second fee; the escrow is taken by permit in the same transaction",
    "--task 1 --max-price 0.03",
  )
    .addOption(TASK)
    .addOption(MAX_PRICE)
    .setAction(() => import("./raise-price.ts"))
    .build(),

  writing(
    "task:enqueue",
    "Puts a task that was parked back into the queue, if a round can serve it now; by its owner for nothing but gas, by others for a submission fee from its round deposit",
    "--task 1",
  )
    .addOption(TASK)
    .setAction(() => import("./enqueue.ts"))
    .build(),

  writing(
    "task:fund",
    "Adds to what pays for a task's places in rounds, by permit in the same transaction; what is left comes back when the task ends",
    "--task 1 --amount 0.2",
  )
    .addOption(TASK)
    .addOption({ name: "amount", description: "VER to add", defaultValue: "" })
    .setAction(() => import("./fund.ts"))
    .build(),

  writing("task:cancel", "Takes what is not leased out of the market and refunds it", "--task 1")
    .addOption(TASK)
    .setAction(() => import("./cancel.ts"))
    .build(),

  writing(
    "task:settle-fees",
    "Settles the fees that nodes paid for giving leases of an ended task back without headway: to the developer, the pool, or back",
    "--task 1",
  )
    .addOption(TASK)
    .setAction(() => import("./settle-fees.ts"))
    .build(),
];
