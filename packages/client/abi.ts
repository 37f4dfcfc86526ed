import { readFileSync } from "node:fs";

import type { InterfaceAbi } from "ethers";

/** The contracts that the client knows by their ABIs. */
export const CONTRACT_NAMES = [
  "AccessManager",
  "VRFCoordinatorV2_5Mock",
  "VerToken",
  "TestnetFaucet",
  "Vault",
  "PoolOutlet",
  "Parameters",
  "NodeRegistry",
  "Supply",
  "TaskRegistry",
  "LeaseRegistry",
  "ReleaseFees",
  "CheckpointRegistry",
  "VrfSeeds",
  "RoundManager",
  "Telemetry",
  "EnergyLedger",
  "Balancer",
  "Reassignment",
  "Lens",
] as const;

/** One of them. */
export type ContractName = (typeof CONTRACT_NAMES)[number];

const cache = new Map<ContractName, InterfaceAbi>();

/** A contract's ABI, as `npm run abi` took it from the compiler; read once. */
export function abiOf(name: ContractName): InterfaceAbi {
  let abi = cache.get(name);
  if (!abi) {
    abi = JSON.parse(readFileSync(new URL(`./abi/${name}.json`, import.meta.url), "utf8")) as InterfaceAbi;
    cache.set(name, abi);
  }
  return abi;
}
