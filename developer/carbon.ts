import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import { readClassEnergy } from "@verai/client/telemetry";
import { classBaseline } from "@verai/protocol/energy/baseline";
import { carbonSurcharge } from "@verai/protocol/energy/carbon";
import { intensityTable, type IntensityProvider, regionOf } from "@verai/protocol/energy/intensity";

/** What a task's carbon price means for a class. */
export interface CarbonTerm {
  readonly className: string;
  readonly joulesPerUnit: number;
  readonly gramsPerKwh: number;
  /** Micro-VER for a unit. */
  readonly surcharge: number;
}

/**
 * Surcharges by which a task prefers regions with clean electricity: carbon price × intensity × energy of a unit.
 *
 * Energy and intensity are the chain's figures for the class, so that all tasks reckon alike; where the chain has none, the
 * table of baselines and the provider are asked.
 *
 * @param carbonPrice Micro-VER for a kilogram of CO2.
 * @throws RangeError if neither knows a class or its region.
 */
export async function carbonTerms(
  reader: Reader,
  at: BlockReference,
  classes: readonly { readonly classId: number; readonly name: string }[],
  carbonPrice: number,
  provider: IntensityProvider = intensityTable,
): Promise<Map<number, CarbonTerm>> {
  const terms = new Map<number, CarbonTerm>();
  for (const { classId, name } of classes) {
    const { baselineJoules, gridIntensity } = await readClassEnergy(reader, at, classId);
    const joulesPerUnit = baselineJoules || classBaseline(name)?.joulesPerUnit;
    if (joulesPerUnit === undefined) {
      throw new RangeError(
        `Nothing is known of the energy that a unit takes in the class "${name}": leave the carbon price out, or the class.`,
      );
    }
    const gramsPerKwh = gridIntensity / 1000 || (await provider.intensity(regionOf(name))).gramsPerKwh;
    const surcharge = carbonSurcharge(carbonPrice, gramsPerKwh, joulesPerUnit);
    terms.set(classId, { className: name, joulesPerUnit, gramsPerKwh, surcharge });
  }
  return terms;
}
