import { findPrices } from "@verai/protocol/allocation/certificate";
import { buildProblem, unitsByClass } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { DITHER } from "@verai/protocol/money/units";
import { type CarbonMarket, withCarbonPrice } from "./market.ts";

/** What the optimum at one carbon price is like. */
export interface FrontierPoint {
  /** VER for a kilogram of CO2. */
  readonly carbonPrice: number;
  /** What the nodes are paid, VER. */
  readonly cost: number;
  /** Kilograms of CO2. */
  readonly carbon: number;
  readonly served: number;
  readonly open: number;
  /** Solving, and proving the result optimal, milliseconds. */
  readonly solveMs: number;
  readonly proofMs: number;
  readonly certified: boolean;
}

/** Solves the market at a carbon price and certifies the result. */
export function frontierPoint(market: CarbonMarket, carbonPrice: number, seed: string): FrontierPoint {
  const round = withCarbonPrice(market, carbonPrice, seed);
  const problem = buildProblem(round);
  const started = performance.now();
  const primal = networkSimplex.solve(problem);
  const solved = performance.now();
  const finding = findPrices(problem, primal);
  const proofMs = performance.now() - solved;
  const units = unitsByClass(problem, primal.flows);
  let [cost, carbon] = [0, 0];
  round.classes.forEach((each, k) => {
    cost += paid(problem.classes[k]?.steps ?? [], units[k] ?? 0);
    carbon += (units[k] ?? 0) * (market.energy.get(each.id)?.kilogramsPerUnit ?? 0);
  });
  return {
    carbonPrice,
    cost: cost / DITHER / 1e6,
    carbon,
    served: units.reduce((sum, count) => sum + count, 0),
    open: primal.open.reduce((sum, count) => sum + count, 0),
    solveMs: solved - started,
    proofMs,
    certified: finding.optimal,
  };
}

/** What a class's cheapest units are paid: what their nodes ask, without any surcharge. Micro-VER × 1024. */
function paid(steps: readonly { readonly price: number; readonly units: number }[], units: number): number {
  let [left, cost] = [units, 0];
  for (const step of steps) {
    const used = Math.min(left, step.units);
    cost += used * step.price;
    left -= used;
  }
  return cost;
}

/**
 * Points that contradict optimality: at a higher carbon price the optimum never emits more, nor costs less.
 *
 * @param tolerance Share by which two optima may differ through the dither, which decides between equals.
 */
export function contradictions(points: readonly FrontierPoint[], tolerance = 1e-6): string[] {
  return points.flatMap((point, i) => {
    const before = points[i - 1];
    if (!before) return [];
    const where = `${String(before.carbonPrice)} → ${String(point.carbonPrice)} VER/kg`;
    return [
      ...(point.carbon > before.carbon * (1 + tolerance) ? [`${where}: more CO2 at a higher carbon price`] : []),
      ...(point.cost < before.cost * (1 - tolerance) ? [`${where}: a lower cost at a higher carbon price`] : []),
    ];
  });
}
