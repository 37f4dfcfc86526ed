import { DrmpError } from "@verai/errors/drmp-error";
import { MAX_PRICE, PRICE_UNIT, VER_DECIMALS, WEI_PER_VER } from "./units.ts";

/** An amount, price or ask that cannot be used as it stands. The message names the value and the remedy. */
export class MoneyError extends DrmpError {
  override readonly name = "MoneyError";

  constructor(message: string, options?: ErrorOptions) {
    super("AMOUNT_INVALID", message, options);
  }
}

/**
 * Reads an amount of VER such as `12`, `0.5` or `12.5 VER` into wei. Exact.
 *
 * @throws MoneyError if the text is not a plain decimal number, is negative or has more than 18 decimals.
 */
export function parseVer(text: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?(?:\s*VER)?$/.exec(text.trim());
  if (!match) {
    throw new MoneyError(`"${text}" is not an amount of VER: write digits with a decimal point, such as 12.5.`);
  }
  const [, whole = "0", decimals = ""] = match;
  if (decimals.length > VER_DECIMALS) {
    throw new MoneyError(`${text} has ${decimals.length} decimals: a VER has ${VER_DECIMALS}, drop the last ones.`);
  }
  return BigInt(whole) * WEI_PER_VER + BigInt(decimals.padEnd(VER_DECIMALS, "0"));
}

/** Writes wei as VER, exact and without trailing zeros: 1500000000000000000n gives `1.5`. */
export function formatVer(wei: bigint): string {
  return decimal(wei, VER_DECIMALS);
}

/**
 * A price in whole micro-VER as wei.
 *
 * @throws MoneyError if the price is not a whole number.
 */
export function microToWei(micro: number | bigint): bigint {
  if (typeof micro === "number" && !Number.isSafeInteger(micro)) {
    throw new MoneyError(`${micro} is not a whole number of micro-VER: round it to one.`);
  }
  return BigInt(micro) * PRICE_UNIT;
}

/**
 * Wei as a price in whole micro-VER.
 *
 * @throws MoneyError if the price is negative, is not a whole number of micro-VER (the nearest ones are named), or is
 * above the highest price.
 */
export function weiToMicro(wei: bigint): number {
  if (wei < 0n) throw new MoneyError(`A price of ${formatVer(wei)} VER is negative: prices start at 0.`);
  const micro = wei / PRICE_UNIT;
  if (micro * PRICE_UNIT !== wei) {
    throw new MoneyError(
      `A price of ${formatVer(wei)} VER is finer than a micro-VER (0.000001 VER): ` +
        `the nearest are ${formatPrice(micro)} VER and ${formatPrice(micro + 1n)} VER.`,
    );
  }
  if (micro > BigInt(MAX_PRICE)) {
    throw new MoneyError(
      `A price of ${formatVer(wei)} VER is too high: the highest is ${formatPrice(MAX_PRICE)} VER a unit.`,
    );
  }
  return Number(micro);
}

/**
 * Reads a price in VER, such as `0.002`, into whole micro-VER.
 *
 * @throws MoneyError as {@link parseVer} and {@link weiToMicro} do.
 */
export function parsePrice(text: string): number {
  return weiToMicro(parseVer(text));
}

/** Writes a price, or a difference of prices, in whole micro-VER as VER: 2000 gives `0.002`. */
export function formatPrice(micro: number | bigint): string {
  return formatVer(microToWei(micro));
}

function decimal(value: bigint, decimals: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  return (value < 0n ? "-" : "") + digits.slice(0, -decimals) + (fraction && `.${fraction}`);
}
