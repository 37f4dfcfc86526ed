import { task } from "hardhat/config";
import { ArgumentType } from "hardhat/types/arguments";
import type { NewTaskActionFunction, TaskDefinition } from "hardhat/types/tasks";

import type { Command } from "./command.ts";
import { commands } from "./index.ts";
import { overrideTask } from "hardhat/config";

/** Builds only what has changed; see {@link keptBuild}. */
const buildTasks = [
  overrideTask("build")
    .setAction(() => import("./build/kept-build.ts"))
    .build(),
];

/** The commands as Hardhat tasks, and what Hardhat alone does: the build. */
export const tasks: TaskDefinition[] = [...buildTasks, ...commands.map(taskOf)];

function taskOf({ id, description, example, options, load }: Command): TaskDefinition {
  const builder = task(id, `${description}. Example: npx hardhat ${id} ${example}`.trim());
  for (const { name, description: what, type, defaultValue } of options) {
    if (type === "flag") builder.addFlag({ name, description: what });
    else if (type === "int") {
      builder.addOption({ name, description: what, type: ArgumentType.INT, defaultValue: Number(defaultValue) });
    } else builder.addOption({ name, description: what, defaultValue: String(defaultValue) });
  }
  // Hardhat hands over the options by their names, and its runtime environment, which is an Environment.
  return builder.setAction(load as () => Promise<{ default: NewTaskActionFunction }>).build();
}
