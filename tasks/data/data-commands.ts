import { plain } from "../session/options.ts";
import { storeIn } from "../task/task-commands.ts";

/** Inputs of tasks. */
export const dataCommands = [
  plain("data:add", "Adds a file or folder to the store that tasks are served from, and says its CID", "--path ./data")
    .addOption({ name: "path", description: "the file or folder", defaultValue: "" })
    .addOption(storeIn("store"))
    .setAction(() => import("./add.ts"))
    .build(),
];
