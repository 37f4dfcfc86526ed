import { CommandBuilder } from "../command.ts";
import { reading, writing } from "../session/options.ts";

const FILE = { name: "file", description: "the agent's configuration file (JSON)", defaultValue: "" } as const;
const NODE = { name: "node", description: "the node's id", type: "int", defaultValue: 0 } as const;

/** Tasks of contributors. */
export const nodeCommands = [
  writing(
    "node:consent",
    "Signs that an operator's key works for an owner's node: node:register asks for it; costs nothing, sends nothing",
    "--owner 0xdD2FD4581271e230360230F9337D5c0430Bf44C0 --account 19",
  )
    .addOption({ name: "owner", description: "address of the account that will own the node", defaultValue: "" })
    .setAction(() => import("./consent.ts"))
    .build(),

  writing(
    "node:register",
    "Registers a machine: its owner is the account that signs, its stake is taken by permit in the same transaction",
    "--operator 0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199 --class cpu/eu --capacity 2 --ask 0.012 --energy-source solar",
  )
    .addOption({ name: "operator", description: "address of the agent's key", defaultValue: "" })
    .addOption({
      name: "consent",
      description: "what node:consent printed for that key; not needed where the owner's key is also the operator's",
      defaultValue: "",
    })
    .addOption({ name: "class", description: "class of the machine, such as cpu/eu", defaultValue: "" })
    .addOption({
      name: "capacity",
      description: "units that it runs at once",
      type: "int",
      defaultValue: 0,
    })
    .addOption({ name: "ask", description: "VER that it wants for a unit", defaultValue: "" })
    .addOption({
      name: "stake",
      description: "VER to stake; by default just what the capacity needs",
      defaultValue: "",
    })
    .addOption({
      name: "endpoint",
      description: "multiaddrs that peers reach it by, comma-separated; the agent also sets it",
      defaultValue: "",
    })
    .addOption({
      name: "powerThreshold",
      description: "average watts above which it is throttled",
      type: "int",
      defaultValue: 300,
    })
    .addOption({
      name: "powerMax",
      description: "the most watts that it can draw; reports above it are refused",
      type: "int",
      defaultValue: 1000,
    })
    .addOption({ name: "energySource", description: "where its electricity comes from", defaultValue: "unknown" })
    .setAction(() => import("./register.ts"))
    .build(),

  new CommandBuilder(
    "node:run",
    "Runs a node's agent until SIGINT or SIGTERM: the same program as `node agent/main.ts run`",
    "--file .data/devnet/agent.json",
  )
    .addOption(FILE)
    .setAction(async () => ({ default: (await import("./program.ts")).run }))
    .build(),

  new CommandBuilder(
    "node:check",
    "Says whether node:run would work, and what to correct",
    "--file .data/devnet/agent.json",
  )
    .addOption(FILE)
    .addFlag({ name: "json", description: "print one JSON object instead of text" })
    .setAction(async () => ({ default: (await import("./program.ts")).check }))
    .build(),

  writing("node:update", "Changes a node's ask, capacity, class or profile", "--node 4 --ask 0.015")
    .addOption(NODE)
    .addOption({ name: "class", description: "another class", defaultValue: "" })
    .addOption({ name: "capacity", description: "another capacity", type: "int", defaultValue: 0 })
    .addOption({ name: "ask", description: "another ask, VER a unit", defaultValue: "" })
    .addOption({ name: "endpoint", description: "other multiaddrs", defaultValue: "" })
    .addOption({
      name: "powerThreshold",
      description: "another power threshold, watts",
      type: "int",
      defaultValue: 0,
    })
    .addOption({
      name: "powerMax",
      description: "another maximum power, watts",
      type: "int",
      defaultValue: 0,
    })
    .addOption({ name: "energySource", description: "another source of electricity", defaultValue: "" })
    .setAction(() => import("./update.ts"))
    .build(),

  writing("node:stake", "Adds stake to a node", "--node 4 --amount 100")
    .addOption(NODE)
    .addOption({ name: "amount", description: "VER to add", defaultValue: "" })
    .setAction(() => import("./stake.ts"))
    .build(),

  writing(
    "node:prepay",
    "Pays keepers in advance for posting a node's reports; what is left of an earlier payment comes back",
    "--node 4 --reports 9000 --fee 200",
  )
    .addOption(NODE)
    .addOption({ name: "reports", description: "reports that are paid for; 0 ends it", type: "int", defaultValue: 0 })
    .addOption({ name: "fee", description: "micro-VER for each, at most 65535", type: "int", defaultValue: 200 })
    .setAction(() => import("./prepay.ts"))
    .build(),

  writing("node:drain", "Takes no new leases from now on; leases that run go on", "--node 4")
    .addOption(NODE)
    .setAction(async () => ({ default: (await import("./status-change.ts")).drain }))
    .build(),

  writing("node:resume", "Takes leases again after node:drain", "--node 4")
    .addOption(NODE)
    .setAction(async () => ({ default: (await import("./status-change.ts")).resume }))
    .build(),

  writing("node:exit", "Leaves the market: starts the unbonding of an idle, draining node", "--node 4")
    .addOption(NODE)
    .setAction(async () => ({ default: (await import("./status-change.ts")).exit }))
    .build(),

  writing("node:withdraw", "Makes the stake of an unbonded node claimable", "--node 4")
    .addOption(NODE)
    .setAction(async () => ({ default: (await import("./status-change.ts")).withdraw }))
    .build(),

  writing("node:claim", "Sends all that the signing account can claim (earnings, stake, refunds, bounties)", "")
    .addOption({ name: "receiver", description: "another account to send it to", defaultValue: "" })
    .setAction(() => import("./claim.ts"))
    .build(),

  reading(
    "node:status",
    "What a node is, does and has earned and, if it is idle, why; without --node, all nodes",
    "--node 4",
  )
    .addOption(NODE)
    .setAction(() => import("./status.ts"))
    .build(),
];
