import { DITHER, PRICE_UNIT } from "@verai/protocol/money/units";
import { formatVer } from "@verai/protocol/money/ver";

/** An amount of VER as people read it, e.g. `0.0105 VER`. @param wei 18 decimals. */
export function ver(wei: bigint): string {
  return `${formatVer(wei)} VER`;
}

/** An amount of ETH as people read it. */
export function eth(wei: bigint): string {
  return `${decimal(wei, 18)} ETH`;
}

/** A fee per gas as people read it. */
export function gwei(wei: bigint): string {
  return `${decimal(wei, 9)} gwei`;
}

/** A price of a round, which is micro-VER x 1024, as VER. Exact, because 1e12 / 1024 is whole. */
export function scaledPrice(scaled: bigint): string {
  return ver((scaled * PRICE_UNIT) / BigInt(DITHER));
}

/** A time on chain (seconds) as people read it, e.g. `2026-11-23 07:04:05 UTC`. */
export function time(seconds: bigint): string {
  // 8.64e12 seconds is the last instant that a Date holds.
  if (seconds > 8_640_000_000_000n) return `second ${String(seconds)}`;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The multiples of `step` next to `amount` (18 decimals), with the step's digits: `0.010 or 0.011`. */
export function neighbours(amount: bigint, step: bigint): string {
  const digits = formatVer(step).split(".")[1]?.length ?? 0;
  const below = amount - (amount % step);
  return [below, below + step].map((wei) => fixed(wei, digits)).join(" or ");
}

function fixed(wei: bigint, digits: number): string {
  const [whole = "0", fraction = ""] = formatVer(wei).split(".");
  return digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, "0")}`;
}

/** A number without trailing zeros. */
function decimal(value: bigint, decimals: number): string {
  return formatVer(value * 10n ** BigInt(18 - decimals));
}
