import { reading } from "../session/options.ts";

/** Tasks of whoever deployed the protocol, or wants to know whether a deployment is sound. */
export const networkTasks = [
  reading(
    "network:check",
    "Compares a deployment with its parameters file, and says what is wrong: chain, contracts, wiring, oracle, subscription, roles, parameters, books",
    "--network baseSepolia --parameters ignition/parameters/baseSepolia.json",
  )
    .addOption({
      name: "parameters",
      description: "parameters file to compare with; by default the network's own in ignition/parameters",
      defaultValue: "",
    })
    .setAction(() => import("./check.ts"))
    .build(),
];
