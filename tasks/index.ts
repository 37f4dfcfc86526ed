import { buildTasks } from "./build/tasks.ts";
import { energyTasks } from "./energy/tasks.ts";
import { keeperTasks } from "./keeper/tasks.ts";
import { keyTasks } from "./key/tasks.ts";
import { networkTasks } from "./network/tasks.ts";
import { nodeTasks } from "./node/tasks.ts";
import { roundTasks } from "./round/tasks.ts";
import { taskTasks } from "./task/tasks.ts";

/** Hardhat tasks, by whom they serve. Each file of actions is loaded only when its task runs. */
export const tasks = [
  ...buildTasks,
  ...networkTasks,
  ...keyTasks,
  ...nodeTasks,
  ...taskTasks,
  ...roundTasks,
  ...keeperTasks,
  ...energyTasks,
];
