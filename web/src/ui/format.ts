import { PRICE_UNIT } from "@verai/protocol/money/units";
import { formatVer } from "@verai/protocol/money/ver";

const NO_BREAK = " ";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const some = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** A number with separators and at most four significant digits below a thousand. */
export function count(value: number): string {
  return Math.abs(value) < 1000 && !Number.isInteger(value) ? some.format(value) : whole.format(value);
}

/** A number with what it counts: `1 task`, `4 tasks`. */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? "" : "s"}`;
}

/** Wei as VER for reading: separators, at most six decimals, "<0.000001" for less. The exact amount belongs in a title. */
export function ver(wei: bigint | string): string {
  const amount = BigInt(wei);
  const [integer = "0", decimals = ""] = formatVer(amount < 0n ? -amount : amount).split(".");
  const cut = decimals.slice(0, integer.length > 4 ? 2 : 6).replace(/0+$/, "");
  if (integer === "0" && cut === "" && amount !== 0n) return "<0.000001";
  return `${amount < 0n ? "−" : ""}${whole.format(BigInt(integer))}${cut === "" ? "" : `.${cut}`}`;
}

/** Wei as VER, exact, with its unit. */
export function exactVer(wei: bigint | string): string {
  return `${formatVer(BigInt(wei))}${NO_BREAK}VER`;
}

/** No ask and no task's price is above 2^40 micro-VER; a clearing price beyond it says that all of a class's units are taken. */
const HIGHEST = 2n ** 40n * PRICE_UNIT;

/** A clearing price in wei as VER; words where the class had no unit left to be priced, or nothing has been priced yet. */
export function clearingPrice(wei: string): string {
  const price = BigInt(wei);
  return price === 0n ? "–" : price > HIGHEST ? "none left" : ver(price);
}

/** A clearing price for a chart; nothing where no unit was left. */
export function clearingPoint(wei: string): number | null {
  const price = BigInt(wei);
  return price > HIGHEST ? null : Number(price) / 1e18;
}

const STEPS = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** A value with a unit, by thousands: 1500 J is 1.5 kJ. */
export function scaled(value: number, unit: string): [value: string, unit: string] {
  for (const [size, prefix] of STEPS)
    if (Math.abs(value) >= size) return [some.format(value / size), `${prefix}${unit}`];
  return [some.format(value), unit];
}

/** Joules in the unit that fits. */
export function joules(value: number): string {
  return scaled(value, "J").join(NO_BREAK);
}

/** Joules as kilowatt-hours. */
export function kilowattHours(value: number): string {
  return `${some.format(value / 3.6e6)}${NO_BREAK}kWh`;
}

/** Bytes in the unit that fits. */
export function bytes(value: number): string {
  const [amount, prefix] =
    value >= 2 ** 30
      ? [value / 2 ** 30, "Gi"]
      : value >= 2 ** 20
        ? [value / 2 ** 20, "Mi"]
        : value >= 1024
          ? [value / 1024, "Ki"]
          : [value, ""];
  return `${some.format(amount)}${NO_BREAK}${prefix}B`;
}

/** A share as percent; a dash where there is nothing to compare. */
export function percent(value: number | undefined, digits = 1): string {
  return value === undefined ? "–" : `${value.toFixed(digits).replace("-", "−")}${NO_BREAK}%`;
}

/** A span in its two largest units. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(s / 86_400), "d"],
    [Math.floor(s / 3600) % 24, "h"],
    [Math.floor(s / 60) % 60, "min"],
    [s % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return `0${NO_BREAK}s`;
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${String(amount)}${NO_BREAK}${unit}`)
    .join(" ");
}

const date = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});

/** A chain time as a date in UTC. */
export function utc(seconds: number): string {
  return `${date.format(new Date(seconds * 1000))} UTC`;
}

/** A long hexadecimal text or a CID by its ends. */
export function short(text: string): string {
  return text.length <= 16 ? text : `${text.slice(0, text.startsWith("0x") ? 6 : 8)}…${text.slice(-4)}`;
}

/**
 * Text that a node or a developer chose, made safe to look at: control characters, and those that turn the direction of
 * writing or have no width, become visible; cut to a length. React escapes markup.
 */
export function foreign(text: string, max = 120): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, "\u{FFFD}");
  return visible.length <= max ? visible : `${visible.slice(0, max)}…`;
}
