// Written by `npm run abi` from the contracts; do not edit.

/** Public constants of the contracts that are plain numbers, by contract; times in seconds. */
export const CONSTANTS = {
  EnergyLedger: { MAX_INTENSITY: 2000000 },
  LeaseRegistry: { MAX_OUTAGE: 259200 },
  PoolOutlet: { PERIOD: 604800, SHARE: 100 },
  Reassignment: { BATCH: 128, RETURNS: 32, TRIES: 64, ROUND_PRIORITY: 10 },
  ReleaseFees: { EVIDENCE: 3 },
  TaskRegistry: { ROUNDS_IN_ADVANCE: 8 },
  Telemetry: { CONTRACT_GAS: 50000, MAX_SHARES: 64, KEY_SHIFT: 24 },
  TestnetFaucet: { PERIOD: 86400 },
} as const;
