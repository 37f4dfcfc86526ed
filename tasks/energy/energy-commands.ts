import { reading } from "../session/options.ts";

/** Tasks about energy and carbon. */
export const energyCommands = [
  reading(
    "energy:report",
    "Energy and carbon of the network, of a node, or of a task: what did this training burn?",
    "--task 1",
  )
    .addOption({ name: "node", description: "a node's id", type: "int", defaultValue: 0 })
    .addOption({ name: "task", description: "a task's id", type: "int", defaultValue: 0 })
    .setAction(() => import("./report.ts"))
    .build(),
];
