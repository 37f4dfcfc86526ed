import type { Command } from "./command.ts";
import { energyTasks } from "./energy/tasks.ts";
import { keeperTasks } from "./keeper/tasks.ts";
import { keyTasks } from "./key/tasks.ts";
import { networkTasks } from "./network/tasks.ts";
import { nodeTasks } from "./node/tasks.ts";
import { roundTasks } from "./round/tasks.ts";
import { taskTasks } from "./task/tasks.ts";

/** Every command, by whom it serves. Each file of actions is loaded only when its command runs. */
export const commands: readonly Command[] = [
  ...networkTasks,
  ...keyTasks,
  ...nodeTasks,
  ...taskTasks,
  ...roundTasks,
  ...keeperTasks,
  ...energyTasks,
];
