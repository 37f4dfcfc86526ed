import { bestOf, fitness, judge, type Outcome, type References, type Verdict } from "./accounting.ts";
import { ABSENT, describe, type Strategy } from "./genes.ts";
import { type Search, search } from "./learner.ts";
import { CLAIMED_HEADWAY, HONEST_ASKS, type Named, SCRIPTED, SCRIPTED_QUICK } from "./strategies.ts";

/** How much is played. */
export interface Size {
  /** Worlds in which each named strategy is played. */
  readonly worlds: number;
  readonly honest: readonly Named[];
  readonly scripted: readonly Named[];
  /** Attacks that are also played where developers have turned audits off, to show what these are for; they may win there. */
  readonly unaudited: readonly Named[];
  readonly learning: Search;
  /** Best learnt strategies that are played again, in worlds that they were not learnt in. */
  readonly finalists: number;
}

/** The whole game, and one of two minutes. */
export const WHOLE: Size = {
  worlds: 5,
  honest: HONEST_ASKS,
  scripted: SCRIPTED,
  unaudited: [CLAIMED_HEADWAY],
  learning: { generations: 8, population: 10, parents: 6 },
  finalists: 4,
};
export const QUICK: Size = {
  worlds: 3,
  honest: HONEST_ASKS.slice(-2),
  scripted: SCRIPTED_QUICK,
  unaudited: [],
  learning: { generations: 2, population: 4, parents: 4 },
  finalists: 1,
};

/** A row of the result. */
export interface Played {
  readonly name: string;
  readonly aim: string;
  readonly strategy: Strategy;
  readonly verdict: Verdict;
  /** Seeds of the worlds that it was judged in. */
  readonly seeds: readonly number[];
}

/** What came of a game. */
export interface Result {
  readonly honest: readonly Played[];
  readonly scripted: readonly Played[];
  readonly learnt: readonly Played[];
  /** Without audits. */
  readonly unaudited: readonly Played[];
  /** Strategies that the learner tried. */
  readonly tried: number;
  readonly episodes: number;
}

/** Plays one episode in the world of a seed, whose tasks ask for audits or do not. */
export type Play = (seed: number, strategy: Strategy, audited: boolean) => Promise<Outcome>;

/**
 * Plays honest work, the known attacks, and what the learner breeds from them.
 *
 * @param seed - Of the worlds, and of the learner; the same seed plays the same game.
 * @param random - From 0 to 1, of the same seed.
 * @param progress - Told after each episode how many there were, of how many, and what was played.
 */
export async function playGame(
  size: Size,
  seed: number,
  {
    play,
    random,
    gasPrice,
    progress,
  }: {
    readonly play: Play;
    readonly random: () => number;
    readonly gasPrice: number;
    readonly progress: (done: number, all: number, what: string) => void;
  },
): Promise<Result> {
  let episodes = 0;
  const all = episodesOf(size);
  const playAll = async (
    name: string,
    strategy: Strategy,
    seeds: readonly number[],
    audited = true,
  ): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const each of seeds) {
      outcomes.push(await play(each, strategy, audited));
      progress(++episodes, all, name);
    }
    return outcomes;
  };
  const references = async (seeds: readonly number[], audited = true) => {
    const honest: Outcome[][] = [];
    for (const { name, strategy } of size.honest) honest.push(await playAll(name, strategy, seeds, audited));
    const absent = await playAll("absent", ABSENT, seeds, audited);
    return { plays: honest, honest: bestOf(honest, gasPrice), absent };
  };
  const row = (named: Named, seeds: readonly number[], outcomes: readonly Outcome[], held: References): Played => ({
    ...named,
    seeds,
    verdict: judge(outcomes, held, gasPrice),
  });

  const seeds = worldsFrom(seed, size.worlds);
  const held = await references(seeds);
  const honest = size.honest.map((named, i) => row(named, seeds, held.plays[i] ?? [], held));
  const scripted: Played[] = [];
  for (const named of size.scripted) {
    scripted.push(row(named, seeds, await playAll(named.name, named.strategy, seeds), held));
  }

  const unaudited: Played[] = [];
  const without = size.unaudited.length === 0 ? held : await references(seeds, false);
  for (const named of size.unaudited) {
    const outcomes = await playAll(named.name, named.strategy, seeds, false);
    unaudited.push(row({ ...named, name: `${named.name}, no audits` }, seeds, outcomes, without));
  }

  const school = seeds.slice(0, 1);
  const schooled = { honest: held.honest.slice(0, 1), absent: held.absent.slice(0, 1) };
  const tried = await search(
    size.scripted.map(({ strategy }) => strategy),
    size.learning,
    random,
    async (strategy) => fitness(judge(await playAll("learning", strategy, school), schooled, gasPrice)),
  );
  const fresh = worldsFrom(seed + size.worlds, size.worlds);
  const finals = await references(fresh);
  const learnt: Played[] = [];
  for (const [i, { strategy, generation }] of tried.slice(0, size.finalists).entries()) {
    const name = `learnt ${String(i + 1)} (generation ${String(generation)})`;
    learnt.push(row({ name, aim: describe(strategy), strategy }, fresh, await playAll(name, strategy, fresh), finals));
  }
  return { honest, scripted, learnt, unaudited, tried: tried.length, episodes };
}

/** What wins, of a result. */
export function winners({ scripted, learnt }: Result): Played[] {
  return [...scripted, ...learnt].filter(({ verdict }) => verdict.earnsMore || verdict.spoils);
}

/** Episodes that a game of this size has. */
function episodesOf({ worlds, honest, scripted, unaudited, learning, finalists }: Size): number {
  const references = honest.length + 1;
  const without = unaudited.length === 0 ? 0 : references + unaudited.length;
  return worlds * (without + 2 * references + scripted.length + finalists) + learning.generations * learning.population;
}

function worldsFrom(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => seed + i);
}
