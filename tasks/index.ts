import type { Command } from "./command.ts";
import { dataCommands } from "./data/data-commands.ts";
import { energyCommands } from "./energy/energy-commands.ts";
import { keeperCommands } from "./keeper/keeper-commands.ts";
import { keyCommands } from "./key/key-commands.ts";
import { networkCommands } from "./network/network-commands.ts";
import { nodeCommands } from "./node/node-commands.ts";
import { roundCommands } from "./round/round-commands.ts";
import { taskCommands } from "./task/task-commands.ts";

/** Every command, by whom it serves. Each file of actions is loaded only when its command runs. */
export const commands: readonly Command[] = [
  ...networkCommands,
  ...keyCommands,
  ...nodeCommands,
  ...taskCommands,
  ...dataCommands,
  ...roundCommands,
  ...keeperCommands,
  ...energyCommands,
];
