import { CommandBuilder } from "../command.ts";

const FILE = { name: "file", description: "the keeper's configuration file (JSON)", defaultValue: "" } as const;

/** Tasks of keeper operators: the same program as `node keepers/main.ts`. */
export const keeperCommands = [
  new CommandBuilder(
    "keeper:run",
    "Runs the configured keepers until SIGINT or SIGTERM",
    "--file .data/devnet/config/keeper.json",
  )
    .addOption(FILE)
    .addFlag({ name: "dryRun", description: "send nothing even if there is a key" })
    .setAction(async () => ({ default: (await import("./program.ts")).run }))
    .build(),
  new CommandBuilder(
    "keeper:plan",
    "Says what the keepers would do now, and why; sends nothing",
    "--file .data/devnet/config/keeper.json",
  )
    .addOption(FILE)
    .setAction(async () => ({ default: (await import("./program.ts")).plan }))
    .build(),
  new CommandBuilder(
    "keeper:check",
    "Says whether keeper:run would work, and what to correct",
    "--file .data/devnet/config/keeper.json",
  )
    .addOption(FILE)
    .addFlag({ name: "json", description: "print one JSON object instead of text" })
    .setAction(async () => ({ default: (await import("./program.ts")).check }))
    .build(),
];
