/**
 * Functions whose bits ECMAScript leaves open ("implementation-approximated"): `Math.exp`, `Math.log` and `Math.sqrt` may
 * differ between engines and their versions. Here they consist of additions, multiplications, divisions and comparisons of
 * doubles alone, which IEEE 754 fixes to the bit, so that a training has the same weights wherever it runs.
 */

// ln 2 in two parts: the first has 32 trailing zeros, so that its product with an exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 1 / n! for n = 0 … 13: the next term of the series is below 2^-57 where it is used, |r| ≤ ln 2 / 2. */
const INVERSE_FACTORIALS = (() => {
  const terms = [1];
  let factorial = 1;
  // Factorials up to 18! are exact in doubles.
  for (let n = 1; n <= 13; n++) terms.push(1 / (factorial *= n));
  return terms;
})();

/**
 * e^x, within 1 unit in the last place where the result is a normal number.
 *
 * Writes x as k·ln 2 + r, |r| ≤ ln 2 / 2, and sums e^r as its power series (Abramowitz and Stegun 4.2.1).
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019411) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 0;
  for (let n = 13; n >= 2; n--) sum = sum * r + INVERSE_FACTORIALS[n]!;
  // The small terms first: what rounding loses there does not reach the sum.
  return scale(1 + (r + r * r * sum), k);
}

/**
 * Natural logarithm, within 1 unit in the last place; −∞ of 0, NaN of what is negative.
 *
 * Writes x as m·2^k, √½ ≤ m < √2, and sums ln m = 2·artanh(s), s = (m − 1)/(m + 1), as its power series
 * (Abramowitz and Stegun 4.1.27).
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let [m, k] = [x, 0];
  // Multiplications by powers of two are exact; the first brings numbers below the normal ones into their range.
  if (m < 2 ** -1022) [m, k] = [m * 2 ** 54, -54];
  for (let step = 512; step >= 1; step /= 2) {
    if (m >= 2 ** step) [m, k] = [m * 2 ** -step, k + step];
    else if (m < 2 ** (1 - step)) [m, k] = [m * 2 ** step, k - step];
  }
  if (m >= Math.SQRT2) [m, k] = [m / 2, k + 1];
  const f = m - 1;
  const s = f / (2 + f);
  const square = s * s;
  let sum = 0;
  for (let n = 21; n >= 3; n -= 2) sum = sum * square + 2 / n;
  // ln m = 2s + s³·sum = f − s·(f − s²·sum): f is exact, and the correction small.
  return k * LN2_HIGH - (s * (f - square * sum) - k * LN2_LOW - f);
}

/** Square root, correctly rounded, of a positive normal number. */
export function squareRoot(x: number): number {
  if (!(x >= 2 ** -1022 && x < Infinity))
    throw new RangeError(`no square root of ${x}: only of positive normal numbers`);
  let [m, k] = [x, 0];
  // x = m·4^k with 2^104 ≤ m < 2^106: doubles of the size of its root are the whole numbers.
  while (m >= 2 ** 106) [m, k] = [m / 4, k + 1];
  while (m < 2 ** 104) [m, k] = [m * 4, k - 1];
  const target = BigInt(m);
  let root = 2n ** 53n;
  for (;;) {
    const next = (root + target / root) / 2n;
    if (next >= root) break;
    root = next;
  }
  // root ≤ √m < root + 1. The middle between them is (root + ½)² = root² + root + ¼, which no whole number is.
  const up = target - root * root > root;
  return scale(Number(up ? root + 1n : root), k);
}

/** x·2^k, |k| ≤ 1100, in steps that are exact but for the last one of a result below the normal numbers. */
function scale(x: number, k: number): number {
  if (k > 1023) return x * 2 ** 1023 * 2 ** (k - 1023);
  if (k < -1022) return x * 2 ** (k + 53) * 2 ** -53;
  return x * 2 ** k;
}
