import { join } from "node:path";

import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";

import "hardhat/types/network";
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { CompilerInput } from "hardhat/types/solidity";

import { completeBuildInfos } from "./tasks/complete-build-infos.ts";
import { tasks } from "./tasks/hardhat.ts";
import { localUrl, NETWORKS } from "./tasks/session/environment.ts";

declare module "hardhat/types/network" {
  interface ChainTypeConfig {
    defaultChainType: "op";
  }
}

// What people do with their keys and machines is told to nobody; "false" in the environment leaves it to Hardhat's own setting.
process.env["HARDHAT_DISABLE_TELEMETRY"] ??= "true";

/** The compiler comes from npm (soljson), so that a build downloads nothing and is the same everywhere. */
const compiler = {
  version: "0.8.30",
  path: join(import.meta.dirname, "scripts", "solidity", "compiler.ts"),
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "prague",
    viaIR: false,
  },
};

/**
 * One way to build for tests and for deployments alike: what is tested is what is deployed, bit for bit, and no command
 * compiles again what another has compiled. Hardhat's production profile would compile each file by itself, and note the
 * versions of its tools, unless told otherwise.
 */
const profile = { ...compiler, isolated: false, toolVersionsInBuildInfo: false };

/** Transient storage is used with care; a contract that a test imports is too large only without the optimizer. */
const EXPECTED_WARNINGS = new Set<string | undefined>(["2394", "5574"]);

/** Has the code that deploys the system, which every test calls by its artifact; below the project, of which `mutate` makes copies. */
const FIXTURE = "test/contracts/support/Fixture.sol";

/** The outputs that are asked for, less the listing of the code in words, a third of it all, which nobody reads. */
function withoutOpcodes({ outputSelection }: CompilerInput["settings"]): CompilerInput["settings"]["outputSelection"] {
  const less = (names: string[]) => names.filter((name) => !name.endsWith(".opcodes"));
  return Object.fromEntries(
    Object.entries(outputSelection).map(([file, contracts]) => [
      file,
      Object.fromEntries(Object.entries(contracts).map(([contract, names]) => [contract, less(names)])),
    ]),
  );
}

/**
 * Compiles Solidity tests with what they call by its artifact, and without the optimizer, which takes four fifths of the time
 * and changes nothing that they measure: they deploy the artifacts of the contracts, which are compiled apart from them
 * (`splitTestsCompilation`).
 */
const solidityTests: HardhatPlugin = {
  id: "drmp-solidity-tests",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        build: async (context, files, options, next) => {
          const all =
            options?.scope === "tests" ? [...new Set([...files, join(context.config.paths.root, FIXTURE)])] : files;
          return next(context, all, options);
        },
        preprocessSolcInputBeforeBuilding: async (context, input, next) => {
          const test = Object.keys(input.sources).some((source) => source.startsWith("project/test/"));
          if (!test) return next(context, input);
          const settings = { ...input.settings, optimizer: { enabled: false } };
          return next(context, { ...input, settings: { ...settings, outputSelection: withoutOpcodes(settings) } });
        },
        invokeSolc: async (context, solc, input, config, next) => {
          const output = await next(context, solc, input, config);
          const errors = (output.errors ?? []).filter(({ errorCode }) => !EXPECTED_WARNINGS.has(errorCode));
          for (const { evm } of Object.values(output.contracts ?? {}).flatMap((file) => Object.values(file))) {
            for (const code of [evm?.bytecode, evm?.deployedBytecode]) if (code) code.opcodes ??= "";
          }
          return { ...output, errors };
        },
      }),
    }),
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

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, completeBuildInfos, solidityTests],
  tasks,
  defaultChainType: "op",

  solidity: {
    splitTestsCompilation: true,
    npmFilesToBuild: [
      "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol",
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
    ],
    profiles: {
      default: { ...profile },
      production: { ...profile },
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
      chainId: NETWORKS.localhost.chainId,
      url: localUrl(process.env),
    },
    baseSepolia: {
      type: "http",
      chainType: "op",
      chainId: NETWORKS.baseSepolia.chainId,
      url: configVariable(NETWORKS.baseSepolia.urlVariable),
      accounts: [configVariable(NETWORKS.baseSepolia.keyVariable)],
    },
    base: {
      type: "http",
      chainType: "op",
      chainId: NETWORKS.base.chainId,
      url: configVariable(NETWORKS.base.urlVariable),
      accounts: [configVariable(NETWORKS.base.keyVariable)],
    },
  },

  typechain: { outDir: "./types/contracts", tsNocheck: true },

  verify: {
    etherscan: { apiKey: configVariable("ETHERSCAN_API_KEY") },
  },

  test: {
    mocha: { timeout: 600_000 },
    solidity: {
      fsPermissions: {
        readDirectory: ["./snapshots", "./test/vectors", "./node_modules/@account-abstraction/contracts/artifacts"],
      },
      // More runs, or others: a failure prints its input, and this seed with these runs finds it again.
      fuzz: {
        runs: Number(process.env["DRMP_FUZZ_RUNS"] ?? 256),
        seed: process.env["DRMP_FUZZ_SEED"] ?? "0x7665726169",
      },
      invariant: {
        runs: Number(process.env["DRMP_INVARIANT_RUNS"] ?? 24),
        depth: Number(process.env["DRMP_INVARIANT_DEPTH"] ?? 150),
        failOnRevert: true,
      },
    },
  },
});
