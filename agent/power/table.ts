/**
 * Idle and maximum power by kind of hardware, for machines whose energy cannot be measured.
 *
 * Sources, looked up in November 2026:
 *
 * - `cpu`: Cloud Carbon Footprint's averages for AWS from the SPECpower database, per vCPU (a hardware thread):
 *   0.74 W idle, 3.5 W at full load (cloud-carbon-footprint, `AwsFootprintEstimationConstants.ts`).
 * - the GPUs: the same file, from Teads' measurements of EC2 instances: NVIDIA A100 46 W and 407 W, A10G (24 GB) 18 W and
 *   153 W, T4 (16 GB) 8 W and 71 W.
 * - `gpu-48g` and `gpu-141g`, which those do not cover: the maximum power in NVIDIA's data sheets, L40S 350 W and
 *   H200 SXM 700 W. Idle power is not stated there: it is taken to be the same share of the maximum as the A100's, 11 %.
 */
const TABLE: Readonly<Record<string, PowerRange>> = {
  cpu: { idle: 0.74, max: 3.5, per: "hardware thread" },
  "gpu-141g": { idle: 79, max: 700, per: "GPU" },
  "gpu-80g": { idle: 46, max: 407, per: "GPU" },
  "gpu-48g": { idle: 40, max: 350, per: "GPU" },
  "gpu-40g": { idle: 46, max: 407, per: "GPU" },
  "gpu-24g": { idle: 18, max: 153, per: "GPU" },
  "gpu-16g": { idle: 8, max: 71, per: "GPU" },
};

/** Power of one piece of hardware, watts. */
export interface PowerRange {
  readonly idle: number;
  readonly max: number;
  readonly per: "hardware thread" | "GPU";
}

/**
 * Share of the way from idle to maximum power at a utilisation, by Teads' measurements of Xeon servers under a mixed load
 * ("Estimating AWS EC2 Instances Power Consumption", 2021: 12, 32, 75 and 102 % of the thermal design power at 0, 10, 50
 * and 100 % utilisation), rescaled to start at 0 and end at 1. Power grows fast at first, then slowly.
 */
const CURVE: readonly (readonly [utilisation: number, share: number])[] = [
  [0, 0],
  [0.1, (0.32 - 0.12) / (1.02 - 0.12)],
  [0.5, (0.75 - 0.12) / (1.02 - 0.12)],
  [1, 1],
];

/**
 * Power range of a kind of hardware, which is what comes before the "/" of a class name; "-x8" at its end counts GPUs.
 *
 * @returns Undefined for a kind that is not in the table.
 */
export function powerRange(kind: string): PowerRange | undefined {
  return TABLE[kind.replace(/-x\d+$/, "")];
}

/**
 * Estimated power at a utilisation.
 *
 * @param utilisation From 0 to 1; what lies outside is taken as the nearer end, and what is no number as 0.
 * @returns Watts.
 */
export function estimatePower({ idle, max }: Pick<PowerRange, "idle" | "max">, utilisation: number): number {
  const share = Number.isNaN(utilisation) ? 0 : Math.min(1, Math.max(0, utilisation));
  const above = CURVE.findIndex(([at]) => at >= share);
  const [x1, y1] = CURVE[above] ?? [1, 1];
  const [x0, y0] = CURVE[above - 1] ?? [0, 0];
  const part = x1 === x0 ? y1 : y0 + ((y1 - y0) * (share - x0)) / (x1 - x0);
  return idle + (max - idle) * part;
}
