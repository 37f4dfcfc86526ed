/** Id of the local simulated chain. Everybody knows the keys of its test accounts. */
export const LOCAL_CHAIN_ID = 31337;

/** Id of BASE's test network. */
export const BASE_SEPOLIA_CHAIN_ID = 84532;

/** Id of BASE. */
export const BASE_CHAIN_ID = 8453;
