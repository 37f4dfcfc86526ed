import { describe, GENE_NAMES, GENES, isHonest, type Strategy } from "./genes.ts";

/** A strategy with what it was worth. */
export interface Tried {
  readonly strategy: Strategy;
  readonly fitness: number;
  /** Generation in which it was first played, from 1. */
  readonly generation: number;
}

/** How long and how widely to search. */
export interface Search {
  readonly generations: number;
  readonly population: number;
  /** Best of all so far, which the next generation comes from. */
  readonly parents: number;
}

/** Genes that a new strategy changes on average. */
const MUTATIONS = 2;

/** A strategy with about {@link MUTATIONS} genes changed, at least one. */
export function mutate(strategy: Strategy, random: () => number): Strategy {
  const changed: Record<string, unknown> = { ...strategy };
  const forced = pick(GENE_NAMES, random);
  for (const name of GENE_NAMES) {
    if (name !== forced && random() >= (MUTATIONS - 1) / GENE_NAMES.length) continue;
    const values: readonly unknown[] = GENES[name];
    changed[name] = pick(
      values.filter((value) => value !== strategy[name]),
      random,
    );
  }
  return changed as unknown as Strategy;
}

/** A strategy with each gene of either of two others. */
export function cross(one: Strategy, other: Strategy, random: () => number): Strategy {
  const child = GENE_NAMES.map((name): [string, unknown] => [name, random() < 0.5 ? one[name] : other[name]]);
  return Object.fromEntries(child) as unknown as Strategy;
}

/**
 * Searches for strategies that pay a player of bad faith: each generation is bred from the best so far. The same seed
 * finds the same strategies. Nothing is played twice, and honest work is not played at all.
 *
 * @param start - Strategies to breed the first generation from.
 * @param play - Plays one and says how good it is.
 * @returns All that were tried, the best first.
 */
export async function search(
  start: readonly Strategy[],
  { generations, population, parents }: Search,
  random: () => number,
  play: (strategy: Strategy) => Promise<number>,
): Promise<Tried[]> {
  const tried = new Map<string, Tried>();
  let breeding = [...start];
  for (let generation = 1; generation <= generations; generation++) {
    for (let bred = 0, tries = 0; bred < population && tries < 50 * population; tries++) {
      const strategy = mutate(cross(pick(breeding, random), pick(breeding, random), random), random);
      const key = describe(strategy);
      if (tried.has(key) || isHonest(strategy)) continue;
      tried.set(key, { strategy, generation, fitness: await play(strategy) });
      bred++;
    }
    breeding = best(tried)
      .slice(0, parents)
      .map(({ strategy }) => strategy);
  }
  return best(tried);
}

function best(tried: ReadonlyMap<string, Tried>): Tried[] {
  return [...tried.values()].sort((a, b) => b.fitness - a.fitness);
}

function pick<T>(values: readonly T[], random: () => number): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError("nothing to choose from");
  return value;
}
