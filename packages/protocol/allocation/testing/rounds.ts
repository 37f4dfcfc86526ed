import fc from "fast-check";

import type { Round } from "../model.ts";

/** Bounds of generated rounds. */
export interface RoundSize {
  readonly tasks: number;
  readonly classes: number;
  /** Nodes in each class. */
  readonly nodes: number;
  /** Units of each task and of each node. */
  readonly units: number;
}

/**
 * Rounds, most of them degenerate in some way: few distinct prices, so that equals abound; asks at exactly the maximum
 * price; classes without a node; tasks that exclude each other's classes; more demand than supply and the reverse.
 */
export function rounds(size: RoundSize): fc.Arbitrary<Round> {
  return fc.integer({ min: 1, max: size.classes }).chain((classCount) =>
    fc
      .record({
        seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        tickSizes: fc.array(fc.constantFrom(1, 1, 3, 1000), { minLength: classCount, maxLength: classCount }),
        nodes: fc.array(
          fc.array(
            fc.record({
              tick: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }) }, fc.constantFrom(7, 4095)),
              units: fc.integer({ min: 1, max: size.units }),
              shuffle: fc.nat(1000),
            }),
            { maxLength: size.nodes },
          ),
          { minLength: classCount, maxLength: classCount },
        ),
        tasks: fc.array(
          fc.record({
            units: fc.integer({ min: 1, max: size.units }),
            maxPrice: fc.oneof(
              { weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) },
              fc.constantFrom(3000, 4095, 2 ** 40 - 1),
            ),
            accepted: fc.subarray([...Array(classCount).keys()], { minLength: 1 }),
            surcharges: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 3 })), {
              minLength: classCount,
              maxLength: classCount,
            }),
          }),
          { minLength: 1, maxLength: size.tasks },
        ),
      })
      .map(({ seed, tickSizes, nodes, tasks }) => {
        const used = [...new Set(tasks.flatMap(({ accepted }) => accepted))].sort((a, b) => a - b);
        let nodeId = 0;
        return {
          roundId: 1,
          seed: `0x${Buffer.from(seed).toString("hex")}`,
          tasks: tasks.map(({ units, maxPrice, accepted, surcharges }, t) => ({
            // Ids with gaps, so that an index taken for an id does not go unnoticed.
            id: 3 * t + 5,
            units,
            maxPrice,
            classes: [...accepted]
              .sort((a, b) => a - b)
              .map((k) => ({ classId: 2 * k + 1, surcharge: surcharges[k] ?? 0 })),
          })),
          classes: used.map((k) => ({
            id: 2 * k + 1,
            tickSize: tickSizes[k] ?? 1,
            nodes: placed((nodes[k] ?? []).map((node) => ({ ...node, id: (nodeId += 7) }))),
          })),
        };
      }),
  );
}

/** Gives nodes their places at their tick, in an order that is not that of their ids. */
function placed(
  nodes: readonly { id: number; tick: number; units: number; shuffle: number }[],
): Round["classes"][number]["nodes"] {
  const counts = new Map<number, number>();
  return [...nodes]
    .sort((a, b) => a.shuffle - b.shuffle)
    .map(({ id, tick, units }) => {
      const position = counts.get(tick) ?? 0;
      counts.set(tick, position + 1);
      return { id, tick, units, position };
    });
}

/** Seeds fast-check with a number that is printed with every failure, and reports the smallest counterexample. */
export function seeded(numRuns: number): fc.Parameters<unknown> {
  return { seed: 20_260_501, numRuns, endOnFailure: false };
}
