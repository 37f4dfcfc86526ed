/** How the units of `run` exchange what they train, where nobody says it. */
export const EXCHANGE_DEFAULTS = { exchange: 0, quorum: 1, grace: "30s" } as const;
