// Written by `npm run abi` from the contracts; do not edit.

import AccessManager from "../abi/AccessManager.json" with { type: "json" };
import AuditEpochs from "../abi/AuditEpochs.json" with { type: "json" };
import Audits from "../abi/Audits.json" with { type: "json" };
import Balancer from "../abi/Balancer.json" with { type: "json" };
import CheckpointRegistry from "../abi/CheckpointRegistry.json" with { type: "json" };
import EnergyLedger from "../abi/EnergyLedger.json" with { type: "json" };
import HolderPool from "../abi/HolderPool.json" with { type: "json" };
import IVrfCoordinator from "../abi/IVrfCoordinator.json" with { type: "json" };
import LeaseRegistry from "../abi/LeaseRegistry.json" with { type: "json" };
import Lens from "../abi/Lens.json" with { type: "json" };
import NodeRegistry from "../abi/NodeRegistry.json" with { type: "json" };
import Parameters from "../abi/Parameters.json" with { type: "json" };
import PasskeyAccount from "../abi/PasskeyAccount.json" with { type: "json" };
import PasskeyAccountFactory from "../abi/PasskeyAccountFactory.json" with { type: "json" };
import PoolOutlet from "../abi/PoolOutlet.json" with { type: "json" };
import Reassignment from "../abi/Reassignment.json" with { type: "json" };
import ReleaseFees from "../abi/ReleaseFees.json" with { type: "json" };
import RoundManager from "../abi/RoundManager.json" with { type: "json" };
import SponsorPaymaster from "../abi/SponsorPaymaster.json" with { type: "json" };
import Supply from "../abi/Supply.json" with { type: "json" };
import TaskRegistry from "../abi/TaskRegistry.json" with { type: "json" };
import Telemetry from "../abi/Telemetry.json" with { type: "json" };
import TestnetFaucet from "../abi/TestnetFaucet.json" with { type: "json" };
import VRFCoordinatorV2_5Mock from "../abi/VRFCoordinatorV2_5Mock.json" with { type: "json" };
import Vault from "../abi/Vault.json" with { type: "json" };
import VerToken from "../abi/VerToken.json" with { type: "json" };
import VrfSeeds from "../abi/VrfSeeds.json" with { type: "json" };
import Errors from "../abi/Errors.json" with { type: "json" };

/** ABIs by contract name. */
export const ABIS: Readonly<
  Record<
    | "AccessManager"
    | "AuditEpochs"
    | "Audits"
    | "Balancer"
    | "CheckpointRegistry"
    | "EnergyLedger"
    | "HolderPool"
    | "IVrfCoordinator"
    | "LeaseRegistry"
    | "Lens"
    | "NodeRegistry"
    | "Parameters"
    | "PasskeyAccount"
    | "PasskeyAccountFactory"
    | "PoolOutlet"
    | "Reassignment"
    | "ReleaseFees"
    | "RoundManager"
    | "SponsorPaymaster"
    | "Supply"
    | "TaskRegistry"
    | "Telemetry"
    | "TestnetFaucet"
    | "VRFCoordinatorV2_5Mock"
    | "Vault"
    | "VerToken"
    | "VrfSeeds",
    readonly object[]
  >
> = {
  AccessManager,
  AuditEpochs,
  Audits,
  Balancer,
  CheckpointRegistry,
  EnergyLedger,
  HolderPool,
  IVrfCoordinator,
  LeaseRegistry,
  Lens,
  NodeRegistry,
  Parameters,
  PasskeyAccount,
  PasskeyAccountFactory,
  PoolOutlet,
  Reassignment,
  ReleaseFees,
  RoundManager,
  SponsorPaymaster,
  Supply,
  TaskRegistry,
  Telemetry,
  TestnetFaucet,
  VRFCoordinatorV2_5Mock,
  Vault,
  VerToken,
  VrfSeeds,
};

/** Every error that a contract reverts with, whichever contract was called. */
export const ERRORS_ABI: readonly object[] = Errors;
