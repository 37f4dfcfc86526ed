/**
 * What things are worth in the game, in VER. Only ratios matter: the contracts' own amounts (stake, fees, bounties) are
 * those of BASE's parameters.
 */
export const ECONOMY = {
  /** What a unit is worth to its developer when it is delivered at once, and the maximum that is paid for it. */
  worth: 2,
  /** What a node spends on computing a unit: power, wear, and what its owner gives up. */
  compute: 0.5,
  /**
   * VER for a gas: 0.005 gwei, the least base fee on BASE, at 3,000 VER for 1 ETH.
   */
  gas: 0.005e-9 * 3_000,
} as const;

/** Shares of {@link ECONOMY.worth} that honest nodes ask, in turn. The second asks what the player under test does. */
export const HONEST_SHARES = [0.45, 0.5, 0.55, 0.4, 0.6] as const;

/**
 * The smallest amount that chance or one whole unit decides in an episode: a unit's margin at the dearest honest ask.
 * Work is leased by the unit, so two honest players who are equally good can end a unit apart.
 */
export const GRAIN = ECONOMY.worth * Math.max(...HONEST_SHARES) - ECONOMY.compute;

/** Same for what others lose: the whole surplus of a unit, no matter who had it. */
export const SURPLUS = ECONOMY.worth - ECONOMY.compute;
