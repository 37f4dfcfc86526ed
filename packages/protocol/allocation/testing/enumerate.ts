import { keccak256, solidityPacked } from "ethers";

import type { Round } from "../model.ts";

/**
 * Minimum cost of a round in micro-VER × 1024, by trying everything. The reference that solvers are compared with: it
 * shares no code, no class form, no paths and no linear program with them, only the words of the protocol.
 *
 * Task by task it keeps, for each tuple of units taken from the classes, the minimum cost of the tasks so far; then
 * each class's units are bought one by one from its nodes, cheapest first. O(product of supplies × ways to split a
 * task): for tiny rounds.
 */
export function leastCost(round: Round): bigint {
  const ids = round.classes.map(({ id }) => id);
  const prices = round.classes.map(({ nodes, tickSize }) =>
    nodes
      .flatMap(({ tick, units }) => Array.from({ length: units }, () => BigInt(tick * tickSize) * 1024n))
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  let reached = new Map<string, bigint>([[ids.map(() => 0).join(), 0n]]);
  for (const task of round.tasks) {
    const costs = task.classes.map(({ classId, surcharge }) => {
      const packed = solidityPacked(["bytes32", "uint8", "uint32", "uint32"], [round.seed, 1, task.id, classId]);
      return BigInt(surcharge) * 1024n + (BigInt(keccak256(packed)) % 1024n);
    });
    const next = new Map<string, bigint>();
    for (const [key, cost] of reached) {
      for (const split of splits(task.units, task.classes.length)) {
        const taken = key.split(",").map(Number);
        let total = cost + BigInt(split.left) * (BigInt(task.maxPrice) * 1024n + 1023n);
        split.parts.forEach((units, c) => {
          const k = ids.indexOf(task.classes[c]?.classId ?? -1);
          taken[k] = (taken[k] ?? 0) + units;
          total += BigInt(units) * (costs[c] ?? 0n);
        });
        if (taken.some((units, k) => units > (prices[k]?.length ?? 0))) continue;
        const known = next.get(taken.join());
        if (known === undefined || total < known) next.set(taken.join(), total);
      }
    }
    reached = next;
  }
  const totals = [...reached].map(([key, cost]) =>
    key
      .split(",")
      .map(Number)
      .reduce((sum, units, k) => (prices[k] ?? []).slice(0, units).reduce((all, price) => all + price, sum), cost),
  );
  return totals.reduce((least, total) => (total < least ? total : least));
}

/** All ways to split up to `units` into `count` parts. */
function splits(units: number, count: number): { parts: number[]; left: number }[] {
  if (count === 0) return [{ parts: [], left: units }];
  return Array.from({ length: units + 1 }, (_, first) =>
    splits(units - first, count - 1).map(({ parts, left }) => ({ parts: [first, ...parts], left })),
  ).flat();
}
