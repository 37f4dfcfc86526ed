import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import type { Scenario } from "./simulation.ts";

/**
 * A spike of four times the usual demand, with noise of a tenth throughout: six nodes of other people, and those of an
 * operator to whom a unit costs 0.010 VER, who asks 0.012, and whose nodes take five minutes to start.
 */
export function scenario(quick: boolean, seed: number): Scenario & { readonly spike: readonly [number, number] } {
  const spike = quick ? ([30, 75] as const) : ([120, 270] as const);
  const noise = randomNumbers(seed);
  return {
    spike,
    steps: quick ? 150 : 480,
    demand: (step) => Math.round((step >= spike[0] && step < spike[1] ? 24 : 6) * (0.9 + 0.2 * noise())),
    unitSteps: 8,
    patience: 20,
    maxPrices: [30, 40],
    costTicks: 10,
    askTicks: 12,
    others: [8, 9, 11, 11, 14, 16],
    startSteps: 5,
    graceSteps: 10,
    scaler: { min: 1, max: 40, unitsPerNode: 8, upWindow: 1, downWindow: 15, upPeriod: 2, downPeriod: 5 },
    seed,
  };
}
