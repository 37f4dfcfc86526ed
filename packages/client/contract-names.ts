/** The contracts that the client knows by their ABIs; `npm run abi` takes these from the compiler. */
export const CONTRACT_NAMES = [
  "AccessManager",
  "IVrfCoordinator",
  "VRFCoordinatorV2_5Mock",
  "VerToken",
  "TestnetFaucet",
  "Vault",
  "PoolOutlet",
  "Parameters",
  "NodeRegistry",
  "Supply",
  "HolderPool",
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
  "AuditEpochs",
  "Audits",
  "PasskeyAccount",
  "PasskeyAccountFactory",
  "SponsorPaymaster",
] as const;

/** One of them. */
export type ContractName = (typeof CONTRACT_NAMES)[number];
