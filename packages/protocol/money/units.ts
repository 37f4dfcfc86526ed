/**
 * The protocol's units and bounds, equal to `contracts/types/Units.sol` (a test compares them).
 *
 * Amounts of money are `bigint` wei. Prices are `number`s of whole micro-VER, which a double represents exactly even
 * when a round scales them by {@link DITHER}.
 */

/** Wei of one VER. */
export const WEI_PER_VER = 10n ** 18n;

/** Decimals of a VER. */
export const VER_DECIMALS = 18;

/** Wei of one micro-VER: every price, and every surcharge, is a whole number of them. */
export const PRICE_UNIT = 10n ** 12n;

/** Highest price in micro-VER; 2^40 × 1024 stays below 2^53. */
export const MAX_PRICE = 2 ** 40 - 1;

/** Prices are scaled by this factor inside a round, which leaves room for the seed's dither below one micro-VER. */
export const DITHER = 1024;

/** Price levels of a class: an ask is tick × tick size, with tick in [0, TICKS). */
export const TICKS = 4096;

/** Maximum units of a task. */
export const MAX_UNITS = 2 ** 20;

/** Maximum classes. */
export const MAX_CLASSES = 256;

/** Maximum classes that one task may accept. */
export const MAX_TASK_CLASSES = 16;

/** Maximum classes of all tasks of a round together. */
export const MAX_ROUND_CLASSES = 64;

/** Maximum power that a unit of capacity can draw, watts. */
export const MAX_UNIT_POWER = 20_000;

/** Longest time that a task may give a unit, seconds: about 194 days, what 24 bits hold. */
export const MAX_UNIT_TIME = 2 ** 24 - 1;

/** Maximum chance of an audit that a task can ask for, basis points. */
export const MAX_AUDIT_CHANCE = 5_000;

/** 100 % in basis points. */
export const BASIS = 10_000;
