import { devicesOf } from "./embodied.ts";

/** What the same work takes in a data centre. */
export interface Baseline {
  /** Joules of a unit, before cooling and losses of the building. */
  readonly joulesPerUnit: number;
  readonly source: string;
}

/**
 * Power usage effectiveness of the data centres that work is compared with: total power ÷ power of the machines.
 *
 * Uptime Institute, Global Data Center Survey 2024: 1.56 on average at the operators' largest sites. Hyperscale clouds state
 * 1.1 to 1.2; anyone who compares with those sets the parameter accordingly.
 */
export const PUE = { value: 1.56, source: "Uptime Institute, Global Data Center Survey 2024 (average)" } as const;

const HOUR = 3600;

/** Watts in a data centre while a unit, nominally an hour of one device, runs. */
const WATTS: Readonly<Record<string, { readonly watts: number; readonly source: string }>> = {
  "gpu-141g": {
    // Rated as a node of H100s is; no measurement of the share was found.
    watts: (0.76 * 10_200) / 8,
    source: "NVIDIA, DGX H200 data sheet: 10.2 kW for eight, of which the 76 % that training takes on H100s",
  },
  "gpu-80g": {
    // 76 % of the 10.2 kW that a node of eight is rated for.
    watts: (0.76 * 10_200) / 8,
    source: "Newkirk et al. 2025 (arXiv:2506.14551): training on 8 × H100 80 GB draws 76 % of the node's 10.2 kW",
  },
  "gpu-48g": {
    watts: 350 + 4 * 3.5,
    source: "NVIDIA, L40S data sheet: 350 W, with four vCPUs at 3.5 W as for gpu-24g",
  },
  "gpu-24g": {
    watts: 153 + 4 * 3.5,
    source: "Cloud Carbon Footprint, AWS constants: A10G at 153 W, with four vCPUs at 3.5 W (a g5.xlarge)",
  },
  "gpu-16g": {
    watts: 71 + 4 * 3.5,
    source: "Cloud Carbon Footprint, AWS constants: T4 at 71 W, with four vCPUs at 3.5 W (a g4dn.xlarge)",
  },
  cpu: { watts: 3.5, source: "Cloud Carbon Footprint, AWS constants: a vCPU at full load, 3.5 W" },
};

/**
 * Baseline of a class, for a unit that takes one device-hour. A network whose units are of another size sets the chain's
 * parameter, which rules wherever there is one.
 *
 * @param className Such as "gpu-80g/eu".
 * @param unitHours Device-hours of a unit.
 * @returns Undefined for a kind that nothing is known about.
 */
export function classBaseline(className: string, unitHours = 1): Baseline | undefined {
  const { kind, count } = devicesOf(className);
  const found = WATTS[kind];
  return found && { joulesPerUnit: found.watts * count * unitHours * HOUR, source: found.source };
}

/** So many times what a data centre's machines take in the same hours a baseline may be: above, it stands for other units. */
export const MOST_FIT = 2;

/** Unit-hours in a class. */
export interface ClassHours {
  readonly className: string;
  readonly hours: number;
}

/**
 * How many times what a data centre's machines of the same classes take in the same hours a baseline is. About 1, or below where work was
 * lost, if the chain's baselines are of units as long as these; far above where they are of longer ones. Pure.
 *
 * @param baselineJoules With PUE.
 * @returns Undefined where there are no hours, or a class of which nothing is known.
 */
export function baselineFit(baselineJoules: number, worked: readonly ClassHours[]): number | undefined {
  let joules = 0;
  for (const { className, hours } of worked) {
    const found = classBaseline(className, hours);
    if (found === undefined) return undefined;
    joules += found.joulesPerUnit * PUE.value;
  }
  return joules > 0 ? baselineJoules / joules : undefined;
}

/**
 * The same where hours by class are not known, of which a baseline of a device-hour a unit stands for how many times what units took. It is
 * the fit where units of all classes last equally long, and the chain's baselines are of an hour; where units are shorter and the
 * baselines match them it is too large, so that nothing is claimed. Pure.
 *
 * @param unitHours Of the credited units. Hours of other work among them, such as lost or unpaid work, make the fit too small.
 * @returns Undefined where there are no hours.
 */
export function unitFit(creditedUnits: number, unitHours: number): number | undefined {
  return unitHours > 0 ? creditedUnits / unitHours : undefined;
}

/**
 * Why no saving is claimed, to stand behind "No saving is claimed:"; for a fit of which {@link isClaimed} is false. Pure.
 *
 * @param fit Of {@link baselineFit}.
 */
export function whyNotClaimed(fit: number | undefined): string {
  return fit === undefined
    ? "it is not known what a data centre's machines take in the hours and classes that the work ran in"
    : `the baseline is ${fit.toFixed(0)} times what a data centre's machines take in the same hours, so it is of longer units than these`;
}

/** Whether a saving against a baseline may be claimed: it fits, and that it does is known. */
export function isClaimed(fit: number | undefined): boolean {
  return fit !== undefined && fit <= MOST_FIT;
}
