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
