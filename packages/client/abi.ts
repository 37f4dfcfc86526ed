import { readFileSync } from "node:fs";

import type { InterfaceAbi } from "ethers";

import { ChainError } from "./errors.ts";

/** Where the build leaves each contract's artifact, from `artifacts/` on. */
const SOURCES = {
  AccessManager: "@openzeppelin/contracts/access/manager/AccessManager.sol",
  VRFCoordinatorV2_5Mock: "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol",
  VerToken: "contracts/token/VerToken.sol",
  TestnetFaucet: "contracts/token/TestnetFaucet.sol",
  Vault: "contracts/vault/Vault.sol",
  PoolOutlet: "contracts/vault/PoolOutlet.sol",
  Parameters: "contracts/governance/Parameters.sol",
  NodeRegistry: "contracts/nodes/NodeRegistry.sol",
  Supply: "contracts/nodes/Supply.sol",
  TaskRegistry: "contracts/tasks/TaskRegistry.sol",
  LeaseRegistry: "contracts/leases/LeaseRegistry.sol",
  CheckpointRegistry: "contracts/checkpoints/CheckpointRegistry.sol",
  VrfSeeds: "contracts/vrf/VrfSeeds.sol",
  RoundManager: "contracts/rounds/RoundManager.sol",
  Telemetry: "contracts/telemetry/Telemetry.sol",
  EnergyLedger: "contracts/energy/EnergyLedger.sol",
  Balancer: "contracts/balance/Balancer.sol",
  Reassignment: "contracts/failover/Reassignment.sol",
} as const;

/** A contract that the client knows by its ABI. */
export type ContractName = keyof typeof SOURCES;

/** All of them. */
export const CONTRACT_NAMES = Object.keys(SOURCES) as ContractName[];

const cache = new Map<ContractName, InterfaceAbi>();

/**
 * A contract's ABI, from the build's artifacts; read once.
 *
 * @throws {@link ChainError} `ARTIFACTS_MISSING` if the contracts have not been compiled.
 */
export function abiOf(name: ContractName): InterfaceAbi {
  const known = cache.get(name);
  if (known) return known;
  const file = new URL(`../../artifacts/${SOURCES[name]}/${name}.json`, import.meta.url);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ChainError(
      "ARTIFACTS_MISSING",
      false,
      `The compiled contract ${name} is missing (${file.pathname}); compile the contracts with \`npx hardhat build\`.`,
      { cause },
    );
  }
  const { abi } = JSON.parse(text) as { abi: InterfaceAbi };
  cache.set(name, abi);
  return abi;
}
