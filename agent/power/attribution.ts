/** CPU time that a lease's units used in a period, seconds. */
export interface LeaseCpu {
  readonly leaseId: number;
  readonly cpuSeconds: number;
}

/** A lease's part of the energy. */
export interface LeaseEnergy {
  readonly leaseId: number;
  readonly joules: number;
}

/**
 * Attributes a machine's energy to leases by their share of the CPU time that the machine spent on anything.
 *
 * What others used (the owner, the system, the agent itself) is nobody's lease, and so is everything if no lease ran. Idle
 * power goes with the work: a lease that has the machine for itself bears all of it.
 *
 * @param joules Energy of the period.
 * @param busySeconds CPU time that everything together used in it. If the leases alone used more (their clocks are read at
 * other moments), their sum is what is shared by.
 * @returns In the same order; the sum is never more than `joules` but for the last bits. Leases without any are left out.
 */
export function attribute(joules: number, leases: readonly LeaseCpu[], busySeconds: number): LeaseEnergy[] {
  const used = leases.reduce((sum, { cpuSeconds }) => sum + Math.max(0, cpuSeconds), 0);
  const whole = Math.max(used, busySeconds);
  if (!(whole > 0)) return [];
  return leases
    .map(({ leaseId, cpuSeconds }) => ({ leaseId, joules: (joules * Math.max(0, cpuSeconds)) / whole }))
    .filter((each) => each.joules > 0);
}
