import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { ContractName } from "@verai/client/abi";
import { ROOT } from "@verai/devnet/processes";

/** Where the build leaves each contract's artifact, from `artifacts/` on. */
const SOURCES: Readonly<Record<ContractName, string>> = {
  AccessManager: "@openzeppelin/contracts/access/manager/AccessManager.sol",
  VRFCoordinatorV2_5Mock: "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol",
  VerToken: "contracts/token/VerToken.sol",
  TestnetFaucet: "contracts/token/TestnetFaucet.sol",
  Vault: "contracts/core/vault/Vault.sol",
  PoolOutlet: "contracts/core/vault/PoolOutlet.sol",
  Parameters: "contracts/governance/Parameters.sol",
  NodeRegistry: "contracts/core/nodes/NodeRegistry.sol",
  Supply: "contracts/core/nodes/Supply.sol",
  TaskRegistry: "contracts/core/tasks/TaskRegistry.sol",
  LeaseRegistry: "contracts/core/leases/LeaseRegistry.sol",
  ReleaseFees: "contracts/periphery/releases/ReleaseFees.sol",
  CheckpointRegistry: "contracts/checkpoints/CheckpointRegistry.sol",
  VrfSeeds: "contracts/core/seeds/VrfSeeds.sol",
  RoundManager: "contracts/core/rounds/RoundManager.sol",
  Telemetry: "contracts/periphery/telemetry/Telemetry.sol",
  EnergyLedger: "contracts/periphery/energy/EnergyLedger.sol",
  Balancer: "contracts/periphery/balancing/Balancer.sol",
  Reassignment: "contracts/core/reassignment/Reassignment.sol",
};

/** An entry of an ABI: a function, an event, an error or the constructor. */
export type AbiEntry = Readonly<Record<string, unknown>>;

/**
 * A contract's ABI as the compiler made it.
 *
 * @throws Error if the contracts have not been compiled.
 */
export function compiledAbi(name: ContractName): AbiEntry[] {
  const file = join(ROOT, "artifacts", SOURCES[name], `${name}.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as { abi: AbiEntry[] }).abi;
}

/** An ABI as it is kept: one entry a line, so that a change shows as what it is. */
export function formatAbi(abi: readonly AbiEntry[]): string {
  return `[\n${abi.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;
}
