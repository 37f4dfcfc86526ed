/** What the network promises. Percent. */
export const GOALS = {
  /** Nodes that run on renewable energy, by the year 2030. */
  renewableNodes: 80,
  renewableBy: 2030,
  /** Less CO2 than the same work in data centres. */
  carbonReduction: 50,
  /** Units' time that is harvested from machines which would be idle. */
  idleHarvested: 40,
} as const;

/** Energy and work of a task, a node or the network, with what it is compared with. */
export interface EnergyTotals {
  readonly joules: number;
  readonly renewableJoules: number;
  /** Grams of CO2 equivalent. */
  readonly grams: number;
  /** Joules of the same work in a data centre, its PUE included; 0 if there is no baseline. */
  readonly baselineJoules: number;
  /** Grams of the same work in a data centre. */
  readonly baselineGrams: number;
  /** Unit-seconds on machines whose owners did not use them, and all unit-seconds. */
  readonly idleUnitSeconds: number;
  readonly unitSeconds: number;
}

/** How far it stands with the goals. Percent; undefined where there is nothing to compare. */
export interface Standing {
  /** (E_centralised − E_decentralised) ÷ E_centralised. */
  readonly efficiencyGain: number | undefined;
  readonly renewableEnergy: number | undefined;
  readonly carbonReduction: number | undefined;
  readonly idleHarvested: number | undefined;
}

/** Reckons the standing. Negative gains and reductions are shown as they are. */
export function standing(totals: EnergyTotals): Standing {
  const { joules, renewableJoules, grams, baselineJoules, baselineGrams, idleUnitSeconds, unitSeconds } = totals;
  const share = (part: number, whole: number) => (whole > 0 ? (part * 100) / whole : undefined);
  return {
    efficiencyGain: baselineJoules > 0 ? efficiencyGain(baselineJoules, joules) : undefined,
    renewableEnergy: share(renewableJoules, joules),
    carbonReduction: baselineGrams > 0 ? efficiencyGain(baselineGrams, grams) : undefined,
    idleHarvested: share(idleUnitSeconds, unitSeconds),
  };
}

/** Sources of energy that are renewable, in the words of the chain. */
const RENEWABLE: readonly string[] = ["solar", "wind", "hydro", "geothermal"];

/** Whether a source of energy counts as renewable; nuclear and storage do not, whatever charged the latter. */
export function isRenewable(energySource: string): boolean {
  return RENEWABLE.includes(energySource);
}

/**
 * Share of nodes that run on renewable energy, percent, beside the share that a straight line from 0 in the base year to
 * the goal asks for at this time.
 *
 * @param year With its fraction: 2026.9.
 * @param baseYear When the network began.
 */
export function renewableNodes(
  nodes: readonly { readonly energySource: string }[],
  year: number,
  baseYear = 2026,
): { readonly share: number | undefined; readonly due: number } {
  const renewable = nodes.filter(({ energySource }) => isRenewable(energySource)).length;
  const way = Math.min(1, Math.max(0, (year - baseYear) / (GOALS.renewableBy - baseYear)));
  return {
    share: nodes.length === 0 ? undefined : (renewable * 100) / nodes.length,
    due: GOALS.renewableNodes * way,
  };
}

/**
 * Efficiency gain of the decentralised run of some work over a centralised one, in percent:
 * (E_centralised − E_decentralised) / E_centralised. Negative where the decentralised run needs more. Without a
 * baseline (E_centralised = 0) there is nothing to compare with and the gain is 0.
 *
 * @example efficiencyGain(1000, 600) // 40
 * @param centralised - Baseline energy, in any one unit.
 * @param decentralised - Energy used, in the same unit.
 * @throws RangeError if an energy is negative or no finite number.
 */
export function efficiencyGain(centralised: number, decentralised: number): number {
  for (const energy of [centralised, decentralised]) {
    if (!Number.isFinite(energy) || energy < 0) {
      throw new RangeError(`${energy} is no energy: it is finite and at least 0.`);
    }
  }
  return centralised === 0 ? 0 : ((centralised - decentralised) * 100) / centralised;
}
