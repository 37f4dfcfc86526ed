import { createRequire } from "node:module";

import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig, task } from "hardhat/config";
import { ArgumentType } from "hardhat/types/arguments";

import "hardhat/types/network";

declare module "hardhat/types/network" {
  interface ChainTypeConfig {
    defaultChainType: "op";
  }
}

/** The compiler comes from npm (soljson), so that a build downloads nothing and is the same everywhere. */
const compiler = {
  version: "0.8.30",
  path: createRequire(import.meta.url).resolve("solc/soljson.js"),
  settings: {
    optimizer: { enabled: true, runs: 800 },
    evmVersion: "prague",
    viaIR: false,
  },
};

/** BASE refuses transactions of more gas than this; the simulated chain does the same. */
const TRANSACTION_GAS_CAP = 2n ** 24n;

const simulatedBase = {
  type: "edr-simulated",
  chainType: "op",
  chainId: 31337,
  transactionGasCap: TRANSACTION_GAS_CAP,
} as const;

const energyReport = task("energy:report", "Energy and carbon of the network, of a node, or of a task")
  .addOption({ name: "node", type: ArgumentType.INT, defaultValue: 0, description: "a node's id" })
  .addOption({
    name: "task",
    type: ArgumentType.INT,
    defaultValue: 0,
    description: "a task's id: what did this training burn?",
  })
  .addOption({
    name: "deployment",
    type: ArgumentType.STRING,
    defaultValue: "",
    description: "file with the deployed addresses; by default the one that belongs to the chain",
  })
  .addFlag({ name: "json", description: "print one line of JSON" })
  .setAction(() => import("./tasks/energy/report.ts"))
  .build();

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  tasks: [energyReport],
  defaultChainType: "op",

  solidity: {
    npmFilesToBuild: [
      "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol",
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
    ],
    profiles: {
      default: { ...compiler },
      production: { ...compiler },
    },
  },

  paths: {
    tests: {
      solidity: "./test/contracts",
      mocha: "./test/chain",
    },
  },

  networks: {
    /** In process, mines on every transaction: tests. */
    default: simulatedBase,
    hardhat: simulatedBase,
    /** `npm run node`: a block every two seconds, as on BASE. */
    node: { ...simulatedBase, mining: { auto: false, interval: 2000 } },
    localhost: {
      type: "http",
      chainType: "op",
      chainId: 31337,
      url: process.env["DRMP_LOCALHOST_URL"] ?? "http://127.0.0.1:8545",
    },
    baseSepolia: {
      type: "http",
      chainType: "op",
      chainId: 84532,
      url: configVariable("BASE_SEPOLIA_RPC_URL"),
      accounts: [configVariable("DEPLOYER_KEY")],
    },
    base: {
      type: "http",
      chainType: "op",
      chainId: 8453,
      url: configVariable("BASE_RPC_URL"),
      accounts: [configVariable("DEPLOYER_KEY")],
    },
  },

  typechain: { outDir: "./types/contracts", tsNocheck: true },

  verify: {
    etherscan: { apiKey: configVariable("ETHERSCAN_API_KEY") },
  },

  test: {
    mocha: { timeout: 120_000 },
    solidity: {
      fsPermissions: { readDirectory: ["./snapshots", "./test/vectors"] },
      fuzz: { runs: 256, seed: "0x7665726169" },
      invariant: { runs: 24, depth: 150, failOnRevert: true },
    },
  },
});
