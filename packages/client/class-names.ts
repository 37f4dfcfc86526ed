const BYTES = 32;

/**
 * A class's name, such as `gpu-80g/eu`, as the contracts keep it: UTF-8, filled up with zeros.
 *
 * @throws RangeError if it takes more than 31 bytes, or none.
 */
export function classNameToBytes32(name: string): `0x${string}` {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length >= BYTES || bytes.includes(0)) {
    throw new RangeError(
      `"${name}" is no name of a class: names have 1 to ${String(BYTES - 1)} bytes, none of them zero.`,
    );
  }
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `0x${digits.padEnd(2 * BYTES, "0")}`;
}

/** A class's name as text, from 32 bytes in hexadecimal digits; the digits as they are where they are no text. */
export function classNameFromBytes32(digits: string): string {
  const text = /^0x((?:[0-9a-f]{2}){1,31}?)(?:00)+$/i.exec(digits)?.[1];
  if (text === undefined || digits.length !== 2 + 2 * BYTES || /^00/.test(text)) return digits;
  const bytes = Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  try {
    return bytes.includes(0) ? digits : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return digits;
  }
}
