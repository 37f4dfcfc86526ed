import { MAX_PRICE, PRICE_UNIT, TICKS } from "./units.ts";
import { formatPrice, formatVer, MoneyError } from "./ver.ts";

/**
 * Tick of an ask.
 *
 * @param ask - What a node wants for a unit, wei.
 * @param tickSize - Price of a tick of its class, micro-VER.
 * @throws MoneyError if the ask is negative, is above the highest tick, or lies between two ticks, which are named.
 */
export function askToTick(ask: bigint, tickSize: number): number {
  requireTickSize(tickSize);
  if (ask < 0n) throw new MoneyError(`An ask of ${formatVer(ask)} VER is negative: asks start at 0.`);
  const tickWei = BigInt(tickSize) * PRICE_UNIT;
  const highest = BigInt(TICKS - 1);
  if (ask > highest * tickWei) {
    throw new MoneyError(
      `An ask of ${formatVer(ask)} VER is too high for this class: the highest is ${formatVer(highest * tickWei)} VER.`,
    );
  }
  const tick = ask / tickWei;
  if (tick * tickWei !== ask) {
    throw new MoneyError(
      `An ask of ${formatVer(ask)} VER is not on a tick of ${formatPrice(tickSize)} VER: ` +
        `the nearest are ${formatVer(tick * tickWei)} VER and ${formatVer((tick + 1n) * tickWei)} VER.`,
    );
  }
  return Number(tick);
}

/**
 * Price of a tick in micro-VER.
 *
 * @throws MoneyError if there is no such tick.
 */
export function tickToPrice(tick: number, tickSize: number): number {
  requireTickSize(tickSize);
  if (!Number.isInteger(tick) || tick < 0 || tick >= TICKS) {
    throw new MoneyError(`There is no tick ${tick}: ticks are 0 to ${TICKS - 1}.`);
  }
  return tick * tickSize;
}

function requireTickSize(tickSize: number): void {
  if (Number.isInteger(tickSize) && tickSize > 0 && tickSize * (TICKS - 1) <= MAX_PRICE) return;
  throw new MoneyError(
    `A tick of ${tickSize} micro-VER is impossible: it is a whole number from 1 to ${Math.floor(MAX_PRICE / (TICKS - 1))}.`,
  );
}
