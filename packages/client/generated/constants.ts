// Written by `npm run abi` from the contracts; do not edit.

/** Public constants of the contracts that are plain numbers, by contract; times in seconds. */
export const CONSTANTS = {
  Audits: { MAX_LINKS: 512, TRIES: 4, ROUNDS: 24, CONVICT: 15, ACQUIT: 5, PROVEN: 5, BOND: 16 },
  EnergyLedger: { MAX_INTENSITY: 2000000, MAX_SHARES: 64, MAX_REACH: 43200 },
  LeaseRegistry: { MAX_OUTAGE: 259200 },
  PasskeyAccount: { MAX_KEYS: 4, MIN_RECOVERY_DELAY: 86400, MAX_RECOVERY_DELAY: 2592000 },
  PoolOutlet: { PERIOD: 604800, SHARE: 100 },
  Reassignment: { BATCH: 128, RETURNS: 32, TRIES: 64, ROUND_PRIORITY: 10 },
  ReleaseFees: { EVIDENCE: 3 },
  SponsorPaymaster: { MAX_VALIDITY: 3600 },
  TaskRegistry: { ROUNDS_IN_ADVANCE: 8 },
  Telemetry: { CONTRACT_GAS: 50000, KEY_SHIFT: 24, RULE_AGE: 3600 },
  TestnetFaucet: { PERIOD: 86400 },
} as const;
