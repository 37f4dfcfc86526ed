import { DITHER } from "../money/units.ts";

/** Joules of a kilowatt-hour. */
const JOULES_PER_KWH = 3_600_000;

/**
 * Grams of CO2 equivalent that some electricity stands for.
 *
 * @param renewableJoules Part of the joules that came from renewable sources, which counts as free of carbon.
 * @param gramsPerKwh Of the rest.
 */
export function gramsOfCo2(joules: number, renewableJoules: number, gramsPerKwh: number): number {
  return (Math.max(0, joules - renewableJoules) / JOULES_PER_KWH) * gramsPerKwh;
}

/**
 * Surcharge by which a task prefers classes with little carbon: q = carbon price × grid intensity × joules per unit.
 *
 * It enters the LP like any surcharge, so the certificate covers it; it steers and is never paid.
 *
 * @param carbonPrice Micro-VER for a kilogram of CO2.
 * @param gramsPerKwh Intensity of the class's region.
 * @param joulesPerUnit Energy of a unit in the class.
 * @returns Whole micro-VER, rounded to the nearest.
 * @throws RangeError for what is negative or no finite number.
 */
export function carbonSurcharge(carbonPrice: number, gramsPerKwh: number, joulesPerUnit: number): number {
  for (const value of [carbonPrice, gramsPerKwh, joulesPerUnit]) {
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`${value} cannot be part of a carbon surcharge: it has to be finite and at least 0.`);
    }
  }
  const kilograms = ((joulesPerUnit / JOULES_PER_KWH) * gramsPerKwh) / 1000;
  const surcharge = Math.round(carbonPrice * kilograms);
  if (surcharge * DITHER > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`A carbon price of ${carbonPrice} micro-VER/kg is too high for a unit of ${kilograms} kg.`);
  }
  return surcharge;
}
