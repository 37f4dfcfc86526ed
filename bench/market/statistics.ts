/** One-sided 95 % quantiles of Student's t distribution for 1, 2, … degrees of freedom; beyond them the normal one. */
const T95 = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.74,
  1.734, 1.729, 1.725,
];
const NORMAL95 = 1.645;

/** The mean of some numbers; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * By how much the mean of a sample may exceed the true one by chance, with 95 % confidence on one side.
 *
 * @returns Infinity for fewer than two values: one observation says nothing of chance.
 */
export function halfWidth(values: readonly number[]): number {
  const freedom = values.length - 1;
  if (freedom < 1) return Infinity;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / freedom;
  return (T95[freedom - 1] ?? NORMAL95) * Math.sqrt(variance / values.length);
}
