const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a time span as people write it, `90`, `45m`, `36h`, `7d` or `1h30m`, into whole seconds.
 *
 * @throws RangeError naming the text and what is expected.
 */
export function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)([smhd]?)/g)];
  const seconds = parts.reduce((sum, [, digits, unit]) => sum + Number(digits) * (SECONDS[unit ?? ""] ?? 1), 0);
  const whole = parts.map(([part]) => part).join("") === text.trim() && parts.length > 0;
  // A number without a unit is seconds, and stands alone.
  const plain = parts.length === 1 || parts.every(([, , unit]) => unit !== "");
  if (!whole || !plain || !Number.isInteger(seconds) || seconds <= 0) {
    throw new RangeError(`"${text}" is no time span: write seconds, or such as 45m, 36h, 7d, 1h30m.`);
  }
  return seconds;
}

/** Writes seconds as people read them: 5400 gives `1h30m`. */
export function formatDuration(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s"] as const) {
    const size = SECONDS[unit] ?? 1;
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${String(count)}${unit}`);
  }
  return parts.slice(0, 2).join("") || "0s";
}
