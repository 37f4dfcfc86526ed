import { plain, reading, signing } from "../session/options.ts";

const DEPLOYMENT_ID = {
  name: "deploymentId",
  description: "folder of the deployment in ignition/deployments; by default chain-<id>",
  defaultValue: "",
} as const;

/** Tasks for anyone who wants to know how a network does, deploys one, or wants to know whether a deployment is sound. */
export const networkCommands = [
  reading(
    "network:status",
    "The network at a glance: block, oracle, keepers, nodes with their loads, tasks, round, funds and, of a devnet, its services",
    "",
  )
    .setAction(() => import("./status.ts"))
    .build(),

  reading(
    "network:check",
    "Compares a deployment with its parameters file, and says what is wrong: chain, contracts, wiring, oracle, subscription, roles, parameters, totals",
    "--parameters ignition/parameters/localhost.json",
  )
    .addOption({
      name: "parameters",
      description: "parameters file to compare with; by default the network's own in ignition/parameters",
      defaultValue: "",
    })
    .onlyWithHardhat()
    .setAction(() => import("./check.ts"))
    .build(),

  signing(
    "network:deploy",
    "Deploys the protocol, after a dry run on a chain in this process, which shows what it costs and what network:check would say; run again, it goes on where it broke off",
    "--network baseSepolia --dry-run",
  )
    .addOption({
      name: "parameters",
      description: "parameters file to deploy from; by default the network's own in ignition/parameters",
      defaultValue: "",
    })
    .addOption(DEPLOYMENT_ID)
    .addFlag({ name: "reset", description: "forget an earlier deployment and begin again" })
    .onlyWithHardhat()
    .setAction(() => import("./deploy.ts"))
    .build(),

  plain(
    "network:verify",
    "Publishes the sources of a deployment's contracts at a block explorer, which compiles them and compares",
    "--network baseSepolia --explorer sourcify",
  )
    .addOption(DEPLOYMENT_ID)
    .addOption({ name: "explorer", description: "etherscan, blockscout or sourcify", defaultValue: "etherscan" })
    .addOption({
      name: "explorerUrl",
      description: "address of a Sourcify server of one's own, instead of the public one",
      defaultValue: "",
    })
    .addOption({ name: "contract", description: "one contract only, by its name", defaultValue: "" })
    .addFlag({ name: "force", description: "also what the explorer calls verified already, even if only partly" })
    .addFlag({
      name: "dryRun",
      description: "show what would be published, and whether the chain has it; send nothing",
    })
    .onlyWithHardhat()
    .setAction(() => import("./verify.ts"))
    .build(),
];
