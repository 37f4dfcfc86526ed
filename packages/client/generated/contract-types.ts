// Written by `npm run abi` from the contracts; do not edit.

export type { AccessManager } from "../../../types/contracts/@openzeppelin/contracts/access/manager/AccessManager.ts";
export type { Balancer } from "../../../types/contracts/contracts/periphery/balancing/Balancer.ts";
export type { CheckpointRegistry } from "../../../types/contracts/contracts/checkpoints/CheckpointRegistry.ts";
export type { EnergyLedger } from "../../../types/contracts/contracts/periphery/energy/EnergyLedger.ts";
export type { HolderPool } from "../../../types/contracts/contracts/core/nodes/HolderPool.ts";
export type { IVrfCoordinator } from "../../../types/contracts/contracts/interfaces/IVrfCoordinator.ts";
export type { LeaseRegistry } from "../../../types/contracts/contracts/core/leases/LeaseRegistry.ts";
export type { Lens } from "../../../types/contracts/contracts/periphery/Lens.ts";
export type { NodeRegistry } from "../../../types/contracts/contracts/core/nodes/NodeRegistry.ts";
export type { Parameters } from "../../../types/contracts/contracts/governance/Parameters.ts";
export type { PasskeyAccount } from "../../../types/contracts/contracts/accounts/PasskeyAccount.ts";
export type { PasskeyAccountFactory } from "../../../types/contracts/contracts/accounts/PasskeyAccountFactory.ts";
export type { PoolOutlet } from "../../../types/contracts/contracts/core/vault/PoolOutlet.ts";
export type { Reassignment } from "../../../types/contracts/contracts/core/reassignment/Reassignment.ts";
export type { ReleaseFees } from "../../../types/contracts/contracts/periphery/releases/ReleaseFees.ts";
export type { RoundManager } from "../../../types/contracts/contracts/core/rounds/RoundManager.ts";
export type { SponsorPaymaster } from "../../../types/contracts/contracts/accounts/SponsorPaymaster.ts";
export type { Supply } from "../../../types/contracts/contracts/core/nodes/Supply.ts";
export type { TaskRegistry } from "../../../types/contracts/contracts/core/tasks/TaskRegistry.ts";
export type { Telemetry } from "../../../types/contracts/contracts/periphery/telemetry/Telemetry.ts";
export type { TestnetFaucet } from "../../../types/contracts/contracts/token/TestnetFaucet.ts";
export type { VRFCoordinatorV2_5Mock } from "../../../types/contracts/@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.ts";
export type { Vault } from "../../../types/contracts/contracts/core/vault/Vault.ts";
export type { VerToken } from "../../../types/contracts/contracts/token/VerToken.ts";
export type { VrfSeeds } from "../../../types/contracts/contracts/core/seeds/VrfSeeds.ts";
