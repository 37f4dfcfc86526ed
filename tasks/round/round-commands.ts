import { reading, writing } from "../session/options.ts";

/** Tasks about rounds and the leases that they grant. */
export const roundCommands = [
  reading("round:status", "A round with its tasks, seed and clearing; by default the newest", "--round 1")
    .addOption({ name: "round", description: "the round's id", type: "int", defaultValue: 0 })
    .setAction(() => import("./status.ts"))
    .build(),

  reading("round:leases", "Leases, all or those of a task or node", "--task 1 --live")
    .addOption({ name: "task", description: "of this task only", type: "int", defaultValue: 0 })
    .addOption({ name: "node", description: "of this node only", type: "int", defaultValue: 0 })
    .addFlag({ name: "live", description: "only those that can still change" })
    .setAction(() => import("./leases.ts"))
    .build(),

  writing("round:open", "Opens a round now, as a keeper does", "")
    .setAction(async () => ({ default: (await import("./change.ts")).open }))
    .build(),

  writing("round:abort", "Ends a round that got no seed, or no settlement, in time", "")
    .setAction(async () => ({ default: (await import("./change.ts")).abort }))
    .build(),
];
